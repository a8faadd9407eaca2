/* SPDX-License-Identifier: MIT */
/* say.h -- the one line on stderr that is allowed when the process must stop. */
#ifndef TAF_SAY_H
#define TAF_SAY_H

#include "../policy/text.h"

/* Writes "taffrail: " line "\n" to descriptor 2 in one piece. Control bytes
 * are shown as '?'; a very long line is cut. Needs no stack to speak of. */
void taf_say(const struct taf_text *line);

#endif
