/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct sim_machine *sim_machine;

static pthread_mutex_t attach_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sim_guest *self;
static int line = -1, log_fd = -1; /* to the kernel; of SIMGPU_LOG */
static bool is_child, is_down;
static uint64_t latency_ns, oom_at, hang_at, error_at, lost_at;
static int error_code, lost_code;
static _Atomic(int) lost;
static _Atomic(uint64_t) launches, takes;
static _Thread_local bool hangs; /* the next submit of this thread */

/* Streams that share a queue share its lock. */
static struct {
	pthread_mutex_t lock;
	int users, device;
	uint64_t last_due_ns;
} queues[SIM_QUEUES];
static pthread_mutex_t queues_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* NUMBER or NUMBER:CODE */
static uint64_t setting(const char *name, uint64_t otherwise, int *code)
{
	const char *s = getenv(name), *colon = s ? strchr(s, ':') : NULL;

	if (code && colon)
		*code = atoi(colon + 1);
	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

static void read_settings(void)
{
	const char *path = getenv("SIMGPU_LOG");

	latency_ns = 1000 * setting("SIMGPU_LATENCY_US", 20, NULL);
	oom_at = setting("SIMGPU_OOM_AT", 0, NULL);
	hang_at = setting("SIMGPU_HANG_AT", 0, NULL);
	error_code = lost_code = SIM_LAUNCH;
	error_at = setting("SIMGPU_ERROR_AT", 0, &error_code);
	lost_at = setting("SIMGPU_LOST_AT", 0, &lost_code);
	if (path)
		log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

void sim_log(const char *format, ...)
{
	char text[256];
	va_list ap;
	int n;

	if (log_fd < 0)
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text) - 1, format, ap);
	va_end(ap);
	n = n < (int)sizeof(text) - 1 ? n : (int)sizeof(text) - 2;
	text[n++] = '\n';
	if (write(log_fd, text, (size_t)n) < 0)
		log_fd = -1;
}

/* A fork child has no device, as with the real driver. */
static void forget_in_child(void)
{
	is_child = true;
	close(line);
	line = -1;
}

