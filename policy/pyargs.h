/* SPDX-License-Identifier: MIT */
/* pyargs.h -- what a command line of Python will run.
 *
 * Options end at -c, -m, the first word that is none, or "--".  Letters may be
 * joined ("-Bum module"), and a value may stand behind its letter ("-mmodule").
 * An unknown option is taken for one without a value, as Python will refuse it.
 */
#ifndef TAF_PYARGS_H
#define TAF_PYARGS_H

#include "text.h"

struct taf_pyargs {
	const char *module; /* of -m; NULL: none */
	const char *script; /* a file, or "-" for the input; NULL: none */
	bool has_command; /* -c */
	bool ignores_env; /* -E or -I: PYTHONPATH counts for nothing */
	bool skips_user; /* -s or -I: the folder of the user counts for nothing */
	bool skips_site; /* -S: nothing is run before the program, and no packages */
	bool only_tells; /* -V, -h and their like: no code of the user is run */
	int next; /* the word behind module or script */
};

/* argv[0] is the interpreter; a word that is NULL ends the list. */
void taf_pyargs_read(int argc, const char *const *argv, struct taf_pyargs *a);

#endif
