/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <errno.h>

#include "../policy/classify.h"
#include "../policy/text.h"
#include "outbox.h"
#include "state.h"

#define ROOM 1800u
#define TEXT_MAX 300u /* bytes of a name or message */

enum { ERR = 3, WARNING, NOTICE, INFO };

static _Atomic(bool) is_open, is_told;
static char socket_path[108]; /* written before is_open is set */

/* By kind: of a record that is sent whatever it says; 0: of none. */
static const uint8_t levels[TAF_KIND_COUNT] = {
	[TAF_START] = INFO,    [TAF_LOAD] = INFO,      [TAF_UNLOAD] = INFO,
	[TAF_ERROR] = ERR,     [TAF_HOLD] = WARNING,   [TAF_REFUSE] = WARNING,
	[TAF_SIGNAL] = NOTICE, [TAF_RESTART] = NOTICE, [TAF_EXIT] = INFO,
};

int taf_journal_level(const struct taf_rec *r)
{
	bool has_failed = (r->has & TAF_HAS_RC) && r->rc && r->kind != TAF_EXIT;

	if ((r->kind == TAF_LOAD || r->kind == TAF_DRAIN || r->kind == TAF_UNLOAD) && has_failed)
		return WARNING;
	if ((r->kind == TAF_NOTE && r->rule) ||
	    (r->kind == TAF_ERROR && r->class && taf_class_is_remark(r->class)))
		return NOTICE;
	/* Of what passes soon its end is enough; a load may be the last that is heard. */
	if ((r->kind == TAF_UNLOAD || r->kind == TAF_EXIT) && r->phase == TAF_BEGIN)
		return -1;
	return levels[r->kind] ? levels[r->kind] : -1;
}

static void put_plain(struct taf_text *t, const char *s)
{
	for (size_t n = 0; n < TEXT_MAX && s[n]; n++)
		taf_text_char(t, (unsigned char)s[n] < ' ' || s[n] == 0x7f ? ' ' : s[n]);
}

static void put_field(struct taf_text *t, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	taf_text_put(t, name);
	taf_text_char(t, '=');
	put_plain(t, value);
	taf_text_char(t, '\n');
}

static void put_number(struct taf_text *t, const char *name, uint64_t n)
{
	taf_text_put(t, name);
	taf_text_char(t, '=');
	taf_text_u64(t, n);
	taf_text_char(t, '\n');
}

static void put_ms(struct taf_text *t, uint64_t us)
{
	taf_text_u64(t, us / 1000);
	taf_text_char(t, '.');
	taf_text_pad(t, us % 1000, 3);
}

static void put_word(struct taf_text *t, const char *before, const char *s)
{
	if (!s || !s[0])
		return;
	taf_text_put(t, before);
	put_plain(t, s);
}

static void put_message(struct taf_text *t, const struct taf_rec *r)
{
	taf_text_put(t, "MESSAGE=");
	taf_text_put(t, taf_kind_name(r->kind));
	if (r->phase != TAF_MARK)
		put_word(t, " ", taf_phase_name(r->phase));
	put_word(t, " ", taf_engine_name(r->engine));
	put_word(t, " ", r->model ? r->model : r->call);
	put_word(t, ", class ", r->class);
	put_word(t, ", by rule ", r->rule);
	if ((r->has & TAF_HAS_RC) && (r->rc || r->kind == TAF_EXIT)) {
		taf_text_put(t, ", rc ");
		taf_text_i64(t, r->rc);
	}
	if (r->has & TAF_HAS_MS) {
		taf_text_put(t, ", ");
		put_ms(t, r->us);
		taf_text_put(t, " ms");
	}
	put_word(t, ": ", r->msg);
	taf_text_char(t, '\n');
}

static void put_fields(struct taf_text *t, const struct taf_rec *r)
{
	put_field(t, "TAFFRAIL_EV", taf_kind_name(r->kind));
	put_field(t, "TAFFRAIL_PH", taf_phase_name(r->phase));
	put_field(t, "TAFFRAIL_ENGINE", taf_engine_name(r->engine));
	put_field(t, "TAFFRAIL_RULE", r->rule);
	put_field(t, "TAFFRAIL_CLASS", r->class);
	if (r->has & TAF_HAS_RC) {
		taf_text_put(t, "TAFFRAIL_RC=");
		taf_text_i64(t, r->rc);
		taf_text_char(t, '\n');
	}
	if (r->has & TAF_HAS_MS) {
		taf_text_put(t, "TAFFRAIL_MS=");
		put_ms(t, r->us);
		taf_text_char(t, '\n');
	}
	put_field(t, "TAFFRAIL_MODEL", r->model);
	put_field(t, "TAFFRAIL_CALL", r->call);
	put_field(t, "TAFFRAIL_MSG", r->msg);
}

const char *taf_journal_path(const struct taf_rules *r, char *const *env)
{
	const char *given = taf_env(env, "TAFFRAIL_JOURNAL_SOCKET");

	if (!r->crumbs_journal)
		return NULL;
	return given && given[0] == '/' ? given : TAF_JOURNAL_SOCKET;
}

void taf_journal_open(const char *path)
{
	atomic_store(&is_told, false);
	atomic_store(&is_open, path && taf_copy(socket_path, path, sizeof(socket_path)));
	if (path)
		taf_outbox_open();
}

bool taf_journal_is_open(void)
{
	return atomic_load_explicit(&is_open, memory_order_relaxed);
}

/* A full queue empties again, and its records are in the log: nothing is said of it. */
static void tell(int err)
{
	struct taf_rec r = { .kind = TAF_NOTE,
			     .phase = TAF_MARK,
			     .has = TAF_HAS_RC,
			     .rc = err,
			     .rule = "crumbs.journal",
			     .msg = "the system's journal cannot be reached: its records are in "
				    "this log alone" };

	if (err != -EAGAIN && !atomic_exchange(&is_told, true))
		taf_crumb(&r);
}

void taf_journal_send(const struct taf_rec *r, const char *run, uint64_t seq)
{
	int level = taf_journal_level(r);
	char buf[ROOM];
	struct taf_text t;
	int err;

	if (level < 0 || !taf_journal_is_open())
		return;
	taf_text_init(&t, buf, sizeof(buf));
	put_number(&t, "PRIORITY", (uint64_t)level);
	put_field(&t, "SYSLOG_IDENTIFIER", "taffrail");
	put_field(&t, "TAFFRAIL_RUN", run);
	if (seq)
		put_number(&t, "TAFFRAIL_SEQ", seq);
	put_message(&t, r);
	put_fields(&t, r);
	/* What is cut off may not be half a field. */
	while (t.is_cut && t.used && buf[t.used - 1] != '\n')
		t.used--;
	err = taf_outbox_send(socket_path, buf, t.used);
	if (err)
		tell(err);
}
