/* SPDX-License-Identifier: MIT */
/* importable.h -- engines that a Python would import: libraries that it does not link.
 *
 * Looked for where the interpreter looks: PYTHONPATH, the folders beside it, and those of the
 * system and the user unless it is of a virtual environment.  Nothing is started, so what
 * the program itself adds to its path is not known. */
#ifndef TAF_CLI_IMPORTABLE_H
#define TAF_CLI_IMPORTABLE_H

#include <limits.h>
#include <stdbool.h>

/* python: as it is started, links not followed. False: it is none, or has no MLX. */
bool taf_importable_mlx(const char *python, char path[PATH_MAX]);

#endif
