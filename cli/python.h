/* SPDX-License-Identifier: MIT */
/* python.h -- the parts of `taffrail python`, also called taffrail-python. */
#ifndef TAF_PYTHON_H
#define TAF_PYTHON_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct taf_python_gate {
	bool is_held;
	bool is_broken; /* it could not judge: why says so; held then if cooldown.blind is hold */
	uint64_t until_s; /* UTC of the end of the hold; 0: nobody knows */
	char why[400]; /* one line; "": nothing to say */
};

/* python_gate.c: reads the policy, the state, and what the system has noted meanwhile. */
void taf_python_ask(const char *program, struct taf_python_gate *g);

/* python_hook.c: makes STATE/python-VERSION/sitecustomize.py, by which a Python with that
 * folder in PYTHONPATH refuses the imports of gpu_modules.def while TAFFRAIL_HOLD is in
 * force. 0 or -errno; dir gets the folder. */
int taf_python_hook(char dir[PATH_MAX]);

#endif
