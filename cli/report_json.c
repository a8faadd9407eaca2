/* SPDX-License-Identifier: MIT */
/* report_json.c -- one session of `taffrail report --json`.
 *
 * Keys are never renamed: pid boot run exe argv start end verdict text model
 * engines infers submits drains open last, and more beside them.  end is null
 * while the process runs and where nobody saw it end; last_seen then says when
 * it last did something.
 */
#include <string.h>

#include "../shim/versions.h"
#include "report.h"
#include "show.h"

#define TEXT_ROOM 2048
#define ITEMS_MAX 256u

static void put_key(struct taf_json *j, const struct taf_crumb_line *head, enum taf_key key)
{
	char text[TEXT_ROOM];

	if (taf_crumb_text(head, key, text, sizeof(text)))
		taf_json_text(j, taf_crumb_key_name(key), text);
	else
		taf_json_null(j, taf_crumb_key_name(key));
}

static void put_list(struct taf_json *j, const struct taf_crumb_line *head, enum taf_key key)
{
	char text[TEXT_ROOM];

	taf_json_open(j, taf_crumb_key_name(key), '[');
	for (unsigned i = 0; i < ITEMS_MAX && taf_crumb_item(head, key, i, text, sizeof(text)); i++)
		taf_json_text(j, NULL, text);
	taf_json_close(j);
}

static void put_name(struct taf_json *j, const char *key, const char *name)
{
	taf_json_text(j, key, name[0] ? name : NULL);
}

void taf_report_call_json(struct taf_json *j, const char *call)
{
	char fn[128];

	put_name(j, "call", call);
	put_name(j, "fn", taf_show_call(fn, sizeof(fn), call));
}

static const char *kind_name(int kind)
{
	return kind >= 0 ? taf_kind_name((enum taf_kind)kind) : NULL;
}

static void put_fact(struct taf_json *j, const struct taf_crumb_line *head, const char *name)
{
	char text[TEXT_ROOM];
	uint64_t v;

	if (taf_crumb_member(head, TAF_KEY_HOST, name, text, sizeof(text)))
		taf_json_text(j, name, text);
	else if (taf_crumb_member_u64(head, TAF_KEY_HOST, name, &v))
		taf_json_u64(j, name, v);
	else
		taf_json_null(j, name);
}

static void put_host(struct taf_json *j, const struct taf_crumb_line *head)
{
	taf_json_open(j, taf_crumb_key_name(TAF_KEY_HOST), '{');
	put_fact(j, head, "kernel");
	put_fact(j, head, "driver");
	put_fact(j, head, "swap");
	put_fact(j, head, "limit");
	put_fact(j, head, "unit");
	put_fact(j, head, "stop_ms");
	taf_json_close(j);
}

static void put_versions(struct taf_json *j, const struct taf_crumb_line *head)
{
	char text[TEXT_ROOM];
	const char *package;

	taf_json_open(j, taf_crumb_key_name(TAF_KEY_VERSIONS), '{');
	for (uint32_t i = 0; (package = taf_versions_package(i)); i++)
		if (taf_crumb_member(head, TAF_KEY_VERSIONS, package, text, sizeof(text)))
			taf_json_text(j, package, text);
	taf_json_close(j);
}

/* What was in force; of a path that could not be used origin is "built-in". */
static void put_policy(struct taf_json *j, const struct taf_crumb_line *head)
{
	char text[TEXT_ROOM];
	uint64_t bad = 0;

	if (!taf_crumb_member(head, TAF_KEY_POLICY, "origin", text, sizeof(text))) {
		taf_json_null(j, taf_crumb_key_name(TAF_KEY_POLICY));
		return;
	}
	taf_json_open(j, taf_crumb_key_name(TAF_KEY_POLICY), '{');
	taf_json_text(j, "origin", text);
	taf_json_text(j, "path",
		      taf_crumb_member(head, TAF_KEY_POLICY, "path", text, sizeof(text)) ? text
											 : NULL);
	taf_crumb_member_u64(head, TAF_KEY_POLICY, "bad", &bad);
	taf_json_u64(j, "bad", bad);
	taf_json_close(j);
}

static void put_head(struct taf_json *j, const struct taf_trail *t, const struct taf_story *s)
{
	struct taf_crumb_line head;
	uint64_t end = taf_trail_utc_us(t, s->end_ns);

	if (!taf_report_head(t, &head))
		memset(&head, 0, sizeof(head));
	taf_json_text(j, "id", t->id);
	taf_json_i64(j, "pid", t->pid);
	taf_json_text(j, "boot", t->boot);
	put_name(j, "run", t->run);
	put_key(j, &head, TAF_KEY_EXE);
	put_list(j, &head, TAF_KEY_ARGV);
	put_key(j, &head, TAF_KEY_CWD);
	put_key(j, &head, TAF_KEY_LABEL);
	taf_json_time(j, "start", t->first_us);
	taf_json_time(j, "end", s->is_alive || !s->end_is_known ? 0 : end);
	taf_json_time(j, "last_seen", end ? end : t->last_us);
	put_key(j, &head, TAF_KEY_SHIM);
	put_key(j, &head, TAF_KEY_MODE);
	put_list(j, &head, TAF_KEY_ROUTES);
	put_key(j, &head, TAF_KEY_BOUNDARIES);
	put_key(j, &head, TAF_KEY_GUESS);
	put_key(j, &head, TAF_KEY_PROFILE);
	put_versions(j, &head);
	put_host(j, &head);
	put_policy(j, &head);
}

