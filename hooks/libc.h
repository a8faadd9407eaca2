/* SPDX-License-Identifier: MIT */
/* libc.h -- what the tables of the C library share. */
#ifndef TAF_LIBC_H
#define TAF_LIBC_H

#include "hook.h"

#define TAF_ENGINE TAF_ENGINE_LIBC
#define TAF_OPS NULL
#define TAF_STATUS(r) TAF_STATUS_OF(r)

/* The C library is one: who calls does not matter. */
#undef REAL
#define REAL(name) ((name##_fn *)taf_real_fixed(TAF_SELF, ROW_##name))
/* Where an entry in assembly jumps on to. */
#define NEXT(name) taf_real_fixed(TAF_SELF, ROW_##name)

#endif
