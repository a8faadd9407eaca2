/* SPDX-License-Identifier: MIT */
/* bench_crumb.c -- what a crumb costs: a slot of the ring; a durable record,
 * against a bare pwrite + fdatasync into a file written before, by one thread;
 * against append + fsync of every record by eight threads, also with a flush
 * that takes 20 ms (taf_sys_fdatasync is wrapped, see LINK_bench_crumb). */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "../../shim/crumb.h"
#include "../../shim/ring.h"
#include "bench.h"

#define RECORDS 400
#define THREADS 8
#define EACH 40
#define BYTES 256

static int flush_ms; /* simulated: slept on top of the real flush, one at a time */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

int __real_taf_sys_fdatasync(int fd);
int __wrap_taf_sys_fdatasync(int fd);

static void slow(void)
{
	struct timespec t = { 0, (long)flush_ms * 1000000 };

	if (!flush_ms)
		return;
	pthread_mutex_lock(&disk);
	nanosleep(&t, NULL);
	pthread_mutex_unlock(&disk);
}

int __wrap_taf_sys_fdatasync(int fd)
{
	slow();
	return __real_taf_sys_fdatasync(fd);
}

static char dir[] = "bench-crumb-XXXXXX";

static void open_session(void)
{
	struct taf_session s = { .run = "0123456789abcdef",
				 .ring_bytes = 512 << 10,
				 .segment_bytes = 1 << 20,
				 .head = ",\"v\":1" };

	if (!realpath(dir, s.dir))
		exit(1);
	taf_sys_boot_id(s.boot);
	s.pid = taf_sys_pid();
	s.start = taf_sys_start_ticks(0);
	if (taf_crumb_open(&s)) {
		fprintf(stderr, "bench_crumb: no log in %s\n", s.dir);
		exit(1);
	}
}

static void durable(void)
{
	struct taf_rec r = { .kind = TAF_LOAD,
			     .phase = TAF_BEGIN,
			     .call = "bench",
			     .model = "bench",
			     .keep = TAF_KEEP_SYNC };

	if (!taf_crumb(&r))
		exit(1);
}

static int bare_fd;
static off_t bare_at;

/* What the format allows at best: a line into blocks that are there already. */
static void bare_pwrite(void)
{
	char line[BYTES];

	memset(line, 'x', sizeof(line));
	if (pwrite(bare_fd, line, sizeof(line), bare_at) != BYTES || fdatasync(bare_fd))
		exit(1);
	bare_at += BYTES;
}

static void prepare_bare(void)
{
	char name[64], block[4096];

	snprintf(name, sizeof(name), "%s/bare", dir);
	bare_fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	memset(block, '\n', sizeof(block));
	for (int i = 0; i < 256; i++)
		if (write(bare_fd, block, sizeof(block)) != sizeof(block))
			exit(1);
	fsync(bare_fd);
}

static void one_thread(void)
{
	static double a[RECORDS], b[RECORDS];

	for (int i = 0; i < RECORDS; i++) {
		double t0 = bench_now_ns(), t1;

		bare_pwrite();
		t1 = bench_now_ns();
		durable();
		a[i] = (t1 - t0) / 1e3;
		b[i] = (bench_now_ns() - t1) / 1e3;
	}
	bench_pairs("durable record, 1 thread", a, b, RECORDS, "us", 0);
	bench_pairs("the same as a ratio", a, b, RECORDS, "us", 1);
}

static int append_fd;

static void *append_loop(void *arg)
{
	char line[BYTES];

	(void)arg;
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < EACH; i++) {
		if (write(append_fd, line, sizeof(line)) != BYTES)
			exit(1);
		slow();
		if (fsync(append_fd))
			exit(1);
	}
	return NULL;
}

static void *crumb_loop(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH; i++)
		durable();
	return NULL;
}

static double together(void *(*fn)(void *))
{
	pthread_t t[THREADS];
	double begin = bench_now_ns();

	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, fn, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return THREADS * EACH / ((bench_now_ns() - begin) / 1e9);
}

static void eight_threads(const char *name, int ms, int pairs)
{
	static double a[16], b[16];

	flush_ms = ms;
	for (int i = 0; i < pairs; i++) {
		a[i] = together(append_loop);
		b[i] = together(crumb_loop);
	}
	flush_ms = 0;
	bench_pairs(name, a, b, pairs, "records/s", 1);
}

static void ring(void)
{
	static double a[31], b[31];
	struct taf_lane *lane = taf_ring_take_lane();
	struct taf_slot_body body = { .row = 1, .engine = 1, .kind = TAF_ALLOC };

	if (!lane)
		exit(1);
	for (int p = 0; p < 31; p++) {
		double t0 = bench_now_ns(), t1;

		for (int i = 0; i < 1000000; i++)
			__asm__ volatile("" : : "r"(i));
		t1 = bench_now_ns();
		for (int i = 0; i < 1000000; i++) {
			body.stamp = taf_stamp_tsc();
			body.arg = (uint64_t)i;
			taf_ring_put(lane, &body);
		}
		a[p] = (t1 - t0) / 1e6;
		b[p] = (bench_now_ns() - t1) / 1e6;
	}
	bench_pairs("ring record (against an empty loop)", a, b, 31, "ns", 0);
}

int main(void)
{
	char name[64];

	if (!mkdtemp(dir))
		return 1;
	snprintf(name, sizeof(name), "%s/append", dir);
	append_fd = open(name, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	prepare_bare();
	open_session();
	bench_head("A crumb", "without taffrail", "taffrail");
	ring();
	one_thread();
	eight_threads("8 threads, against append + fsync each", 0, 9);
	eight_threads("8 threads, with a flush of 20 ms", 20, 3);
	taf_crumb_close();
	snprintf(name, sizeof(name), "rm -rf %s", dir);
	return system(name) ? 1 : 0;
}
