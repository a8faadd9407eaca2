/* SPDX-License-Identifier: MIT */
/* kernel.h -- the parts of simgpu-kernel: whom it serves, and how it panics. */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include <stdbool.h>

#include "machine.h"

/* What the kernel alone knows of a guest. */
struct sim_served {
	int socket, pidfd;
	bool is_dead; /* gone, with commands in flight */
	char name[32];
};

extern struct sim_machine *sim_machine;
extern struct sim_served sim_served[SIM_GUESTS];
extern int sim_dir; /* SIMGPU_DIR, opened */

uint64_t sim_now_ns(void);
/* A slot is empty again: memory given back, nothing in flight. */
void sim_forget(int slot);
void sim_new_boot(void);
/* The machine goes down because of this guest, and comes up again. */
void sim_panic(int slot);

#endif
