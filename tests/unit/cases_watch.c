/* SPDX-License-Identifier: MIT */
/* cases_watch.c -- the areas of what watches: orphan and recycle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../cli/local_time.h"
#include "../../policy/orphan.h"
#include "../../policy/recycle.h"
#include "cases.h"

#define ROOM 4096

static struct taf_orphan memory[ROOM];

/* Any text as a number that differs from others'. */
static uint64_t key_of(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h | 1;
}

static uint64_t ms_of(double s)
{
	return s > 0 ? (uint64_t)(s * 1000 + 0.5) : 0;
}

/* Events in the order of their time. */
static int by_time(const void *a, const void *b)
{
	double x = taf_case_number(*(cJSON *const *)a, "t", 0),
	       y = taf_case_number(*(cJSON *const *)b, "t", 0);

	return x < y ? -1 : x > y;
}

/* The boot of the newest event runs now, and began with its own oldest event. */
static struct taf_moment take_events(struct taf_orphans *o, const cJSON *list, double now)
{
	int n = cJSON_GetArraySize(list), i = 0;
	const cJSON **sorted = calloc((size_t)n + 1, sizeof(*sorted)), *e;
	struct taf_moment at = { .utc_ms = ms_of(now) };
	const char *boot;
	double oldest = 0;

	cJSON_ArrayForEach(e, list) sorted[i++] = e;
	qsort(sorted, (size_t)n, sizeof(*sorted), by_time);
	boot = n ? taf_case_text(sorted[n - 1], "boot") : NULL;
	at.boot = key_of(boot);
	for (i = n; i > 0; i--)
		if (key_of(taf_case_text(sorted[i - 1], "boot")) == at.boot)
			oldest = taf_case_number(sorted[i - 1], "t", 0);
	at.boot_ms = ms_of(-oldest);
	for (i = 0; i < n; i++) {
		double t = taf_case_number(sorted[i], "t", 0);
		const char *ev = taf_case_text(sorted[i], "ev");
		struct taf_orphan one = { .at.boot = key_of(taf_case_text(sorted[i], "boot")),
					  .at.boot_ms = ms_of(t - oldest),
					  .at.utc_ms = ms_of(now + t),
					  .model = taf_case_text(sorted[i], "model") };

		one.pid = (int32_t)taf_case_number(sorted[i], "pid", 0);
		one.start = (uint64_t)taf_case_number(sorted[i], "pid_start", 0);
		one.seq = (uint64_t)taf_case_number(sorted[i], "seq", 0);
		one.model_n = one.model ? strlen(one.model) : 0;
		if (ev && !strcmp(ev, "PRE"))
			taf_orphan_begin(o, &one);
		else if (ev && !strcmp(ev, "POST"))
			taf_orphan_end(o, &one);
	}
	free(sorted);
	return at;
}

static int64_t utc_of(void *ctx, int64_t local_s)
{
	(void)ctx;
	return taf_local_to_utc(local_s);
}

static void take_lines(struct taf_orphans *o, const cJSON *list)
{
	struct taf_orphan_clock clock = { utc_of, NULL };
	const cJSON *line;

	cJSON_ArrayForEach(line, list)
	{
		const char *s = cJSON_GetStringValue(line);

		if (s)
			taf_orphan_line(o, s, strlen(s), &clock);
	}
}

/* By the table of processes; without one every pid of this boot lives as it began. */
static uint64_t start_of(void *ctx, int32_t pid)
{
	const cJSON *table = ctx, *one;
	char name[16];

	if (!table)
		return UINT64_MAX;
	snprintf(name, sizeof(name), "%d", (int)pid);
	one = cJSON_GetObjectItemCaseSensitive(table, name);
	return one ? (uint64_t)taf_case_number(one, "start", 1) : 0;
}

static void put(const cJSON *list, const struct taf_orphan *one)
{
	cJSON *to = cJSON_CreateObject();
	char model[512];

	snprintf(model, sizeof(model), "%.*s", (int)one->model_n, one->model);
	cJSON_AddStringToObject(to, "model", model);
	cJSON_AddNumberToObject(to, "age_s", (double)one->age_ms / 1000);
	if (one->pid)
		cJSON_AddNumberToObject(to, "pid", one->pid);
	else
		cJSON_AddNullToObject(to, "pid");
	cJSON_AddItemToArray((cJSON *)(uintptr_t)list, to);
}

void taf_case_orphan(const cJSON *input, cJSON *got)
{
	const char *tz = taf_case_text(input, "tz");
	double now = taf_case_number(input, "now", 0);
	const cJSON *table = cJSON_GetObjectItemCaseSensitive(input, "proc_table");
	struct taf_orphan_world w = { .after_ms = ms_of(taf_case_number(input, "threshold_s", 90)),
				      .start_of = start_of,
				      .ctx = (void *)(uintptr_t)table };
	cJSON *live = cJSON_AddArrayToObject(got, "live_orphans"),
	      *orphans = cJSON_AddArrayToObject(got, "orphans"),
	      *lost = cJSON_AddArrayToObject(got, "lost");
	struct taf_orphans o;

	setenv("TZ", tz ? tz : "UTC", 1);
	tzset();
	taf_orphans_init(&o, memory, ROOM);
	w.now = take_events(&o, cJSON_GetObjectItemCaseSensitive(input, "events"), now);
	take_lines(&o, cJSON_GetObjectItemCaseSensitive(input, "log_lines"));
	/* Without a table the start that an event names is the one that runs. */
	for (size_t i = 0; !table && i < o.n; i++)
		if (!o.at[i].is_text)
			o.at[i].start = 0;
	taf_orphans_judge(&o, &w);
	for (size_t i = 0; i < o.n; i++) {
		if (o.at[i].is == TAF_ORPHAN_LOST)
			put(lost, &o.at[i]);
		if (o.at[i].is != TAF_ORPHAN_LIVE)
			continue;
		put(live, &o.at[i]);
		put(orphans, &o.at[i]);
	}
}

/* count against limit: generations; live_resources against limit: resources. */
void taf_case_recycle(const cJSON *input, cJSON *got)
{
	struct taf_rules rules;
	struct taf_facts f;
	struct taf_answer due[TAF_RECYCLE_REASONS];

	memset(&f, 0, sizeof(f));
	taf_rules_default(&rules);
	f.infers = (uint64_t)taf_case_number(input, "inferences", 0);
	if (taf_case_has(input, "count")) {
		f.infers = (uint64_t)taf_case_number(input, "count", 0);
		rules.recycle_inferences =
			(uint32_t)taf_case_number(input, "limit", (double)rules.recycle_inferences);
	} else {
		f.resources = (uint64_t)taf_case_number(input, "live_resources", 0);
		f.resource_limit = (uint64_t)taf_case_number(input, "limit", 0);
	}
	cJSON_AddBoolToObject(got, "restart", taf_recycle_due(&rules, &f, due) > 0);
}
