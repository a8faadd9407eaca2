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

#include "../policy/start.h"

/* s->exe: as it is started, links not followed. Options and variables that leave folders out
 * count. False: it is no Python, or has no MLX. */
bool taf_importable_mlx(const struct taf_start *s, char path[PATH_MAX]);
/* Whether the command, if it is one of Python, says that it is for MLX: it is known to be, or
 * runs a module, a script or a text of -c that names it. */
bool taf_importable_is_named(const struct taf_start *s);

#endif
