/* SPDX-License-Identifier: MIT */
/* cases_gate.c -- the areas of what holds GPU work back: gate and breaker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/sentinel.h"
#include "../../policy/breaker.h"
#include "../../policy/cooldown.h"
#include "../../policy/panic.h"
#include "../../policy/policy.h"
#include "cases.h"

#define HOUR_S 3600.0

static struct taf_rules rules;
static struct taf_ledger ledger;

static uint64_t ms_of(double s)
{
	return s > 0 ? (uint64_t)(s * 1000 + 0.5) : 0;
}

/* Any text as a number that differs from others'. */
static uint64_t key_of(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h | 1;
}

static const cJSON *item(const cJSON *of, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(of, key);
}

/* As TAFFRAIL_SET would: a bad value keeps the default. */
static bool set(const char *path, const cJSON *value)
{
	char number[32];
	const char *text = cJSON_GetStringValue(value);

	if (!text && cJSON_IsBool(value))
		text = cJSON_IsTrue(value) ? "on" : "off";
	if (!text) {
		snprintf(number, sizeof(number), "%.15g", value->valuedouble);
		text = number;
	}
	return !taf_rules_set(&rules, path, text, NULL);
}

static bool set_seconds(const char *path, const cJSON *policy, const char *key)
{
	char text[48];

	if (!item(policy, key))
		return true;
	snprintf(text, sizeof(text), "%.15gs", taf_case_number(policy, key, 0));
	return !taf_rules_set(&rules, path, text, NULL);
}

/* ---- gate ---- */

static void take_report(const cJSON *report, const struct taf_moment *now)
{
	const char *text = taf_case_text(report, "body");
	double at_s = (double)now->utc_ms / 1000 - taf_case_number(report, "age_h", 0) * HOUR_S;
	char *body = strdup(text ? text : "");
	struct taf_ledger_event e;
	struct taf_panic p;

	if (!body)
		return;
	taf_panic_parse(body, strlen(body), &p);
	if (taf_panic_event(&p, ms_of(at_s), &e)) {
		e.seen = *now;
		taf_ledger_note(&ledger, &e);
	}
	free(body);
}

/* A boot that ended inside a call, as shim/past.c tells of it: when, only its records know. */
static void take_boot(const cJSON *input, const struct taf_moment *now)
{
	const cJSON *boot = item(input, "previous_boot");
	const char *crumb = taf_case_text(boot, "last_crumb");
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_PANIC, .is_suspected = true };

	if (!boot || cJSON_IsTrue(item(boot, "clean_end")) || !crumb ||
	    strncmp(crumb, "PRE", 3) != 0)
		return;
	e.at.boot = key_of(taf_case_text(boot, "boot_id"));
	e.at.utc_ms = now->utc_ms - now->boot_ms;
	if (e.at.boot == now->boot)
		return;
	e.seen = *now;
	strcpy(e.class, "dirty_boot");
	taf_ledger_note(&ledger, &e);
}

static uint64_t sentinel_of(const cJSON *input, uint64_t utc_ms)
{
	const cJSON *file = item(input, "sentinel_file");
	char *text = cJSON_IsString(file)	   ? strdup(file->valuestring)
		     : file && !cJSON_IsNull(file) ? cJSON_PrintUnformatted(file)
						   : NULL;
	uint64_t until = 0;

	if (!text || !taf_sentinel_read(text, strlen(text), &until))
		until = 0;
	free(text);
	return until > utc_ms ? until - utc_ms : 0;
}

