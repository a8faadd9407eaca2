/* SPDX-License-Identifier: MIT */
/* rows.c -- every entry point that taffrail watches and this simulation does not act out.
 *
 * Made of the rows of a table (SIM_ROWS); each says "not supported".  They are weak:
 * one that is written by hand takes its place by being there. */
#include "../../hooks/abi/cuda.h"
#include "../../hooks/none.h"
#include "status.h"

#ifndef SIM_ROWS
#define SIM_ROWS "../../hooks/cuda.def"
#endif

#define WEAK __attribute__((weak, visibility("default")))
#define ANSWER(ret, name, params) \
	WEAK ret name params; \
	ret name params \
	{ \
		return (ret)SIM_NO_WAY; \
	}

#undef HOOK
#undef OWN
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ANSWER(ret, name, params)
#define OWN(ret, name, params, args, kind, refuse, doc) ANSWER(ret, name, params)
#define CALL(ret, name, params, doc) ANSWER(ret, name, params)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include SIM_ROWS
