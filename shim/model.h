/* SPDX-License-Identifier: MIT */
/* model.h -- which model a process brings in, from the files that it opens.
 *
 *   open hooks -- taf_model_note_open --> table of sets (model.c, no I/O)
 *   whoever needs a name -- taf_model_identify, taf_model_group_read --> headers (model_file.c)
 *
 * A set is one file, or all parts of a split.  A load group is what was opened
 * since the last generation began: draft models, projectors and adapters are
 * loaded one after the other with the model they belong to, so they are one
 * load; the biggest names it.
 *
 *   group n: opens, loads ... -- taf_model_group_close (a generation begins) --> group n + 1
 *
 * A config.json alone is no sign of a model, every library has one: it is not
 * noted, and looked for beside the weights when they are identified.
 */
#ifndef TAF_MODEL_H
#define TAF_MODEL_H

#include "model_id.h"
#include "shape.h"

#define TAF_MODEL_PATH 1024
#define TAF_MODEL_SETS 32

enum taf_model_role { TAF_ROLE_MAIN, TAF_ROLE_DRAFT, TAF_ROLE_MMPROJ, TAF_ROLE_LORA };
enum taf_model_format { TAF_FORMAT_NONE, TAF_FORMAT_GGUF, TAF_FORMAT_SAFETENSORS };

struct taf_model {
	char id[TAF_MODEL_ID]; /* canonical; never empty after taf_model_identify returned 0 */
	char name[64]; /* what the file calls itself; "" */
	char arch[32], quant[24]; /* "llama", "Q4_K_M"; "" unknown */
	char flaw[112]; /* why a header could not be read; "" */
	uint8_t format, role; /* enum taf_model_format, enum taf_model_role */
	bool has_config; /* a config.json lies beside the weights */
	bool is_odd; /* the header has what an engine would refuse */
	bool is_short; /* the file ends before its tensors do */
	uint32_t files, missing; /* parts that exist; that should and do not */
	/* LongRoPE: positions are turned by one of two sets of factors, the other one in a
	 * context with room for more than rope_turn tokens a sequence. */
	bool has_rope_sets;
	uint32_t rope_turn;
	uint32_t layers, heads, context, experts;
	uint64_t bytes; /* of weights, all parts */
	uint64_t largest; /* tensor of those whose headers were read; 0 unknown */
	uint64_t fingerprint; /* of all parts, in any order */
	struct taf_cache cache;
};

struct taf_model_group {
	struct taf_model main; /* the biggest */
	uint64_t bytes; /* of all */
	uint32_t companions; /* besides it, by role: */
	uint32_t by_role[4];
};

/* For every open of every process: compares the end of path, and copies it if
 * it names weights. Async-signal-safe, no I/O; gives up rather than wait. */
void taf_model_note_open(const char *path);
/* By the end of its name. */
bool taf_model_is_weights(const char *path);
/* The number of the load group that is open. */
uint32_t taf_model_group(void);
/* A generation begins: what is opened from now on is another load. */
void taf_model_group_close(void);
/* The i-th set opened in group. False: there is none, or the table is busy. */
bool taf_model_seen(uint32_t group, uint32_t i, char path[TAF_MODEL_PATH]);
struct taf_model_set {
	char path[TAF_MODEL_PATH]; /* of the part opened last */
	uint32_t group;
	bool is_read; /* since then: it is known by which load */
};
/* The i-th of TAF_MODEL_SETS. False: there is none at that place, or the table is busy. */
bool taf_model_set(uint32_t i, struct taf_model_set *out);
/* What lies in that folder, whose name ends in a slash, was loaded; "": in the current one, by
 * a path without a folder; NULL: all that was opened. */
void taf_model_note_read(const char *dir);
/* A fork child has opened nothing. */
void taf_model_forget_all(void);

/* Reads the headers of path, a file or a directory of weights, and of its other
 * parts. 0 or -errno; id, and bytes where the file exists, are filled either way. */
int taf_model_identify(const char *path, struct taf_model *m);
/* All sets of group but restored caches. -ENOENT when no model that can be read was
 * opened in it. */
int taf_model_group_read(uint32_t group, struct taf_model_group *g);
const char *taf_model_role_name(enum taf_model_role role); /* "main" "draft" "mmproj" "lora" */

#endif