static int map_machine(int dir)
{
	int fd = openat(dir, "machine", O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED
			 : mmap(NULL, sizeof(struct sim_machine), PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);

	close(fd);
	if (p == MAP_FAILED || ((struct sim_machine *)p)->magic != SIM_MAGIC)
		return SIM_NO_DEVICE;
	sim_machine = p;
	return SIM_OK;
}

static int ask_for_slot(int dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int32_t slot = -1;

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/socket", dir);
	line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (line < 0 || connect(line, (struct sockaddr *)&a, sizeof(a)) ||
	    read(line, &slot, sizeof(slot)) != sizeof(slot) || slot < 0 || slot >= SIM_GUESTS)
		return SIM_NO_DEVICE;
	self = &sim_machine->guests[slot];
	return SIM_OK;
}

int sim_attach(void)
{
	const char *path = getenv("SIMGPU_DIR");
	int dir, r = SIM_OK;

	pthread_mutex_lock(&attach_lock);
	if (!self && !is_child) {
		dir = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
		r = dir < 0 ? SIM_NO_DEVICE : map_machine(dir);
		if (!r)
			r = ask_for_slot(dir);
		close(dir);
		if (!r) {
			read_settings();
			for (int i = 0; i < SIM_QUEUES; i++)
				pthread_mutex_init(&queues[i].lock, NULL);
			pthread_atfork(NULL, NULL, forget_in_child);
		}
	}
	pthread_mutex_unlock(&attach_lock);
	return is_child ? SIM_EARLY : r;
}

int sim_ready(void)
{
	if (is_down)
		return SIM_LATE;
	if (!self || is_child)
		return SIM_EARLY;
	return atomic_load(&lost);
}

void sim_tear_down(void)
{
	if (self && !is_child)
		sim_release("the end of the process");
	is_down = true;
}

int sim_queue_open(int device)
{
	int best = -1;

	pthread_mutex_lock(&queues_lock);
	for (int i = 0; i < SIM_QUEUES; i++)
		if (!queues[i].users || (queues[i].device == device && best < 0))
			if (best < 0 || queues[best].users) {
				best = i;
				if (!queues[i].users)
					break;
			}
	if (best < 0)
		best = 0;
	queues[best].users++;
	queues[best].device = device;
	pthread_mutex_unlock(&queues_lock);
	return best;
}

void sim_queue_close(int queue)
{
	pthread_mutex_lock(&queues_lock);
	queues[queue].users--;
	pthread_mutex_unlock(&queues_lock);
}

int sim_queue_device(int queue)
{
	return queues[queue].users ? queues[queue].device : -1;
}

uint64_t sim_submitted(int queue)
{
	return atomic_load(&self->queues[queue].submitted);
}

uint64_t sim_due_ns(int queue)
{
	return queues[queue].last_due_ns;
}

bool sim_is_done(int queue, uint64_t number)
{
	return atomic_load(&self->queues[queue].completed) >= number;
}

static bool kernel_is_gone(void)
{
	return kill(sim_machine->kernel_pid, 0) && errno == ESRCH;
}

int sim_wait(int queue, uint64_t number)
{
	struct sim_queue *q = &self->queues[queue];
	struct timespec t = { 0, 100000000 };
	int r = SIM_OK;

	atomic_fetch_add(&q->waiters, 1);
	while (!sim_is_done(queue, number)) {
		uint32_t bell = atomic_load(&q->bell);

		if (sim_is_done(queue, number))
			break;
		if (syscall(SYS_futex, &q->bell, FUTEX_WAIT, bell, &t, NULL, 0) &&
		    errno == ETIMEDOUT && kernel_is_gone()) {
			atomic_store(&lost, SIM_UNKNOWN);
			r = SIM_UNKNOWN;
			break;
		}
	}
	atomic_fetch_sub(&q->waiters, 1);
	return r;
}

int sim_wait_device(int device)
{
	int r = SIM_OK;

	for (int i = 0; i < SIM_QUEUES && !r; i++)
		if (device < 0 || sim_queue_device(i) == device)
			r = sim_wait(i, sim_submitted(i));
	return r;
}

static void ring(uint64_t due_ns)
{
	if (due_ns < atomic_load(&sim_machine->sleeps_until))
		send(line, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

uint64_t sim_submit(int queue, uint64_t commands, uint64_t not_before_ns)
{
	struct sim_queue *q = &self->queues[queue];
	uint64_t n, due, now;

	pthread_mutex_lock(&queues[queue].lock);
	n = atomic_load(&q->submitted);
	if (n >= SIM_DEPTH)
		sim_wait(queue, n - SIM_DEPTH + 1);
	now = now_ns();
	due = queues[queue].last_due_ns > now ? queues[queue].last_due_ns : now;
	due = not_before_ns > due ? not_before_ns : due;
	if (due != SIM_NEVER)
		due += commands * latency_ns;
	if (hangs)
		due = SIM_NEVER;
	hangs = false;
	queues[queue].last_due_ns = due;
	atomic_store(&q->due_ns[n % SIM_DEPTH], due);
	atomic_fetch_add(&self->prepared, 1);
	atomic_store(&q->submitted, n + 1);
	ring(due);
	pthread_mutex_unlock(&queues[queue].lock);
	return n + 1;
}

void sim_release(const char *by)
{
	if (!self || !sim_machine->has_bug)
		return;
	if (atomic_exchange(&self->prepared, 0) > 0)
		sim_log("%s while commands are in flight", by);
}

int sim_fault_launch(void)
{
	uint64_t n = atomic_fetch_add(&launches, 1) + 1;

	if (lost_at && n >= lost_at) {
		atomic_store(&lost, lost_code);
		return lost_code;
	}
	hangs = n == hang_at;
	return n == error_at ? error_code : SIM_OK;
}

int sim_bytes_take(int device, uint64_t bytes)
{
	uint64_t used = atomic_load(&sim_machine->used[device]);

	if (atomic_fetch_add(&takes, 1) + 1 == oom_at)
		return SIM_OOM;
	do {
		if (bytes > sim_machine->capacity - used)
			return SIM_OOM;
	} while (!atomic_compare_exchange_weak(&sim_machine->used[device], &used, used + bytes));
	atomic_fetch_add(&self->bytes[device], bytes);
	return SIM_OK;
}

void sim_bytes_give(int device, uint64_t bytes)
{
	atomic_fetch_sub(&self->bytes[device], bytes);
	atomic_fetch_sub(&sim_machine->used[device], bytes);
}
