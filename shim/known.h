/* SPDX-License-Identifier: MIT */
/* known.h -- what the registry says about this process: its models and its engines.
 *
 *   taf_known_load      once, while WAKING: the registry in force, the versions
 *   taf_known_model     facts for a load
 *   taf_known_versions  facts for a load or a start
 *   taf_known_told      the warning is in the log: not again
 *
 * models.registry is compiled like a policy is: STATE/registry/<sha256>.bin, else
 * the companion.  One that cannot be used leaves the built-in one in force.
 * The family of the GPU is unknown here, so that every error class of a model counts.
 */
#ifndef TAF_KNOWN_H
#define TAF_KNOWN_H

#include "../policy/event.h"
#include "../policy/registry.h"

/* path: models.registry, "" for the built-in one. why gets one line a trouble. */
void taf_known_load(const char *path, struct taf_text *why);
/* The registry in force; before a load the one that comes along. */
const struct taf_registry *taf_known_registry(void);
/* Fills tier and tier_why for a canonical id. A model whose warning was told has none. */
void taf_known_model(const char *id, struct taf_facts *f);
/* Fills version_hit: the worst of what is loaded. NULL when its warning was told. */
void taf_known_versions(struct taf_facts *f);
/* What the rules said about a load of id (NULL: a start) stands in the log. */
void taf_known_told(const char *id);
/* Whether drain.no_clear names the version of this engine that is loaded. */
bool taf_known_bars_clear(const char *engine);
/* ,"versions":{"llama.cpp":"b7000"} for the head of a session; nothing when none is known. */
void taf_known_put(struct taf_text *out);

#endif