static void put_counts(struct taf_json *j, const struct taf_trail *t, const struct taf_story *s)
{
	put_name(j, "model", s->model);
	taf_json_open(j, "engines", '[');
	for (int e = 1; e < TAF_ENGINE_COUNT; e++)
		if (s->engines & 1u << e)
			taf_json_text(j, NULL, taf_engine_name((enum taf_engine)e));
	taf_json_close(j);
	taf_json_u64(j, "loads", s->loads);
	taf_json_u64(j, "infers", s->infers);
	taf_json_u64(j, "infers_ended", s->infers_ended);
	taf_json_ms(j, "infer_ms", s->infer_time.us);
	taf_json_ms(j, "ended_ms", s->ended_time.us);
	taf_json_ms(j, "overlap_ms", s->infer_time.shared_us);
	taf_json_u64(j, "at_once", s->infers_at_once);
	taf_json_u64(j, "infers_not_waited_for", s->infers_unwaited);
	taf_json_u64(j, "infers_without_submit", s->infers_empty);
	taf_json_u64(j, "submits", s->submits);
	taf_json_u64(j, "tokens", s->tokens);
	taf_json_u64(j, "evals", s->evals);
	taf_json_u64(j, "drains", s->drains);
	taf_json_u64(j, "drains_missed", s->drains_missed);
	taf_json_ms(j, "drain_ms", s->drain_us);
	put_name(j, "error", s->error);
	taf_json_u64(j, "damaged", t->bad);
	taf_json_u64(j, "dropped", s->dropped);
	taf_json_bool(j, "ring", s->has_ring);
	taf_json_bool(j, "infer_end_inferred", s->infer_end_inferred);
}

static void put_open(struct taf_json *j, const struct taf_open_begin *o)
{
	taf_json_open(j, NULL, '{');
	taf_json_text(j, "ev", kind_name(o->kind));
	taf_report_call_json(j, o->call);
	put_name(j, "model", o->model);
	taf_json_u64(j, "age_ms", o->age_ms);
	taf_json_i64(j, "tid", o->tid);
	taf_json_text(j, "from", o->is_ring ? "ring" : "log");
	put_name(j, "msg", o->msg);
	taf_json_close(j);
}

static void put_last(struct taf_json *j, const struct taf_last_thing *l)
{
	taf_json_open(j, NULL, '{');
	taf_json_i64(j, "tid", l->tid);
	taf_json_text(j, "ev", kind_name(l->kind));
	taf_report_call_json(j, l->call);
	taf_json_text(j, "ph", l->phase >= 0 ? taf_phase_name((enum taf_phase)l->phase) : NULL);
	taf_json_u64(j, "age_ms", l->age_ms);
	taf_json_bool(j, "inside", l->is_inside);
	taf_json_close(j);
}

static void put_oldest(struct taf_json *j, const struct taf_oldest *o)
{
	if (!o->is_known) {
		taf_json_null(j, "oldest");
		return;
	}
	taf_json_open(j, "oldest", '{');
	taf_report_call_json(j, o->call);
	put_name(j, "label", o->label);
	taf_json_u64(j, "age_ms", o->age_ms);
	taf_json_u64(j, "behind", o->behind);
	taf_json_bool(j, "inside", o->is_inside);
	taf_json_close(j);
}

void taf_report_json(struct taf_json *j, const struct taf_page *page)
{
	const struct taf_story *s = page->story;
	char signal[32];

	taf_json_open(j, NULL, '{');
	put_head(j, page->trail, s);
	taf_json_text(j, "verdict", taf_ended_name(s->verdict));
	taf_json_text(j, "text", s->text);
	if (s->has_rc && !s->is_alive)
		taf_json_i64(j, "rc", s->rc);
	else
		taf_json_null(j, "rc");
	taf_json_text(j, "signal",
		      s->signal ? taf_show_signal(signal, sizeof(signal), s->signal) : NULL);
	put_counts(j, page->trail, s);
	taf_report_trace_json(j, page);
	taf_report_devices_json(j, page);
	taf_report_acts_json(j, page);
	taf_run_ending_json(j, page->run);
	taf_start_wait_json(j, page);
	taf_json_open(j, "open", '[');
	for (size_t i = 0; i < s->n_open; i++)
		put_open(j, &s->open[i]);
	taf_json_close(j);
	taf_json_open(j, "last", '[');
	for (size_t i = 0; i < s->n_last; i++)
		put_last(j, &s->last[i]);
	taf_json_close(j);
	put_oldest(j, &s->oldest);
	taf_json_close(j);
}
