/* SPDX-License-Identifier: MIT */
/* joined.h -- the words of a command as one text, as profiles match them. */
#ifndef TAF_JOINED_H
#define TAF_JOINED_H

/* With blanks between; words ends with NULL and may be NULL. To be freed; NULL: no memory. */
char *taf_joined(char *const *words);

#endif
