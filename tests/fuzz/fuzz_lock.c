/* SPDX-License-Identifier: MIT */
/* fuzz_lock.c -- what stands beside the GPU lock, as anybody may have written it: the
 * text of a holder, the queue, and a lock file of metal-guard. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../shim/lock_also.h"
#include "../../shim/lock_queue.h"
#include "../../shim/lock_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("lock", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

static void read_text(int fd)
{
	struct taf_lock_text text, again;
	char line[400];
	struct taf_text out;

	if (!taf_lock_text_read(fd, &text))
		return;
	taf_text_init(&out, line, sizeof(line));
	taf_lock_text_show(&text, &out);
	for (size_t i = 0; i < out.used; i++)
		if ((unsigned char)line[i] < ' ')
			abort();
	/* What was read can be written, and is the same then. */
	if (taf_lock_text_write(fd, &text) || !taf_lock_text_read(fd, &again) ||
	    again.pid != text.pid || again.start != text.start || again.hold != text.hold ||
	    !taf_same(again.run, text.run))
		abort();
}

static void read_queue(int fd)
{
	static struct taf_lock_queue q;
	struct taf_lock_waiter me = { .run = "0123456789abcdef", .pid = 1 };

	taf_lock_queue_read(fd, 1000000, &q);
	if (!taf_lock_queue_enter(&q, &me))
		abort(); /* entries of other boots are gone, so there is room */
	taf_lock_queue_before(&q, me.run);
	taf_lock_queue_leave(&q, me.run);
}

static void read_theirs(int fd)
{
	char variable[64];
	char *env[] = { variable, NULL };
	struct taf_lock_also who = { "0123456789abcdef", env };
	struct taf_lock_foreign f;

	snprintf(variable, sizeof(variable), "MLX_LOCK_PATH=/proc/self/fd/%d", fd);
	taf_lock_also_look(&who, "metal-guard", &f);
	for (const char *s = f.holder; *s; s++)
		if ((unsigned char)*s < ' ')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = file_of(data, size);

	read_theirs(fd);
	read_queue(fd);
	read_text(fd);
	close(fd);
	return 0;
}
