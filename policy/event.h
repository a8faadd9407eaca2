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
	TAF_ENGINE_COUNT
};

const char *taf_kind_name(enum taf_kind kind); /* lower case: "load" */
const char *taf_kind_text(enum taf_kind kind);
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
	TAF_DRAIN_TRIM = 2 /* then clear the cache */
};

struct taf_event {
	enum taf_kind kind;
	enum taf_phase phase; /* TAF_BEGIN: about to happen; TAF_END: it did */
	enum taf_engine engine;
	bool is_context; /* an UNLOAD of a context, not of a model */
	uint64_t bytes;
};

struct taf_facts {
	uint64_t now_ms; /* boot-relative clock */
	uint32_t contexts_live; /* contexts that could hold work */
	uint32_t models_live;
	uint32_t submits_since_sync; /* of the context at hand */
	uint64_t idle_ms; /* since the last submit of the process */
	bool is_leaving;
};

struct taf_verdict {
	enum taf_action action;
	uint32_t wait_ms;
	unsigned drain; /* enum taf_drain, or-ed */
	int rule; /* row number in rules.def; -1: none */
	int drain_rule; /* which row asked for the drain; -1: none */
};

#endif
