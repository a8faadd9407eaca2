/* SPDX-License-Identifier: MIT */
/* kernel.c -- simgpu-kernel: the kernel of a simulated machine with GPUs (machine.h).
 *
 * One thread, no lock: it completes what is due, tells who waits, and sleeps until
 * the next command is due, a guest rings, comes or dies.  A guest that submits for a
 * time before sleeps_until rings by a byte on its socket; the kernel looks at the
 * queues once more after it has said until when it sleeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

#define SECOND_NS 1000000000ull

struct sim_machine *sim_machine;
struct sim_served sim_served[SIM_GUESTS];
int sim_dir = -1;

static int listener = -1;

uint64_t sim_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

static void close_served(struct sim_served *s)
{
	if (s->socket >= 0)
		close(s->socket);
	if (s->pidfd >= 0)
		close(s->pidfd);
	*s = (struct sim_served){ .socket = -1, .pidfd = -1 };
}

void sim_forget(int slot)
{
	struct sim_guest *g = &sim_machine->guests[slot];

	for (int d = 0; d < SIM_DEVICES; d++)
		atomic_fetch_sub(&sim_machine->used[d], atomic_exchange(&g->bytes[d], 0));
	for (int i = 0; i < SIM_QUEUES; i++)
		atomic_store(&g->queues[i].completed, atomic_load(&g->queues[i].submitted));
	atomic_store(&g->prepared, 0);
	close_served(&sim_served[slot]);
	atomic_store(&g->pid, 0);
}

static bool has_pending(const struct sim_guest *g)
{
	for (int i = 0; i < SIM_QUEUES; i++)
		if (atomic_load(&g->queues[i].submitted) != atomic_load(&g->queues[i].completed))
			return true;
	return false;
}

/* Its memory is taken apart at once, whatever is in flight: that is the bug. What
 * hangs is ended with its process. */
static void guest_died(int slot)
{
	struct sim_guest *g = &sim_machine->guests[slot];

	if (!sim_machine->has_bug || !has_pending(g)) {
		sim_forget(slot);
		return;
	}
	sim_served[slot].is_dead = true;
	atomic_store(&g->prepared, 0);
}

static void tell(struct sim_queue *q)
{
	atomic_fetch_add(&q->bell, 1);
	if (atomic_load(&q->waiters))
		syscall(SYS_futex, &q->bell, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* Completes what is due in one queue; false: it brought the machine down. */
static bool complete_queue(int slot, struct sim_queue *q, uint64_t now, uint64_t *next)
{
	struct sim_guest *g = &sim_machine->guests[slot];
	uint64_t end = atomic_load(&q->submitted), at = atomic_load(&q->completed), begin = at;

	for (; at < end; at++) {
		uint64_t due = atomic_load(&q->due_ns[at % SIM_DEPTH]);

		if (due == SIM_NEVER && sim_served[slot].is_dead)
			due = now;
		if (due > now) {
			*next = due < *next ? due : *next;
			break;
		}
		if (atomic_fetch_sub(&g->prepared, 1) < 1 && sim_machine->has_bug) {
			sim_panic(slot);
			return false;
		}
		atomic_store(&q->completed, at + 1);
	}
	if (at != begin)
		tell(q);
	return true;
}

/* Returns when the next command is due. */
static uint64_t complete_due(void)
{
	uint64_t now = sim_now_ns(), next = SIM_NEVER;

	for (int slot = 0; slot < SIM_GUESTS; slot++) {
		struct sim_guest *g = &sim_machine->guests[slot];

		for (int i = 0; i < SIM_QUEUES && atomic_load(&g->pid); i++)
			if (!complete_queue(slot, &g->queues[i], now, &next))
				return now;
		if (sim_served[slot].is_dead && !has_pending(g))
			sim_forget(slot);
	}
	return next;
}

static void read_name(int pid, char *name, size_t size)
{
	char path[40];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, name, size - 1);
	close(fd);
	name[n < 0 ? 0 : n] = '\0';
	name[strcspn(name, "\n")] = '\0';
}

static void welcome(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), pidfd;
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);
	int32_t slot = 0;

	if (fd < 0)
		return;
	while (slot < SIM_GUESTS && atomic_load(&sim_machine->guests[slot].pid))
		slot++;
	if (slot == SIM_GUESTS || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) ||
	    (pidfd = (int)syscall(SYS_pidfd_open, who.pid, 0)) < 0) {
		close(fd);
		return;
	}
	sim_served[slot] = (struct sim_served){ .socket = fd, .pidfd = pidfd };
	read_name(who.pid, sim_served[slot].name, sizeof(sim_served[slot].name));
	atomic_store(&sim_machine->guests[slot].pid, who.pid);
	if (write(fd, &slot, sizeof(slot)) != sizeof(slot))
		guest_died(slot);
}

