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

#include "stamp.h"

#define TAF_LEDGER_ID 128 /* of a model: TAF_MODEL_ID */
#define TAF_LEDGER_MODELS 512
#define TAF_LEDGER_EVENTS 256

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
	uint8_t severity; /* enum taf_severity, as classified; cooldown.classes overrides */
	bool is_suspected; /* a dirty boot that no report confirms */
	bool is_abort; /* a guest died of SIGABRT, SIGSEGV or SIGBUS, or its engine failed */
	int32_t pid; /* 0: unknown */
	char class[40]; /* "iogpu_prepare_count_underflow", "xid_79" */
	char source[24]; /* "panic_file", "pstore", "journal", "kmsg", "crumbs", "dirty_boot" */
	char device[24]; /* "0000:01:00.0"; "": unknown */
	char model[TAF_LEDGER_ID]; /* "": unknown */
};

struct taf_ledger {
	uint32_t n_models, n_events;
	bool is_blind; /* some source of evidence could not be read */
	char blind[96]; /* which */
	struct taf_moment ack; /* somebody looked at what happened; not set: nobody */
	struct taf_ledger_hold {
		struct taf_moment set;
		uint64_t for_ms; /* 0: there is none */
		char why[64];
	} hold; /* by hand: `taffrail hold` */
	struct taf_ledger_breaker {
		struct taf_moment opened;
		uint64_t for_ms; /* 0: closed */
		uint32_t count; /* of panics that opened it */
	} breaker;
	struct taf_ledger_model model[TAF_LEDGER_MODELS];
	struct taf_ledger_event event[TAF_LEDGER_EVENTS]; /* in the order of being noted */
};

#endif
