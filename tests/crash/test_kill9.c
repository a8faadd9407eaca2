/* SPDX-License-Identifier: MIT */
/* test_kill9.c -- SIGKILL at random moments: what was completed is never lost.
 *
 * A child with two threads that write ring records and two that write durable
 * ones counts in shared memory what has been completed; it is killed after a
 * random time.  Then the files are read back:
 *
 *   every completed ring record that the ring still has room for is there,
 *   every durable record whose call returned is there, in order,
 *   every record that is read says what was written and nothing else.
 *
 * 50 rounds; 500 with TAF_LONG=1. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../shim/crumb.h"
#include "../../shim/crumb_read.h"
#include "../../shim/ring.h"
#include "../../shim/ring_read.h"

#define RING_THREADS 2
#define LOG_THREADS 2
#define THREADS (RING_THREADS + LOG_THREADS)
#define KEY 0x5afe0000u /* every ring record's rc carries its writer */

struct shared {
	_Atomic(uint64_t) done[THREADS];
	_Atomic(int32_t) tid[THREADS];
	_Atomic(uint32_t) is_ready;
};

static struct shared *shared;
static char dir[] = "kill9-XXXXXX";
static char full[512];
static unsigned failures;

#define FAIL(...) \
	do { \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr); \
		failures++; \
	} while (0)

static void *write_ring(void *arg)
{
	long id = (long)arg;
	struct taf_lane *lane = taf_ring_take_lane();

	atomic_store(&shared->tid[id], taf_sys_tid());
	if (!lane)
		return NULL;
	for (uint64_t i = 1;; i++) {
		struct taf_slot_body b = { taf_stamp_tsc(),
					   i,
					   (uint16_t)(i % 1000),
					   1,
					   TAF_ALLOC,
					   (int32_t)(KEY + (unsigned)id) };

		taf_ring_put(lane, &b);
		atomic_store(&shared->done[id], i);
	}
}

static void *write_log(void *arg)
{
	long id = (long)arg;
	char msg[64];

	for (uint64_t i = 1;; i++) {
		struct taf_rec r = { .kind = TAF_LOAD,
				     .phase = TAF_MARK,
				     .call = "kill9",
				     .msg = msg,
				     .keep = TAF_KEEP_SYNC };

		snprintf(msg, sizeof(msg), "w%ld %llu", id, (unsigned long long)i);
		if (taf_crumb(&r))
			atomic_store(&shared->done[id], i);
	}
	return NULL;
}

static void child(void)
{
	struct taf_session s = { .run = "00112233445566aa",
				 .ring_bytes = 512 << 10,
				 .segment_bytes = 256 << 10,
				 .head = ",\"v\":1" };
	pthread_t t;

	snprintf(s.dir, sizeof(s.dir), "%s", full);
	snprintf(s.ring_dir, sizeof(s.ring_dir), "%s", full);
	taf_sys_boot_id(s.boot);
	s.pid = taf_sys_pid();
	s.start = taf_sys_start_ticks(0);
	if (taf_crumb_open(&s))
		_exit(2);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t, NULL, i < RING_THREADS ? write_ring : write_log, (void *)i);
	atomic_store(&shared->is_ready, 1);
	pause();
}

static char *slurp(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	char *text = size > 0 ? malloc((size_t)size) : NULL;

	*n = 0;
	if (text && pread(fd, text, (size_t)size, 0) == size)
		*n = (size_t)size;
	if (fd >= 0)
		close(fd);
	return text;
}

static uint64_t latest[THREADS]; /* the newest number seen of each writer */

static void check_line(const struct taf_crumb_line *line)
{
	char msg[64];
	long id;
	unsigned long long i;

	if (!taf_crumb_text(line, TAF_KEY_MSG, msg, sizeof(msg)))
		return;
	if (sscanf(msg, "w%ld %llu", &id, &i) != 2 || id < RING_THREADS || id >= THREADS) {
		FAIL("a record that nobody wrote: %s", msg);
		return;
	}
	if (i != latest[id] + 1)
		FAIL("writer %ld: record %llu follows %llu", id, i, (unsigned long long)latest[id]);
	latest[id] = i;
}

