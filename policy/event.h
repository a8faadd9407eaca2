/* SPDX-License-Identifier: MIT */
/* event.h -- the vocabulary: kinds, engines, events, facts, verdicts.
 *
 * An event is what the program is about to do, facts are what the rules may
 * know about the world, the past is what one process remembers, a verdict is
 * what the rules say.  All are plain data; policy/ reads no clock and no file.
 */
#ifndef TAF_EVENT_H
#define TAF_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stamp.h"

enum taf_kind {
#define KIND(NAME, name, durability, text) TAF_##NAME,
#include "kinds.def"
#undef KIND
	TAF_KIND_COUNT
};

enum taf_durability { TAF_KEEP_NONE, TAF_KEEP_RING, TAF_KEEP_LOG, TAF_KEEP_SYNC };

enum taf_phase { TAF_MARK, TAF_BEGIN, TAF_END };

/* Whose entry point it is: the hook table's name. The order is part of the ring's format. */
enum taf_engine {
	TAF_ENGINE_NONE,
	TAF_ENGINE_LIBC,
	TAF_ENGINE_LLAMA,
	TAF_ENGINE_GGML,
	TAF_ENGINE_MLX,
	TAF_ENGINE_MLXC,
	TAF_ENGINE_CUDA,
	TAF_ENGINE_CUDART,
	TAF_ENGINE_HIP,
	TAF_ENGINE_OPENCL,
	TAF_ENGINE_VULKAN,
	TAF_ENGINE_LEVEL0,
	TAF_ENGINE_METAL,
	TAF_ENGINE_WHISPER,
	TAF_ENGINE_SD,
	TAF_ENGINE_DS4,
	TAF_ENGINE_COUNT
};

const char *taf_kind_name(enum taf_kind kind); /* lower case: "load" */
enum taf_durability taf_kind_durability(enum taf_kind kind);
/* The kind of that lower-case name, or -1. */
int taf_kind_of(const char *name);
const char *taf_phase_name(enum taf_phase phase); /* "begin" "end" "mark" */
const char *taf_engine_name(enum taf_engine engine); /* "" for none */
int taf_engine_of(const char *name); /* or -1 */

enum taf_action { TAF_ACT_ALLOW, TAF_ACT_WARN, TAF_ACT_WAIT, TAF_ACT_REFUSE };

/* What a verdict asks to be done to the device, or-ed. */
enum taf_drain {
	TAF_DRAIN_SYNC = 1, /* synchronize */
	TAF_DRAIN_TRIM = 2, /* then clear the cache */
	TAF_DRAIN_IDLE = 4 /* only where no thread is in the engine: nobody is waited for */
};

/* Where the bytes of a LOAD come from. */
enum taf_basis {
	TAF_BASIS_UNKNOWN,
	TAF_BASIS_NAME, /* guessed from the model's name */
	TAF_BASIS_FILES, /* sizes of files whose headers could not be read */
	TAF_BASIS_HEADERS, /* of the files themselves */
};

struct taf_event {
	enum taf_kind kind;
	enum taf_phase phase; /* TAF_BEGIN: about to happen; TAF_END: it did */
	enum taf_engine engine;
	bool is_context; /* an UNLOAD of a context, not of a model */
	bool is_companion; /* a LOAD into a load group whose first model passed */
	bool is_first; /* an INFER: the first on its model since that was loaded */
	uint64_t bytes; /* of an allocation; of a LOAD the weights, 0 unknown */
	uint64_t cache_bytes; /* of a LOAD: its cache at the configured context, 0 unknown */
	enum taf_basis basis; /* of the bytes of a LOAD */
	const char *model; /* canonical id; NULL or "": unknown */
};

/* What the shell knows about the GPU lock when it asks. */
enum taf_lock_state {
	TAF_LOCK_UNKNOWN, /* not asked, or it cannot be told */
	TAF_LOCK_OURS, /* this run holds a slot */
	TAF_LOCK_BUSY, /* others hold every slot */
};

