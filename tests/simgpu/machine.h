/* SPDX-License-Identifier: MIT */
/* machine.h -- a simulated machine with GPUs: what its kernel and its guests share.
 *
 * Everything in this folder is a simulation: no kernel is executed, no real device
 * is touched, and what panics is a file.  It exists to show on any machine what a
 * driver with the accounting bug of the reports does to programs that leave work
 * in flight, and to run release binaries without a GPU.
 *
 *   SIMGPU_DIR/machine   struct sim_machine, mapped by the kernel and all guests
 *   SIMGPU_DIR/socket    who connects is a guest; gets the number of its slot
 *   SIMGPU_DIR/boot_id   changes with every simulated panic
 *   SIMGPU_DIR/panic-N.panic   one a panic, in the text form of macOS
 *
 * The kernel is a process of its own, simgpu-kernel, and outlives its guests:
 *
 *   simgpu-kernel DIR    goes to the background once it listens
 *     SIMGPU_MEMORY      bytes of each device (8 GiB); SIMGPU_DEVICES (1)
 *     SIMGPU_BUG         underflow (as it is), none: a driver without the bug
 *     SIMGPU_IDLE_S      it ends after so long without a guest (60), and with DIR
 *
 *   simgpu-kernel --await DIR   waits until it has no guest, prints the number of panics
 *
 * A submit prepares the memory of its process (prepared + 1), its completion
 * completes it (prepared - 1).  The bug: a process that dies, frees or trims drops
 * its prepares whether or not commands of it are in flight.  The completion that
 * comes afterwards finds nothing to give back: "prepare count underflow", a panic.
 * Then every guest is killed, the boot id changes and the machine is empty again.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include <stdatomic.h>
#include <stdint.h>

#define SIM_MAGIC 0x75706d6973000003ull
#define SIM_DEVICES 8
#define SIM_GUESTS 16
#define SIM_QUEUES 64
#define SIM_DEPTH 512 /* commands that a queue holds; who submits more waits */
#define SIM_NEVER UINT64_MAX

struct sim_queue {
	_Atomic(uint64_t) submitted; /* by the guest */
	_Atomic(uint64_t) completed; /* by the kernel */
	_Atomic(uint32_t) bell; /* a futex; changes with completed */
	_Atomic(uint32_t) waiters;
	_Atomic(uint64_t) due_ns[SIM_DEPTH]; /* CLOCK_MONOTONIC */
};

struct sim_guest {
	_Atomic(int32_t) pid; /* 0: free */
	_Atomic(int64_t) prepared;
	_Atomic(uint64_t) bytes[SIM_DEVICES];
	struct sim_queue queues[SIM_QUEUES];
};

struct sim_machine {
	uint64_t magic;
	int32_t kernel_pid;
	int32_t devices;
	int32_t has_bug;
	uint64_t capacity;
	_Atomic(uint64_t) used[SIM_DEVICES];
	_Atomic(uint64_t)
		sleeps_until; /* the kernel; 0: it is awake. Who submits for earlier rings */
	_Atomic(uint32_t) panics;
	struct sim_guest guests[SIM_GUESTS];
};

#endif