void taf_case_gate(const cJSON *input, cJSON *got)
{
	struct taf_moment now = { .utc_ms = ms_of(taf_case_number(input, "now", 2000000000)) };
	struct taf_gate_question q = { .rules = &rules, .ledger = &ledger };
	const cJSON *one;
	struct taf_gate g;

	setenv("TZ", "UTC", 1);
	taf_rules_default(&rules);
	memset(&ledger, 0, sizeof(ledger));
	now.boot = key_of(taf_case_text(input, "current_boot_id"));
	now.boot_ms = ms_of(taf_case_number(input, "boot_age_s", 0));
	cJSON_ArrayForEach(one, item(input, "set")) set(one->string, one);
	cJSON_ArrayForEach(one, item(input, "reports")) take_report(one, &now);
	take_boot(input, &now);
	if (cJSON_IsNumber(item(input, "ack_age_h")))
		ledger.ack.utc_ms =
			now.utc_ms -
			(uint64_t)(int64_t)(taf_case_number(input, "ack_age_h", 0) * HOUR_S * 1000);
	q.now = now;
	q.sentinel_ms = sentinel_of(input, now.utc_ms);
	taf_gate_judge(&q, &g);
	cJSON_AddNumberToObject(got, "exit", g.is_held ? 2 : 0);
	cJSON_AddStringToObject(got, "reason", taf_gate_word(g.reason));
	cJSON_AddNumberToObject(got, "panics_24h", g.panics_24h);
	cJSON_AddNumberToObject(got, "panics_72h", g.panics_72h);
	if (g.is_held && g.pass_ms != TAF_PASS_UNKNOWN)
		cJSON_AddNumberToObject(got, "cooldown_until_offset_s", (double)g.pass_ms / 1000);
	else
		cJSON_AddNullToObject(got, "cooldown_until_offset_s");
}

/* ---- breaker ---- */

/* One line of metal-guard's archive: a record, or text that holds one. */
static void take_line(const cJSON *line)
{
	cJSON *parsed = cJSON_IsString(line) ? cJSON_Parse(line->valuestring) : NULL;
	const cJSON *r = parsed ? parsed : line;
	const char *signature = taf_case_text(r, "signature");
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_PANIC };

	if (cJSON_IsObject(r) && cJSON_IsNumber(item(r, "ts"))) {
		e.at.utc_ms = ms_of(taf_case_number(r, "ts", 0));
		e.pid = (int32_t)taf_case_number(r, "pid", 0);
		snprintf(e.class, sizeof(e.class), "%s", signature ? signature : "unknown");
		taf_ledger_note(&ledger, &e);
	}
	cJSON_Delete(parsed);
}

/* metal-guard stores the end alone: it was opened now at the latest. */
static void take_state(const cJSON *file, const struct taf_moment *now)
{
	cJSON *parsed = cJSON_IsString(file) ? cJSON_Parse(file->valuestring) : NULL;
	const cJSON *s = parsed ? parsed : file;
	uint64_t until = ms_of(taf_case_number(s, "cooldown_until", 0));

	if (cJSON_IsObject(s) && until > now->utc_ms) {
		ledger.breaker.opened = *now;
		ledger.breaker.for_ms = until - now->utc_ms;
		ledger.breaker.count = (uint32_t)taf_case_number(s, "panic_count", 0);
	}
	cJSON_Delete(parsed);
}

void taf_case_breaker(const cJSON *input, cJSON *got)
{
	struct taf_breaker_question q = { &rules, &ledger, { 0 } };
	const cJSON *policy = item(input, "policy"), *one;
	struct taf_breaker_state b;
	bool is_good;

	taf_rules_default(&rules);
	memset(&ledger, 0, sizeof(ledger));
	q.now.utc_ms = ms_of(taf_case_number(input, "now", 2000000000));
	is_good = set_seconds("breaker.window", policy, "window_s");
	is_good = set_seconds("breaker.cooldown", policy, "cooldown_s") && is_good;
	if (item(policy, "threshold"))
		is_good = set("breaker.threshold", item(policy, "threshold")) && is_good;
	cJSON_AddBoolToObject(got, "config_error", !is_good);
	cJSON_ArrayForEach(one, item(input, "archive_lines")) take_line(one);
	take_state(item(input, "state_file"), &q.now);
	taf_breaker_judge(&q, &b);
	cJSON_AddBoolToObject(got, "open", b.is_open);
	cJSON_AddNumberToObject(got, "panic_count", b.count);
	if (b.is_open)
		cJSON_AddNumberToObject(got, "cooldown_until_offset_s", (double)b.pass_ms / 1000);
	else
		cJSON_AddNullToObject(got, "cooldown_until_offset_s");
}
