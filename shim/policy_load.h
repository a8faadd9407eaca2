/* SPDX-License-Identifier: MIT */
/* policy_load.h -- how the policy reaches a guest.
 *
 * The file is searched as the command searches it: TAFFRAIL_POLICY (absolute),
 * XDG_CONFIG_HOME/taffrail/policy.json (else HOME/.config), then
 * /etc/taffrail/policy.json; the first that exists.  Its text is read and
 * hashed; STATE/policy/<hash>.bin, which `taffrail run` or `check --compile`
 * wrote, is that very text compiled and is taken if it is valid.  Else the
 * companion libtaffrail-json.so beside our object compiles it here.  A text
 * that cannot be read falls back to the blob that TAFFRAIL_BLOB names.  What
 * is left is the built-in policy.  TAFFRAIL_SET wins over all, setting by setting; a known
 * program gets what suits it where none of these gives a value.
 */
#ifndef TAF_POLICY_LOAD_H
#define TAF_POLICY_LOAD_H

#include "../policy/event.h"
#include "../policy/policy_blob.h"
#include "../policy/app.h"

enum taf_loaded_from { TAF_LOADED_BUILTIN, TAF_LOADED_BLOB, TAF_LOADED_COMPANION };

struct taf_loaded {
	enum taf_loaded_from from;
	char path[512]; /* of the file, "" when there is none */
	char sha256[TAF_SHA256_HEX];
	int n_bad; /* settings that kept their default */
	enum taf_app program; /* that is known */
	enum taf_role guess; /* what the program looks like */
};

/* Fills rules, in any case with something that can be enforced; why gets one line
 * for each thing that was wrong. */
void taf_policy_load(enum taf_engine engine, struct taf_rules *rules, struct taf_loaded *loaded,
		     struct taf_text *why);

#endif
