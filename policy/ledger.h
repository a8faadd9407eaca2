/* SPDX-License-Identifier: MIT */
/* ledger.h -- what is remembered across processes, reboots and panics.
 *
 * Plain data, without pointers, as the rules see it.  The shell reads it from
 * the state directory and writes it back under one lock (shim/share.h says in
 * what form); the rules only look.  Tables are fixed; what falls out of them is
 * the oldest, and shim/share.c says which limits of rules.def keep that harmless.
 */
#ifndef TAF_LEDGER_H
#define TAF_LEDGER_H

#include "event.h"

#define TAF_LEDGER_ID 128 /* of a model: TAF_MODEL_ID */
#define TAF_LEDGER_MODELS 512
#define TAF_LEDGER_EVENTS 256
#define TAF_LEDGER_CURSORS 16
#define TAF_LEDGER_KEEP_MS (4ull * TAF_HOUR_MS) /* stamps of models are kept at least so long */

/* When a model was last brought in, computed with, given up. */
struct taf_ledger_model {
	char id[TAF_LEDGER_ID]; /* canonical */
	struct taf_moment load, infer, unload;
	uint64_t bytes; /* that it held when it was given up, with its caches */
};

/* How far the harm of an event reaches: gpu.md 4, "Severity -> gate". */
enum taf_severity {
	TAF_SEVERITY_NONE, /* not counted at all */
	TAF_SEVERITY_NOTE, /* a remark */
	TAF_SEVERITY_PROCESS, /* this process and this model */
	TAF_SEVERITY_DEVICE, /* this GPU, until it was reset */
	TAF_SEVERITY_MACHINE, /* this machine, until it was started again */
	TAF_SEVERITY_PANIC, /* the kernel went down */
};

/* Something that went wrong: one entry an event, however many files tell of it. */
struct taf_ledger_event {
	struct taf_moment at; /* when it happened; boot is the boot it happened in */
	struct taf_moment seen; /* when it was noted: it cannot be younger than that */
	uint64_t machine; /* taf_boot_key of the machine id; 0: the one that notes it */
	uint8_t severity; /* enum taf_severity, as classified; cooldown.classes overrides */
	bool is_suspected; /* a dirty boot that no report confirms */
	bool is_abort; /* a guest died of SIGABRT, SIGSEGV or SIGBUS, or its engine failed */
	bool is_elsewhere; /* of another machine that shares this state directory */
	bool is_unsaved; /* new or changed since the store was read; share.c clears it */
	bool is_stored; /* the store knows some form of it; share.c sets it */
	int32_t pid; /* 0: unknown */
	char class[40]; /* "iogpu_prepare_count_underflow", "xid_79" */
	char source[24]; /* "panic_file", "pstore", "journal", "kmsg", "crumbs", "dirty_boot" */
	char device[24]; /* "0000:01:00.0"; "": unknown */
	char model[TAF_LEDGER_ID]; /* "": unknown */
};

/* How far a source was read: two numbers of the reader's choice. */
struct taf_ledger_cursor {
	char name[24]; /* "dirty_boot", "pstore"; "": free */
	uint64_t a, b;
};

struct taf_ledger {
	uint32_t n_models, n_events;
	bool is_blind; /* some source of evidence could not be read */
	char blind[96]; /* which */
	/* The file of a damaged state that may have held what a person said; "": none. */
	char lost[64];
	struct taf_moment ack; /* somebody looked at what happened; not set: nobody */
	struct taf_ledger_hold {
		struct taf_moment set;
		uint64_t for_ms; /* 0: there is none, or it was lifted when set says */
		char why[64];
	} hold; /* by hand: `taffrail hold` */
	struct taf_ledger_breaker {
		struct taf_moment opened;
		uint64_t for_ms; /* 0: closed, by hand when opened says so */
		uint32_t count; /* of panics that opened it */
	} breaker;
	struct taf_ledger_cursor cursor[TAF_LEDGER_CURSORS];
	struct taf_ledger_model model[TAF_LEDGER_MODELS];
	struct taf_ledger_event event[TAF_LEDGER_EVENTS]; /* in the order of being noted */
};

/* What happened with a model. */
struct taf_ledger_stamp {
	const char *id; /* canonical */
	enum taf_kind kind; /* TAF_LOAD, TAF_INFER or TAF_UNLOAD */
	struct taf_moment now;
	uint64_t bytes; /* of an unload: what it held; 0: unknown */
	uint64_t keep_ms; /* the longest interval that a rule may ask about */
};

/* Whether two canonical ids name one model: what stands behind '@' does not count. */
bool taf_ledger_same(const char *a, const char *b);
/* The entry of that model, or NULL. */
const struct taf_ledger_model *taf_ledger_model_of(const struct taf_ledger *l, const char *id);
/* Notes the stamp, after what is older than TAF_LEDGER_KEEP_MS and keep_ms was
 * dropped; where there is no room the model that was idle longest goes. An id that
 * is NULL or empty is not noted. */
void taf_ledger_mark(struct taf_ledger *l, const struct taf_ledger_stamp *s);

/* The load of that model at is was none: was is its time again. Nothing where another load
 * has been noted since. */
void taf_ledger_unmark(struct taf_ledger *l, const char *id, const struct taf_moment *is,
		       const struct taf_moment *was);

/* What has room of its own among the events. */
enum taf_ledger_group { TAF_LEDGER_PANIC, TAF_LEDGER_ABORT, TAF_LEDGER_ERROR, TAF_LEDGER_GROUPS };

extern const uint32_t taf_ledger_room[TAF_LEDGER_GROUPS];
enum taf_ledger_group taf_ledger_group_of(const struct taf_ledger_event *e);

enum taf_noted {
	TAF_NOTED_KNOWN, /* it was there, and says nothing new */
	TAF_NOTED_MERGED, /* it was there, and says more now: a surmise was confirmed */
	TAF_NOTED_NEW,
};

/* Whether both tell of the same event. */
bool taf_ledger_is_one(const struct taf_ledger_event *a, const struct taf_ledger_event *b);
/* Enters an event once, whoever tells of it and how often: ledger.c says which are one. */
enum taf_noted taf_ledger_note(struct taf_ledger *l, const struct taf_ledger_event *e);
/* The same for what a store tells of an event that it told before: the later word counts. */
void taf_ledger_retell(struct taf_ledger *l, const struct taf_ledger_event *e);
/* How long ago it happened: never less than since it was noted. */
static inline uint64_t taf_ledger_age_ms(const struct taf_ledger_event *e,
					 const struct taf_moment *now)
{
	uint64_t at = taf_moment_age_ms(&e->at, now), seen = taf_moment_age_ms(&e->seen, now);

	if (!taf_moment_is_set(&e->seen))
		return at;
	return at == UINT64_MAX || seen > at ? seen : at;
}

/* Whether that is longer than ms. Of most events when they were noted says enough. */
static inline bool taf_ledger_is_older(const struct taf_ledger_event *e,
				       const struct taf_moment *now, uint64_t ms)
{
	uint64_t seen = taf_moment_age_ms(&e->seen, now);

	return (seen > ms && seen != UINT64_MAX) || taf_ledger_age_ms(e, now) > ms;
}

/* The cursor of that name, or NULL. */
const struct taf_ledger_cursor *taf_ledger_cursor_of(const struct taf_ledger *l, const char *name);
/* Sets it; false when there is no room for one more. */
bool taf_ledger_cursor_set(struct taf_ledger *l, const char *name, uint64_t a, uint64_t b);

#endif
