/* SPDX-License-Identifier: MIT */
/* child.h -- asks another program something, and never for long. */
#ifndef TAF_CHILD_H
#define TAF_CHILD_H

#include <stddef.h>

/* Runs argv[0], searched for in PATH, without input and with its errors thrown away;
 * what it prints goes to buf, closed by a NUL and cut to room. After ms milliseconds
 * it is killed. Its exit status, or -errno; -ETIMEDOUT when it was killed. */
int taf_child_read(char *const *argv, int ms, char *buf, size_t room);

#endif
