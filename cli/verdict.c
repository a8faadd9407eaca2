/* SPDX-License-Identifier: MIT */
/* verdict.c -- how a session ended, by its last records and by what `run` saw.
 *
 *   run saw a signal          killed crash signal, by its number
 *   an exit record            clean nonzero signal crash; refused held when a rule had the last
 *                             word
 *   neither, and gone         the last word: a signal, an error; else killed, or machine_down when
 *                             it was under another boot id
 *
 * What `run` saw is surer than the exit record: a process can die of a signal
 * in the middle of leaving with status 0.
 */
#include <signal.h>
#include <string.h>

#include "../policy/classify.h"
#include "../policy/text.h"
#include "show.h"
#include "story.h"

#define STATUS_HELD 75

/* The last words of a session: indices into its records plus one, 0 none. */
struct words {
	size_t from; /* first record of the last image */
	size_t exit_begin, exit_end;
	size_t signal, error, refuse, hold;
	size_t last; /* the last record of the session */
	size_t meaning; /* the last one that is not housekeeping of an exit */
	bool is_exec; /* the exit is one into another program */
};

static bool starts_exec(const struct taf_past *p)
{
	struct taf_crumb_line line;
	char call[16];

	return taf_past_line(p, &line) && taf_crumb_text(&line, TAF_KEY_CALL, call, sizeof(call)) &&
	       (taf_starts(call, "exec") || taf_starts(call, "fexec"));
}

/* An error that ended nobody: no last word, and none that stands before another. */
static bool is_remark(const struct taf_past *p)
{
	struct taf_crumb_line line;
	char class[40];

	return p->kind == TAF_ERROR && taf_past_line(p, &line) &&
	       taf_crumb_text(&line, TAF_KEY_CLASS, class, sizeof(class)) &&
	       taf_class_is_remark(class);
}

/* An exec that failed: the process went on to use the engine again. */
static void void_exit(struct words *w)
{
	w->exit_begin = w->exit_end = 0;
	w->is_exec = false;
}

static void find_words(const struct taf_trail *t, struct words *w)
{
	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];
		size_t n = i + 1;

		if (i && p->image != t->past[i - 1].image)
			*w = (struct words){ .from = i };
		if (w->is_exec &&
		    (p->kind == TAF_LOAD || p->kind == TAF_OPEN || p->kind == TAF_INFER) &&
		    p->phase == TAF_BEGIN)
			void_exit(w);
		w->last = n;
		if (is_remark(p))
			continue;
		if (p->kind != TAF_EXIT && p->kind != TAF_EXEC && p->kind != TAF_DRAIN &&
		    p->kind != TAF_UNLOAD && p->kind != TAF_NOTE && p->kind != TAF_SYNC &&
		    p->kind != TAF_SETTLE)
			w->meaning = n;
		switch (p->kind) {
		case TAF_EXIT:
			if (p->phase == TAF_END)
				w->exit_end = n;
			else
				w->exit_begin = n;
			w->is_exec = w->is_exec || starts_exec(p);
			break;
		case TAF_EXEC:
			/* One that failed has an end. */
			if (p->phase == TAF_BEGIN) {
				w->exit_begin = n;
				w->is_exec = true;
			} else if (p->phase == TAF_END) {
				void_exit(w);
			}
			break;
		case TAF_SIGNAL: w->signal = n; break;
		case TAF_ERROR: w->error = n; break;
		case TAF_REFUSE: w->refuse = n; break;
		case TAF_HOLD: w->hold = n; break;
		default: break;
		}
	}
}

static enum taf_ended of_signal(int signal)
{
	switch (signal) {
	case SIGKILL: return TAF_ENDED_KILLED;
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS: return TAF_ENDED_CRASH;
	default: return TAF_ENDED_SIGNAL;
	}
}

static enum taf_ended by_signal(struct taf_story *s, int64_t signal)
{
	s->signal = signal > 0 && signal < NSIG ? (int)signal : 0;
	return of_signal(s->signal);
}

