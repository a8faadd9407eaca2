/* SPDX-License-Identifier: MIT */
/* testing.h -- what the tests of the simulated GPU share.
 *
 * Each case has a machine of its own and runs its guests as children, since a driver
 * attaches once in a process.  Settings are given as "NAME=value", ended by NULL. */
#ifndef SIM_TESTING_H
#define SIM_TESTING_H

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "cuda.h"

/* In a guest: ends it, and the case fails. */
#define WANT(is_so) \
	do { \
		if (!(is_so)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #is_so); \
			_exit(1); \
		} \
	} while (0)

typedef void sim_guest_fn(void);

/* A machine in a new folder, which SIMGPU_DIR names from then on. */
void sim_start(const char *const *settings);
void sim_stop(void);
/* Guests: how one ended is its raw wait status. */
pid_t sim_begin(sim_guest_fn *fn, const char *const *settings);
int sim_await(pid_t pid);
int sim_run(sim_guest_fn *fn, const char *const *settings);
/* The same, with a machine as it is by default. */
void sim_good(sim_guest_fn *fn, const char *const *settings);
/* Of the folder of the machine; n is 0 where it is not there. */
size_t sim_read(const char *name, char *text, size_t size);
int sim_panics(void);
/* The kernel's word: true when it has no guest left. */
void sim_until_empty(void);

#endif
