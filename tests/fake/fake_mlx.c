/* SPDX-License-Identifier: MIT */
/* fake_mlx.c -- an MLX made of the rows of hooks/mlx.def (fake.h): every spelling of
 * every version at once.  Evaluations take nothing and limits answer 0; what is
 * real about MLX is tested on the real one (tests/engines/mlx). */
#define FAKE_ROWS "../../hooks/mlx.def"
#include <stdbool.h>
#define TAF_STREAM uint64_t
#define TAF_NO_STREAM 0
#include "fake.h"