/* What a record of a signal is about. */
static int signal_of(const struct taf_past *p)
{
	struct taf_crumb_line line;
	char name[64] = "";
	int64_t rc;

	if (!taf_past_line(p, &line))
		return 0;
	if (taf_crumb_i64(&line, TAF_KEY_RC, &rc) && rc > 0 && rc < NSIG)
		return (int)rc;
	taf_crumb_text(&line, TAF_KEY_CALL, name, sizeof(name));
	if (!taf_signal_in(name))
		taf_crumb_text(&line, TAF_KEY_MSG, name, sizeof(name));
	return taf_signal_in(name);
}

/* Ended with a status: who wanted it so? */
static enum taf_ended by_status(struct taf_story *s, const struct taf_trail *t,
				const struct words *w)
{
	int signal = w->signal ? signal_of(&t->past[w->signal - 1]) : 0;

	if (!s->rc)
		return TAF_ENDED_CLEAN;
	if (w->refuse && w->refuse == w->meaning)
		return TAF_ENDED_REFUSED;
	if ((w->hold && w->hold == w->meaning) || (taf_trail_is_run(t) && s->rc == STATUS_HELD))
		return TAF_ENDED_HELD;
	if (signal && s->rc == 128 + signal)
		return by_signal(s, signal);
	return TAF_ENDED_NONZERO;
}

/* The session's own exit record. */
static enum taf_ended by_exit(struct taf_story *s, const struct taf_trail *t, const struct words *w)
{
	const struct taf_past *p = &t->past[(w->exit_end ? w->exit_end : w->exit_begin) - 1];
	struct taf_crumb_line line;
	char call[32] = "";

	s->has_exit = true;
	s->end_ns = p->mono_ns;
	if (w->exit_begin && taf_past_line(&t->past[w->exit_begin - 1], &line)) {
		taf_crumb_text(&line, TAF_KEY_CALL, call, sizeof(call));
		s->has_rc = taf_crumb_i64(&line, TAF_KEY_RC, &s->rc);
	}
	if (taf_past_line(p, &line) && taf_crumb_has(&line, TAF_KEY_RC))
		s->has_rc = taf_crumb_i64(&line, TAF_KEY_RC, &s->rc);
	if (w->is_exec) {
		s->became_other = true;
		return TAF_ENDED_CLEAN;
	}
	if (!strcmp(call, "abort"))
		return by_signal(s, SIGABRT);
	if (s->has_rc && s->rc < 0)
		return by_signal(s, -s->rc);
	if (s->has_rc && !taf_trail_is_run(t))
		s->rc &= 0xff; /* what a parent would see */
	return by_status(s, t, w);
}

enum taf_ended taf_story_silence(struct taf_story *s, const struct taf_trail *t,
				 const struct taf_world *world)
{
	bool is_this_boot = !strcmp(t->boot, world->boot);
	struct words words, *w = &words;

	find_words(t, w);
	if (!is_this_boot && t->machine[0] && world->machine[0] &&
	    strcmp(t->machine, world->machine) != 0)
		return TAF_ENDED_UNKNOWN;
	if (is_this_boot && t->pid_ns && world->pid_ns && t->pid_ns != world->pid_ns)
		return TAF_ENDED_UNKNOWN;
	if (is_this_boot || !s->n_open) {
		if (w->signal && w->signal == w->meaning)
			return by_signal(s, signal_of(&t->past[w->signal - 1]));
		if (w->error && w->error == w->meaning)
			return TAF_ENDED_CRASH;
	}
	return is_this_boot ? TAF_ENDED_KILLED : TAF_ENDED_MACHINE_DOWN;
}

enum taf_ended taf_story_judge(struct taf_story *s, const struct taf_trail *t,
			       const struct taf_ending *end)
{
	enum taf_ended verdict = TAF_ENDED_UNKNOWN;
	struct words words, *w = &words;

	find_words(t, w);
	if (w->exit_begin || w->exit_end) {
		verdict = by_exit(s, t, w);
		/* A wait of the last drain that never came back is no end. */
		s->end_is_known = w->exit_end || !taf_story_open(s, TAF_DRAIN);
	}
	if (!end->is_known)
		return verdict;
	s->end_is_known = true;
	s->end_ns = end->mono_ns;
	s->has_rc = true;
	s->rc = end->rc;
	if (end->rc < 0)
		return by_signal(s, -end->rc);
	if (verdict == TAF_ENDED_CRASH || verdict == TAF_ENDED_SIGNAL)
		s->signal = 0;
	return by_status(s, t, w);
}
