/* SPDX-License-Identifier: MIT */
/* guest_alloc.c -- takes and gives host memory in every way, with the engine in use.
 *
 * Prints what the allocator answered; alloc.sh compares that with the plain run,
 * and reads from the ring, through the last line, what the alloc object counted:
 * "counted TAKEN GIVEN" blocks of 1 MiB and more by this process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>

#include "../../shim/ring_read.h"
#include "guest.h"

#define MIB ((size_t)1 << 20)

static size_t none; /* 0, but the compiler is not told */

static void say(const char *what, long n)
{
	printf("%s %ld\n", what, n);
}

/* Writes all of it, so that an answer that is too small shows. */
static void *fill(void *p, size_t n)
{
	if (p)
		memset(p, 0x5a, n);
	return p;
}

static int is_filled(const unsigned char *p, size_t n, int with)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != with)
			return 0;
	return 1;
}

static void do_malloc(void)
{
	void *large = fill(malloc(MIB), MIB), *small = fill(malloc(MIB - 1), MIB - 1);

	say("malloc", large && small);
	free(large);
	free(small);
	free(NULL);
}

static void do_calloc(void)
{
	volatile size_t huge = SIZE_MAX / 2;
	unsigned char *p = calloc(1024, 2048);

	say("calloc zeroed", p && is_filled(p, 2 * MIB, 0));
	free(p);
	errno = 0;
	p = calloc(huge, 4);
	say("calloc overflow", p == NULL && errno == ENOMEM);
	free(p);
	p = calloc(none, none);
	say("calloc of nothing", p != NULL);
	free(p);
}

static void do_realloc(void)
{
	unsigned char *p = realloc(NULL, 100);

	fill(p, 100);
	p = realloc(p, 2 * MIB);
	say("realloc grew", p && is_filled(p, 100, 0x5a));
	fill(p, 2 * MIB);
	p = realloc(p, 4 * MIB);
	say("realloc grew again", p && is_filled(p, 2 * MIB, 0x5a));
	p = realloc(p, 50);
	say("realloc shrank", p && is_filled(p, 50, 0x5a));
	free(p);
}

static void do_realloc_failing(void)
{
	volatile size_t huge = SIZE_MAX / 2;
	unsigned char *p = fill(malloc(2 * MIB), 2 * MIB), *q;

	errno = 0;
	q = realloc(p, huge);
	say("realloc refused", !q && errno == ENOMEM);
	if (!q) {
		say("and kept", is_filled(p, 2 * MIB, 0x5a));
		free(p);
	}
}

static void do_realloc_to_nothing(void)
{
	static void *p;

	p = malloc(2 * MIB);
	p = realloc(p, none);
	say("realloc to nothing", p == NULL);
	free(p);
}

static void do_aligned(void)
{
	void *p = NULL, *const untouched = &p, *q = untouched;

	say("posix_memalign", posix_memalign(&p, 4096, 2 * MIB) == 0 && (uintptr_t)p % 4096 == 0);
	free(fill(p, 2 * MIB));
	say("posix_memalign refused", posix_memalign(&q, 3, 64) == EINVAL && q == untouched);
	p = aligned_alloc(64, 2 * MIB);
	say("aligned_alloc", p && (uintptr_t)p % 64 == 0);
	free(fill(p, 2 * MIB));
	p = memalign(1024, 2 * MIB);
	say("memalign", p && (uintptr_t)p % 1024 == 0);
	free(fill(p, 2 * MIB));
	p = valloc(2 * MIB);
	say("valloc", p && (uintptr_t)p % 4096 == 0);
	free(fill(p, 2 * MIB));
}

static void *free_it(void *p)
{
	free(p);
	return NULL;
}

static void *take_one(void *arg)
{
	(void)arg;
	return fill(malloc(2 * MIB), 2 * MIB);
}

static void do_threads(void)
{
	pthread_t t;
	void *p = NULL;

	pthread_create(&t, NULL, free_it, malloc(2 * MIB));
	pthread_join(t, NULL);
	pthread_create(&t, NULL, take_one, NULL);
	pthread_join(t, &p);
	say("of another thread", p && is_filled(p, 2 * MIB, 0x5a));
	free(p);
}

static void do_refused(void)
{
	volatile size_t huge = SIZE_MAX / 2;
	void *p;

	errno = 0;
	p = malloc(huge);
	say("malloc refused", p == NULL && errno == ENOMEM);
	free(p);
}

static int open_ring(void)
{
	char where[4096], mine[32];
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct dirent *d;
	DIR *list;
	int fd = -1;

	snprintf(where, sizeof(where), "%s/taffrail", dir ? dir : "");
	snprintf(mine, sizeof(mine), "-%d-", (int)getpid());
	list = opendir(where);
	while (list && fd < 0 && (d = readdir(list)))
		if (strstr(d->d_name, mine))
			fd = openat(dirfd(list), d->d_name, O_RDONLY | O_CLOEXEC);
	if (list)
		closedir(list);
	return fd;
}

/* Marks without a row are the alloc object's; their argument is the size. */
static void count(void)
{
	static unsigned char bytes[4 << 20];
	static struct taf_ring_record records[4096];
	struct taf_ring_copy copy;
	long taken = 0, given = 0;
	int fd = open_ring();
	size_t n;

	if (fd < 0 || taf_ring_copy_read(fd, bytes, sizeof(bytes), &copy)) {
		printf("counted nothing\n");
		return;
	}
	n = taf_ring_last(&copy, records, sizeof(records) / sizeof(*records));
	for (size_t i = 0; i < n; i++) {
		if (records[i].call.row != TAF_NO_ROW || records[i].arg < MIB)
			continue;
		taken += records[i].call.kind == TAF_ALLOC;
		given += records[i].call.kind == TAF_FREE;
	}
	close(fd);
	printf("counted %ld %ld\n", taken, given);
}

int main(int argc, char **argv)
{
	static void (*const all[])(void) = {
		do_malloc,  do_calloc,	do_realloc, do_realloc_failing, do_realloc_to_nothing,
		do_aligned, do_threads, do_refused,
	};
	struct guest_engine engine;
	void *ctx;

	none = (size_t)(argc < 0);
	guest_open(&engine);
	ctx = engine.make(engine.load("/models/tiny.gguf", fake_value_of(0)), fake_value_of(0));
	engine.decode(ctx, fake_batch_of(1));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (argc < 2 || atoi(argv[1]) == (int)i)
			all[i]();
	fflush(stdout);
	count();
	return 3;
}