/* The registry's verdict on a model: tiers of policy/registry.json. */
enum taf_tier { TAF_TIER_NONE, TAF_TIER_DEGRADATION, TAF_TIER_ABORT, TAF_TIER_PANIC };

/* Warnings about memory that this process has given and that still stand. */
enum taf_told {
	TAF_TOLD_WARN = 1, /* memory.warn */
	TAF_TOLD_CRITICAL = 2, /* memory.critical */
	TAF_TOLD_MIN = 4, /* memory.growth_per_min */
	TAF_TOLD_INFER = 8, /* memory.growth_per_infer */
	TAF_TOLD_LIMIT = 16, /* memory.limit, by an allocation */
	TAF_TOLD_SINGLE = 32, /* memory.max_single_alloc */
};

/* Memory of the device, or of the machine where it is one with it. Bytes; 0: unknown. */
struct taf_memory {
	uint64_t total; /* what all processes may take of it; 0: nothing is known */
	uint64_t free; /* of that, now, whoever has the rest */
	uint64_t own; /* taken by this process, as the shim counts */
	uint64_t growth_per_min; /* of allocations, while models and contexts stay the same */
	uint64_t growth_per_infer; /* likewise, the least of the last three generations */
	uint64_t overhead; /* what a big model needs beside weights and cache */
	uint64_t tier_headroom, tier_growth; /* of a machine of this size: "tier" */
	uint32_t told; /* enum taf_told, or-ed */
};

struct taf_ledger;

struct taf_facts {
	uint64_t now_ms; /* boot-relative clock */
	struct taf_moment now;
	const struct taf_ledger *ledger; /* NULL: not read for this question */
	uint64_t waited_ms; /* so far, at this door, for this call */
	uint32_t contexts_live; /* contexts that could hold work */
	uint32_t models_live;
	uint32_t submits_since_sync; /* of the context at hand */
	uint32_t submit_window; /* how many of them drain.window allows; 0: drain.every_submits */
	uint64_t idle_ms; /* since the last submit of the process */
	uint64_t undrained_ms; /* since the context at hand was drained, or made */
	bool is_leaving;
	bool fits_anyway; /* the user said so, for this run: --fit-anyway */
	enum taf_lock_state lock;
	const char *lock_holder; /* for people: "llama-server (pid 12)"; NULL: unknown */
	enum taf_tier tier; /* of the model at hand */
	const char *tier_why; /* error classes of the hit, static */
	const char *version_hit; /* "mlx 0.31.2 (critical)"; NULL: nothing is known to be bad */
	struct taf_memory memory;
	uint64_t infers; /* generations of this process */
	uint64_t resources, resource_limit; /* live, and the driver's limit; 0: unknown */
	uint64_t footprint; /* bytes of this process; 0: unknown */
	uint64_t uptime_ms; /* since it became active */
	bool has_failed; /* a computation of this process failed, and poisoned it */
};

/* What an answer compares. */
enum taf_unit { TAF_UNIT_NONE, TAF_UNIT_MS, TAF_UNIT_BYTES, TAF_UNIT_COUNT, TAF_UNIT_PCT };

#define TAF_PASS_UNKNOWN UINT64_MAX /* nobody can say when */
#define TAF_ABOUT_ROOM 128

/* What one rule says. */
struct taf_answer {
	enum taf_action action;
	int rule; /* row number in rules.def */
	enum taf_unit unit; /* of have and need */
	uint64_t have, need;
	uint64_t pass_ms; /* until it would be let through, from now */
	uint32_t wait_ms; /* of a WAIT: at least so long before it is asked again */
	/* The other model, the holder, the class; "": nothing more to say. */
	char about[TAF_ABOUT_ROOM];
};

#define TAF_SAID_MAX 16

struct taf_verdict {
	enum taf_action action;
	uint32_t wait_ms;
	unsigned drain; /* enum taf_drain, or-ed */
	int rule; /* row number in rules.def; -1: none */
	int drain_rule; /* which row asked for the drain; -1: none */
	uint32_t n_said;
	struct taf_answer said[TAF_SAID_MAX]; /* each answer above ALLOW; the rest is not set */
};

#endif