/* Rings, and the end of the connection: the process is gone or has become another program. */
static bool has_hung_up(int fd)
{
	char bytes[256];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		;
	return n == 0 || (errno != EAGAIN && errno != EINTR);
}

static void wait_for_news(uint64_t until)
{
	struct pollfd fds[1 + 2 * SIM_GUESTS] = { { .fd = listener, .events = POLLIN } };
	uint64_t now = sim_now_ns(), ns = until <= now ? 0 : until - now;
	struct timespec t;

	for (int i = 0; i < SIM_GUESTS; i++) {
		bool is_on = atomic_load(&sim_machine->guests[i].pid) && !sim_served[i].is_dead;

		fds[1 + 2 * i] = (struct pollfd){ is_on ? sim_served[i].socket : -1, POLLIN, 0 };
		fds[2 + 2 * i] = (struct pollfd){ is_on ? sim_served[i].pidfd : -1, POLLIN, 0 };
	}
	ns = ns < SECOND_NS ? ns : SECOND_NS;
	t = (struct timespec){ (time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS) };
	ppoll(fds, 1 + 2 * SIM_GUESTS, &t, NULL);
	atomic_store(&sim_machine->sleeps_until, 0);
	for (int i = 0; i < SIM_GUESTS; i++)
		if (fds[2 + 2 * i].revents ||
		    (fds[1 + 2 * i].revents && has_hung_up(sim_served[i].socket)))
			guest_died(i);
	if (fds[0].revents)
		welcome();
}

static bool is_used(void)
{
	for (int i = 0; i < SIM_GUESTS; i++)
		if (atomic_load(&sim_machine->guests[i].pid))
			return true;
	return false;
}

static void serve(void)
{
	uint64_t idle_ns = setting("SIMGPU_IDLE_S", 60) * SECOND_NS, used_ns = sim_now_ns();
	struct stat st;

	for (;;) {
		uint64_t next = complete_due(), again;

		atomic_store(&sim_machine->sleeps_until, next);
		again = complete_due();
		wait_for_news(again < next ? again : next);
		if (is_used())
			used_ns = sim_now_ns();
		else if (sim_now_ns() - used_ns > idle_ns)
			return;
		if (fstatat(sim_dir, "socket", &st, 0))
			return;
	}
}

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "simgpu-kernel: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_machine(void)
{
	int fd = openat(sim_dir, "machine", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const char *bug = getenv("SIMGPU_BUG");
	uint64_t devices = setting("SIMGPU_DEVICES", 1);

	if (fd < 0 || ftruncate(fd, sizeof(*sim_machine)))
		fail("machine");
	sim_machine = mmap(NULL, sizeof(*sim_machine), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (sim_machine == MAP_FAILED)
		fail("machine");
	sim_machine->capacity = setting("SIMGPU_MEMORY", 8ull << 30);
	sim_machine->devices = (int32_t)(devices < SIM_DEVICES ? devices : SIM_DEVICES);
	sim_machine->has_bug = !bug || strcmp(bug, "none") != 0;
	sim_machine->magic = SIM_MAGIC;
	for (int i = 0; i < SIM_GUESTS; i++)
		sim_served[i] = (struct sim_served){ .socket = -1, .pidfd = -1 };
}

static void listen_there(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	/* The path of a folder may be longer than an address holds. */
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/socket", sim_dir);
	unlinkat(sim_dir, "socket", 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(listener, SIM_GUESTS))
		fail("socket");
}

/* For scripts: once nobody is on the machine any more, how often it has panicked. */
static int await_empty(const char *folder)
{
	int fd;

	sim_dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = sim_dir < 0 ? -1 : openat(sim_dir, "machine", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(folder);
	sim_machine = mmap(NULL, sizeof(*sim_machine), PROT_READ, MAP_SHARED, fd, 0);
	if (sim_machine == MAP_FAILED)
		fail(folder);
	while (is_used() && !kill(sim_machine->kernel_pid, 0))
		usleep(1000);
	printf("%u\n", atomic_load(&sim_machine->panics));
	return 0;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc == 3 && !strcmp(argv[1], "--await"))
		return await_empty(argv[2]);
	if (argc != 2) {
		fputs("usage: simgpu-kernel [--await] DIR (a simulated machine with GPUs; see "
		      "machine.h)\n",
		      stderr);
		return 64;
	}
	sim_dir = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sim_dir < 0)
		fail(argv[1]);
	make_machine();
	sim_new_boot();
	listen_there();
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid) {
		sim_machine->kernel_pid = pid;
		printf("%d\n", (int)pid);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1000ul, 0, 0, 0);
	/* Who asked for it may read our output to its end. */
	if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr))
		return 1;
	serve();
	return 0;
}
