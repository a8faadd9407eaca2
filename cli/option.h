/* SPDX-License-Identifier: MIT */
/* option.h -- one option of a command line. */
#ifndef TAF_OPTION_H
#define TAF_OPTION_H

/* The value of option name ("--state") when argv[*i] is that, as "--state V",
 * where *i steps onto V, or "--state=V"; "" when V is missing; NULL when it is
 * another option. argv is closed by NULL. */
const char *taf_option(char **argv, int *i, const char *name);

/* What is wrong with a word that nobody takes: "there is no option", "unexpected word". */
const char *taf_option_wrong(const char *word);

#endif
