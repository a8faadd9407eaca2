/* SPDX-License-Identifier: MIT */
#include "state_guard.h"

#include <errno.h>

#include "../policy/text.h"
#include "crumb.h"
#include "load.h"
#include "saved.h"
#include "scratch.h"
#include "versions.h"
#include "work.h"

#define WORDS 400 /* room for what differs, and for a trouble */

static void say(enum taf_kind kind, const struct taf_state_file *f, const char *msg)
{
	struct taf_ring_head *head = taf_ring_head();
	struct taf_rec r = { .kind = kind,
			     .phase = TAF_MARK,
			     .engine = f->call->table->engine,
			     .call = taf_row_name(f->call->table, f->call->row),
			     .model = taf_work_model_name(f->work),
			     .rule = taf_rule_info(TAF_RULE_state_guard)->path,
			     .msg = msg };

	if (kind == TAF_REFUSE && head)
		atomic_fetch_add(&head->refuses, 1);
	taf_crumb(&r);
}

/* "NAME: what" */
static void say_of(enum taf_kind kind, const struct taf_state_file *f, const char *what)
{
	char buf[WORDS + 128], name[96];
	struct taf_text t;

	taf_copy(name, taf_base(f->path), sizeof(name));
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, kind == TAF_WOULD ? "would refuse: " : "");
	taf_text_put(&t, name);
	taf_text_put(&t, ": ");
	taf_text_put(&t, what);
	say(kind, f, buf);
}

static void put_engine(struct taf_saved *s)
{
	struct taf_versions *v = taf_scratch_take(sizeof(*v));

	if (!v)
		return;
	taf_versions_read(v);
	for (uint32_t i = 0; i < v->n; i++)
		if (taf_same(v->at[i].package, "llama.cpp"))
			taf_copy(s->engine, v->at[i].version, sizeof(s->engine));
	taf_scratch_give(v);
}

/* By which of its sets of factors the model turns positions (saved.h). */
static enum taf_rope rope_of(const struct taf_live_model *m, uint64_t room)
{
	if (!m->rope_turn || !room)
		return TAF_ROPE_ALIKE;
	return room > m->rope_turn ? TAF_ROPE_LONG : TAF_ROPE_SHORT;
}

/* What is at hand: the file, the model and how it is used. 0 or -errno. */
static int look(const struct taf_state_file *f, struct taf_saved *s)
{
	const struct taf_live_model *m = f->work ? f->work->model : NULL;
	struct taf_cache_ask ask;

	taf_zero(s, sizeof(*s));
	s->is_sequence = f->is_sequence;
	s->vocab = f->vocab;
	if (f->work) {
		s->adapters = atomic_load(&f->work->adapters);
		s->ctx = f->work->ctx_tokens;
		s->turn = f->work->turn;
	}
	if (m) {
		taf_copy(s->model, m->name, sizeof(s->model));
		s->print = m->fingerprint;
		taf_load_ask(taf_load_hints(), m->trained, &ask);
		s->k_unit = ask.k_unit;
		s->v_unit = ask.v_unit;
		s->rope = rope_of(m, f->room);
	}
	put_engine(s);
	return taf_saved_look(f->path, s);
}

static bool is_asked(const struct taf_state_file *f)
{
	return taf_rules.state_guard && f->call->is_counted && f->path && !taf_is_other_process();
}

void taf_state_saved(const struct taf_state_file *f)
{
	char line[WORDS] = "";
	struct taf_text trouble;
	struct taf_saved *s;
	int err;

	if (!is_asked(f))
		return;
	taf_text_init(&trouble, line, sizeof(line));
	s = taf_scratch_take(sizeof(*s));
	err = !s || look(f, s) || taf_saved_enter(s, &trouble);
	taf_scratch_give(s);
	if (line[0])
		say(TAF_NOTE, f, line);
	if (err)
		say_of(TAF_NOTE, f,
		       "it could not be entered whose state this is: it will be "
		       "restored unchecked");
}

/* Of a file that is not there nothing is to be said: its engine does. */
static enum taf_saved_word judge(const struct taf_state_file *f, struct taf_text *why,
				 struct taf_text *trouble)
{
	struct taf_saved *s = taf_scratch_take(sizeof(*s));
	enum taf_saved_word word = TAF_SAVED_UNASKED;
	int err = s ? look(f, s) : -ENOMEM;

	if (!err)
		word = taf_saved_judge(s, why, trouble);
	else if (err == -ENOENT)
		word = TAF_SAVED_FITS;
	taf_scratch_give(s);
	return word;
}

bool taf_state_may_restore(const struct taf_state_file *f)
{
	bool is_observed = taf_rules.mode == TAF_MODE_OBSERVE;
	char line[WORDS] = "", words[WORDS] = "";
	struct taf_text trouble, why;
	enum taf_saved_word word;

	if (!is_asked(f))
		return true;
	taf_text_init(&trouble, line, sizeof(line));
	taf_text_init(&why, words, sizeof(words));
	word = judge(f, &why, &trouble);
	if (line[0])
		say(TAF_NOTE, f, line);
	if (word == TAF_SAVED_NEW)
		say_of(TAF_NOTE, f, "nothing is known of this state: it is restored unchecked");
	if (word == TAF_SAVED_FITS_PARTLY)
		say_of(TAF_NOTE, f,
		       "it is restored, and RoPE's settings were not compared: they are not in its "
		       "entry, or this engine's cannot be read");
	if (word == TAF_SAVED_UNASKED)
		say_of(TAF_NOTE, f,
		       "it cannot be told whose state this is: it is restored unchecked");
	if (word != TAF_SAVED_DIFFERS)
		return true;
	say_of(is_observed ? TAF_WOULD : TAF_REFUSE, f, words);
	return is_observed;
}

#define SAID_UNCHECKED (1u << 30) /* of taf_work.said; the low ones are error.c's */

void taf_state_in_memory(const char *call, struct taf_work *w)
{
	enum taf_state s = taf_state_now();
	struct taf_rec r = { .kind = TAF_NOTE,
			     .phase = TAF_MARK,
			     .engine = w ? w->table->engine : TAF_ENGINE_NONE,
			     .call = call,
			     .model = taf_work_model_name(w),
			     .rule = taf_rule_info(TAF_RULE_state_guard)->path,
			     .msg = "a state in memory has no name: it is restored unchecked" };

	if (!w || taf_tls.inside || (s != TAF_ACTIVE && s != TAF_LEAVING) || taf_is_other_process())
		return;
	if (!(atomic_fetch_or(&w->said, SAID_UNCHECKED) & SAID_UNCHECKED))
		taf_crumb(&r);
}

uint64_t taf_state_adapter(const char *path)
{
	struct taf_saved *s = taf_scratch_take(sizeof(*s));
	uint64_t n = 0;

	if (s && path && !taf_saved_look(path, s))
		n = s->hash | 1;
	taf_scratch_give(s);
	return n;
}
