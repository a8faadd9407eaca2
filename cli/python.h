/* SPDX-License-Identifier: MIT */
/* python.h -- the parts of `taffrail python`, also called taffrail-python. */
#ifndef TAF_PYTHON_H
#define TAF_PYTHON_H

#include <limits.h>
#include <stdbool.h>

/* python_hook.c: makes STATE/python-VERSION/sitecustomize.py, by which a Python with that
 * folder in PYTHONPATH refuses the imports of gpu_modules.def while TAFFRAIL_HOLD is in
 * force. 0 or -errno; dir gets the folder. */
int taf_python_hook(char dir[PATH_MAX]);

#endif
