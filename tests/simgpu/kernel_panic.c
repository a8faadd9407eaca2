/* SPDX-License-Identifier: MIT */
/* kernel_panic.c -- a simulated panic: what a macOS report of the real bug looks like,
 * the end of everybody who is on the machine, and the next boot. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

static char boot_id[40];

static void put_file(const char *name, const char *text)
{
	char aside[64];
	int fd;

	snprintf(aside, sizeof(aside), ".%s.new", name);
	fd = openat(sim_dir, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror("simgpu-kernel: write");
	close(fd);
	renameat(sim_dir, aside, sim_dir, name);
}

void sim_new_boot(void)
{
	unsigned char b[16];
	char line[48];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		memset(b, (int)getpid(), sizeof(b));
	snprintf(boot_id, sizeof(boot_id),
		 "%02X%02X%02X%02X-%02X%02X-4%X%02X-A%X%02X-%02X%02X%02X%02X%02X%02X", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	snprintf(line, sizeof(line), "%s\n", boot_id);
	put_file("boot_id", line);
}

static void write_report(int slot)
{
	char name[32], text[1024];
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(name, sizeof(name), "panic-%u.panic", atomic_load(&sim_machine->panics) + 1);
	snprintf(text, sizeof(text),
		 "panic(cpu 0 caller 0xfffffe0000000000): \"completeMemory() prepare count "
		 "underflow\" @IOGPUMemory.cpp:550\n"
		 "Debugger message: panic\n"
		 "OS version: none (simgpu: a simulation, no real machine panicked)\n"
		 "Boot session UUID: %s\n"
		 "Epoch Time:        sec       usec\n"
		 "  Calendar: 0x%llx 0x%08lx\n"
		 "Panicked task 0x%x: 1 pages, 1 threads: pid %d: %s\n"
		 "Kernel Extensions in backtrace:\n"
		 "   com.apple.iokit.IOGPUFamily(0.0)\n",
		 boot_id, (long long)t.tv_sec, t.tv_nsec / 1000, slot + 1,
		 atomic_load(&sim_machine->guests[slot].pid), sim_served[slot].name);
	put_file(name, text);
}

/* Gone for good: a dying process may still write to its slot. */
static void kill_guest(int slot)
{
	struct pollfd p = { .fd = sim_served[slot].pidfd, .events = POLLIN };

	if (syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0) && errno == ESRCH)
		return;
	poll(&p, 1, 2000);
}

/* Nobody is gone from the machine before all of it has been said. */
void sim_panic(int slot)
{
	write_report(slot);
	atomic_fetch_add(&sim_machine->panics, 1);
	for (int i = 0; i < SIM_GUESTS; i++)
		if (atomic_load(&sim_machine->guests[i].pid))
			kill_guest(i);
	sim_new_boot();
	for (int i = 0; i < SIM_GUESTS; i++)
		if (atomic_load(&sim_machine->guests[i].pid))
			sim_forget(i);
}
