/* SPDX-License-Identifier: MIT */
/* story.h -- what became of one session, and where it was when it ended.
 *
 * Sources, the surest first:
 *   the record of `taffrail run`, which waited for the process   taf_ending_find
 *   the session's own last records                               verdict.c
 *   the ring, which outlives the process but not the kernel      ringside.c
 *   the process table of this boot                               world->is_alive
 *
 * Ages are counted back from the end of the process where that is known, else
 * from its last sign of life (end_is_known says which), else, while it lives,
 * from now.
 *
 * The end of a generation is inferred, as no thread of the guest waits for it:
 * with no call open in any lane and the last submit longer ago than
 * drain.idle_ms of its policy, an open INFER counts as ended then.  Without a ring it is open.
 */
#ifndef TAF_STORY_H
#define TAF_STORY_H

#include "../shim/ring_read.h"
#include "busy.h"
#include "sessions.h"

#define TAF_OPEN_MAX 128
#define TAF_LAST_MAX 64
#define TAF_LABEL_ROOM 160
#define TAF_ERROR_ROOM 512
#define TAF_STORY_ROOM 1200

enum taf_ended {
	TAF_ENDED_RUNNING,
	TAF_ENDED_CLEAN,
	TAF_ENDED_NONZERO,
	TAF_ENDED_SIGNAL,
	TAF_ENDED_KILLED,
	TAF_ENDED_CRASH,
	TAF_ENDED_HELD,
	TAF_ENDED_REFUSED,
	TAF_ENDED_MACHINE_DOWN,
	TAF_ENDED_UNKNOWN,
};

/* How `run` saw its guest end. */
struct taf_ending {
	bool is_known;
	int64_t rc; /* status, or -signal */
	uint64_t mono_ns;
};

/* A call or phase that has begun and not ended. */
struct taf_open_begin {
	int kind; /* enum taf_kind; -1: unknown */
	uint8_t engine;
	int32_t tid;
	uint64_t since_ns, age_ms;
	bool is_ring; /* known from the ring alone */
	char call[TAF_LABEL_ROOM], model[TAF_LABEL_ROOM], msg[TAF_LABEL_ROOM];
	char rule[TAF_LABEL_ROOM]; /* of a wait */
	uint64_t have_ms, need_ms; /* of a wait that compares times; need_ms 0: it does not */
};

struct taf_last_thing {
	int32_t tid;
	int kind, phase;
	uint8_t engine;
	uint64_t mono_ns, age_ms;
	bool is_inside; /* the call has not come back */
	char call[TAF_LABEL_ROOM];
};

/* The oldest submission that is not known to be done: nothing waited for the
 * device since, or the call that makes it has not come back (is_inside). */
struct taf_oldest {
	bool is_known, is_inside;
	uint64_t since_ns, age_ms, behind; /* behind: submissions after it */
	bool is_whole; /* the records go back to the first submission, or to a wait */
	uint8_t engine;
	char call[TAF_LABEL_ROOM], label[TAF_LABEL_ROOM];
};

/* An evaluation of MLX waits by itself, for what it was asked for: of what else was begun it
 * says nothing. */
bool taf_engine_waits(uint32_t engines);
/* What is known of the oldest one. */
const char *taf_oldest_text(const struct taf_oldest *o);

/* How a generation stood when the exit began that closed it. */
enum taf_cut {
	TAF_CUT_NONE,
	TAF_CUT_OVER, /* its thread did nothing more */
	TAF_CUT_BETWEEN, /* its last call had come back; whether more was to come nobody knows */
	TAF_CUT_INSIDE, /* a call of it had not come back, or came next */
};

