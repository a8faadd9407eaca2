/* SPDX-License-Identifier: MIT */
/* guest.h -- the driver's end of a simulated machine: its slot, its queues, its memory.
 *
 * What a process asks of the simulation by its environment:
 *
 *   SIMGPU_DIR           the folder of the machine; without one there is no device
 *   SIMGPU_LATENCY_US    how long a command takes (20)
 *   SIMGPU_OOM_AT=N      the N-th allocation of device memory fails, that one only
 *   SIMGPU_HANG_AT=N     the N-th launch is never done
 *   SIMGPU_ERROR_AT=N:CODE   the N-th launch gives that error
 *   SIMGPU_LOST_AT=N:CODE    from the N-th launch on the device is lost: every call
 *                        gives that error
 *   SIMGPU_CAPTURE=error a synchronize, trim or query of a stream in any thread while a stream is
 *                        being captured gives CUDA's errors; it ends the process otherwise: where
 *                        the program itself makes none, it was injected
 *   SIMGPU_LOG=FILE      one line for each call that is of interest to tests
 */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include <stdbool.h>

#include "machine.h"
#include "status.h"

extern struct sim_machine *sim_machine; /* NULL: not attached */

/* SIM_OK, or why there is no machine. */
int sim_attach(void);
/* SIM_OK where calls may be made: initialised, not torn down, the device there. */
int sim_ready(void);
/* No call is good any more: the process ends. */
void sim_tear_down(void);
void sim_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A queue of a device; SIM_QUEUES many, after which streams share them. */
int sim_queue_open(int device);
void sim_queue_close(int queue);
int sim_queue_device(int queue);
/* Commands take their time one after the other; none begins before not_before_ns.
 * Returns the number to wait for. */
uint64_t sim_submit(int queue, uint64_t commands, uint64_t not_before_ns);
uint64_t sim_submitted(int queue);
uint64_t sim_due_ns(int queue); /* of the last command */
bool sim_is_done(int queue, uint64_t number);
int sim_wait(int queue, uint64_t number);
int sim_wait_device(int device); /* -1: all */
/* The bug: what was prepared is dropped, whatever is in flight. */
void sim_release(const char *by);

/* Before each launch: an injected fault, or SIM_OK. */
int sim_fault_launch(void);
int sim_bytes_take(int device, uint64_t bytes);
void sim_bytes_give(int device, uint64_t bytes);

#endif