static uint64_t check_segment(const char *name)
{
	char path[8192], boot[TAF_BOOT_ID_LEN + 1];
	int pid;
	unsigned long long start;
	unsigned seg;
	size_t n;
	char *text;
	struct taf_crumb_reader r;
	struct taf_crumb_line line;

	if (sscanf(name, "%32[0-9a-f]-%d-%llu-%u.jsonl", boot, &pid, &start, &seg) != 4)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", full, name);
	text = slurp(path, &n);
	taf_crumb_read_init(&r, text, n, taf_crumb_seed(boot, start, seg));
	while (taf_crumb_read_next(&r, &line))
		check_line(&line);
	/* At most the record that was being written when the signal came. */
	if (r.bad > 1)
		FAIL("%s: %llu damaged lines", name, (unsigned long long)r.bad);
	free(text);
	return r.good;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_ring(const char *name)
{
	char path[8192];
	size_t n;
	static struct taf_ring_record rec[65536];
	struct taf_ring_copy c;
	struct taf_ring_lane lane;
	char *bytes;

	snprintf(path, sizeof(path), "%s/%s", full, name);
	bytes = slurp(path, &n);
	if (!bytes || taf_ring_copy_check(bytes, n, &c)) {
		FAIL("%s: not readable", name);
		return;
	}
	for (uint32_t l = 0; taf_ring_lane_view(&c, l, &lane); l++) {
		uint64_t newest = 0;
		long id = -1;
		size_t k;

		for (long i = 0; i < RING_THREADS; i++)
			if (lane.tid && lane.tid == atomic_load(&shared->tid[i]))
				id = i;
		if (id < 0)
			continue;
		k = taf_ring_lane_records(&c, l, rec, sizeof(rec) / sizeof(*rec));
		for (size_t i = 0; i < k; i++) {
			if (rec[i].rc != (int32_t)(KEY + (unsigned)id) ||
			    rec[i].call.row != rec[i].arg % 1000)
				FAIL("ring: a record that nobody wrote: arg %llu",
				     (unsigned long long)rec[i].arg);
			if (newest && rec[i].arg != newest + 1)
				FAIL("ring: a hole before %llu", (unsigned long long)rec[i].arg);
			newest = rec[i].arg;
		}
		if (newest < atomic_load(&shared->done[id]))
			FAIL("ring: %llu was completed, %llu is the newest",
			     (unsigned long long)atomic_load(&shared->done[id]),
			     (unsigned long long)newest);
	}
	free(bytes);
}

/* Reads everything back and deletes it; how many log records there were. */
static uint64_t check_and_clean(void)
{
	struct dirent **names;
	int n = scandir(full, &names, NULL, by_name);
	uint64_t good = 0;

	memset(latest, 0, sizeof(latest));
	for (int i = 0; i < n; i++) {
		char path[8192];

		snprintf(path, sizeof(path), "%s/%s", full, names[i]->d_name);
		if (strstr(names[i]->d_name, ".ring"))
			check_ring(names[i]->d_name);
		else if (strstr(names[i]->d_name, ".jsonl"))
			good += check_segment(names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			unlink(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	for (int i = RING_THREADS; i < THREADS; i++)
		if (latest[i] < atomic_load(&shared->done[i]))
			FAIL("writer %d: %llu was on disk by its word, %llu is the newest", i,
			     (unsigned long long)atomic_load(&shared->done[i]),
			     (unsigned long long)latest[i]);
	return good;
}

static uint64_t one_round(unsigned *seed)
{
	struct timespec t = { 0, 0 };
	pid_t pid;
	int status;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	if (!pid)
		child();
	while (!atomic_load(&shared->is_ready) && !waitpid(pid, &status, WNOHANG))
		usleep(200);
	t.tv_nsec = 1000000 + (long)(rand_r(seed) % 30000) * 1000;
	nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return check_and_clean();
}

int main(void)
{
	const char *is_long = getenv("TAF_LONG");
	int rounds = is_long && atoi(is_long) ? 500 : 50;
	unsigned seed = (unsigned)time(NULL);
	uint64_t records = 0, ring = 0;
	char path[PATH_MAX];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || !mkdtemp(dir) || !realpath(dir, path))
		return 1;
	if (snprintf(full, sizeof(full), "%s", path) >= (int)sizeof(full))
		return 1;
	for (int i = 0; i < rounds; i++) {
		records += one_round(&seed);
		for (int k = 0; k < RING_THREADS; k++)
			ring += atomic_load(&shared->done[k]);
	}
	rmdir(full);
	printf("%d kills, %llu log records, %llu ring records, %u failures, seed %u\n", rounds,
	       (unsigned long long)records, (unsigned long long)ring, failures, seed);
	/* A run in which nothing was written has shown nothing. */
	return failures || records < (uint64_t)rounds || !ring;
}