struct taf_story {
	enum taf_ended verdict;
	bool is_alive, has_ring, has_rc, became_other, has_exit, is_leaving, end_is_known,
		infer_end_inferred;
	int64_t rc;
	int signal; /* 0: none */
	uint64_t end_ns; /* or the last sign of life, or now */
	struct taf_busy infer_time, ended_time; /* of all, and of those whose end is a record */
	uint64_t infers_ended; /* their ends are records */
	uint64_t infers_inferred, infers_idle_ns; /* from when on they were idle, by the ring */
	uint64_t infers_at_once; /* the most, at least */
	uint64_t infers_empty; /* bursts of which nothing ran; they are not among infers */
	uint64_t infers_waited, infers_unwaited; /* bursts: whether the program waited for them */
	uint64_t loads, infers, submits, tokens, drains, drains_missed, dropped;
	uint64_t drains_uncleared; /* of the missed: only the caches were left */
	uint64_t drains_failed; /* of the missed: they had begun, and are among drains */
	uint64_t evals; /* of submits: evaluations of which nothing says that they were tokens */
	uint64_t drain_us, drain_max_us;
	uint64_t last_infer_ns; /* end of the latest generation that ended */
	uint64_t open_submits; /* done in the generation that is open */
	bool open_submits_known;
	uint32_t engines; /* bit a engine */
	char model[TAF_LABEL_ROOM],
		last_model[TAF_LABEL_ROOM]; /* last_model: of the latest load or generation */
	char error[TAF_ERROR_ROOM], error_class[32]; /* the latest failure */
	const char *advice; /* for its class, where the record had it; NULL: none */
	bool is_outside; /* in the end no call was inside the engine, by the ring or the mark */
	bool is_error; /* it is no mere answer to an allocation */
	char missed[TAF_LABEL_ROOM]; /* what came of the last drain; "": it was made */
	bool was_terminated; /* by the watch of its run */
	char watch_rule[32];
	char rule[TAF_LABEL_ROOM], ring[TAF_PATH_MAX], label[TAF_LABEL_ROOM];
	enum taf_cut cut_how;
	struct taf_open_begin cut; /* the generation that the way out has closed */
	uint64_t cut_gap_ms; /* how long before that its last call had come back */
	struct taf_open_begin open[TAF_OPEN_MAX]; /* the oldest first */
	size_t n_open;
	uint64_t infers_unlisted; /* open as well: there was no room for them */
	struct taf_last_thing last[TAF_LAST_MAX]; /* the latest first */
	size_t n_last;
	struct taf_oldest oldest;
	struct taf_ring_holding devices[TAF_RING_DEVICES]; /* as the ring has them */
	size_t n_devices;
	struct taf_tally_seen tallies[TAF_RING_TALLIES]; /* of the ring, else of the notes */
	size_t n_tallies;
	char text[TAF_STORY_ROOM];
};

const char *taf_ended_name(enum taf_ended verdict);
/* How bad it is: what `report` shows first. */
int taf_ended_weight(enum taf_ended verdict);
/* runner is loaded; NULL: none. */
void taf_ending_find(const struct taf_trail *trail, const struct taf_trail *runner,
		     struct taf_ending *end);
/* trail is loaded. */
void taf_story_tell(struct taf_story *s, const struct taf_trail *trail,
		    const struct taf_trail *runner, const struct taf_world *w);

/* verdict.c: by the records and by what run saw; end_is_known tells whether that was enough. */
enum taf_ended taf_story_judge(struct taf_story *s, const struct taf_trail *trail,
			       const struct taf_ending *end);
/* verdict.c: the process is gone and nothing says how. */
enum taf_ended taf_story_silence(struct taf_story *s, const struct taf_trail *trail,
				 const struct taf_world *w);
/* ringside.c: joins what the ring knows. False: there is none for this session. */
bool taf_story_join_ring(struct taf_story *s, const struct taf_trail *trail,
			 const struct taf_world *w);
/* story_infer.c: one record of a generation. */
void taf_story_count_infer(struct taf_story *s, const struct taf_past *p,
			   const struct taf_crumb_line *line);
/* story_infer.c: how long they took, when it is known which are open and when it ended. */
void taf_story_time_infers(struct taf_story *s, const struct taf_trail *trail);
/* story_cut.c: the generation that an exit of this session has closed. */
void taf_story_find_cut(struct taf_story *s, const struct taf_trail *trail);
/* story_text.c: fills s->text. */
void taf_story_word(struct taf_story *s, const struct taf_trail *trail);
/* What the thread did last, made when there is none yet; NULL: no room. */
struct taf_last_thing *taf_story_last_of(struct taf_story *s, int32_t tid);
void taf_story_add_open(struct taf_story *s, const struct taf_open_begin *o);
/* Whether that is the end of a burst of which each submit failed, or was only captured. */
bool taf_story_is_empty(const struct taf_past *p, const struct taf_crumb_line *line);
/* Whether it was seen at GPU runtimes alone, which know of no models and no generations. */
bool taf_story_is_bare(const struct taf_story *s);
/* Whether the generation that is open may have been answered: it counts as open until nothing
 * has come for idle_ms. */
bool taf_story_may_be_over(const struct taf_story *s);
/* The oldest begin of that kind that is open, or NULL. */
const struct taf_open_begin *taf_story_open(const struct taf_story *s, enum taf_kind kind);
/* How many there are. */
size_t taf_story_count_open(const struct taf_story *s, enum taf_kind kind);

#endif
