/* SPDX-License-Identifier: MIT */
/* session.h -- what the start record says of this process: program, arguments
 * (secrets masked), policy, routes; and where its log goes. */
#ifndef TAF_SESSION_H
#define TAF_SESSION_H

#include "crumb.h"
#include "policy_load.h"

/* Finds and makes the folders for s by the rules. 0 or -errno and a reason. */
int taf_session_dirs(const struct taf_rules *rules, struct taf_session *s, struct taf_text *why);
/* The extra members of the start record, each beginning with a comma. */
void taf_session_head(const struct taf_loaded *loaded, struct taf_text *out);

#endif
