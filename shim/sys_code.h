/* SPDX-License-Identifier: MIT */
/* sys_code.h -- memory that is executed, as sys.h is for the rest: nothing is ever
 * writable and executable at once. 0 or -errno where nothing else is said. */
#ifndef TAF_SYS_CODE_H
#define TAF_SYS_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Anonymous memory at this very place; NULL: the place is taken or refused. */
void *taf_sys_map_at(void *at, size_t n);
/* Readable, and either writable or executable. */
int taf_sys_protect_code(void *p, size_t n, bool is_writable);
/* A private copy of a file from its begin; NULL on failure. */
void *taf_sys_map_copy(int fd, size_t n);
/* Code of a file in the place of what is at p. */
int taf_sys_map_code(void *p, size_t n, int fd, uint64_t from);
/* How many threads this process has; 0: unknown. */
unsigned taf_sys_threads(void);

#endif
