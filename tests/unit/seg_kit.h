/* SPDX-License-Identifier: MIT */
/* seg_kit.h -- what the tests of the segment files share. Header of static
 * functions, for one test program each. */
#ifndef TAF_TEST_SEG_KIT_H
#define TAF_TEST_SEG_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../policy/text.h"
#include "../../shim/seg.h"
#include "child.h"

static char dir[] = "/tmp/taf-seg-XXXXXX";
static struct taf_seg seg;

/* A child cannot use cmocka's own way out. */
#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
			_exit(1); \
		} \
	} while (0)

static int open_seg(const char *where, uint32_t bytes)
{
	static struct taf_session s;
	static uint64_t start;

	taf_copy(s.dir, where, sizeof(s.dir));
	taf_copy(s.boot, "0123456789abcdef0123456789abcdef", sizeof(s.boot));
	s.pid = getpid();
	s.start = ++start; /* names of its own for every test */
	s.segment_bytes = bytes;
	return taf_seg_open(&seg, &s);
}

/* Puts a record of n bytes, its newline included; turns once when it must. */
static int put(char fill, size_t n)
{
	char line[TAF_RECORD_MAX];
	struct taf_seg_hold h;
	int err = taf_seg_enter(&seg, &h, gettid());

	if (err)
		return err;
	memset(line, fill, n);
	line[n - 1] = '\n';
	err = taf_seg_fits(&seg, n) ? taf_seg_put(&seg, &h, line, n) : -ENODATA;
	if (err == -ENODATA) {
		err = taf_seg_turn(&seg, &h);
		if (!err)
			err = taf_seg_fits(&seg, n) ? taf_seg_put(&seg, &h, line, n) : -EFBIG;
	}
	taf_seg_leave(&seg, &h);
	return err;
}

static char *slurp(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *text;

	*n = 0;
	if (fd < 0 || fstat(fd, &st))
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (text && read(fd, text, (size_t)st.st_size) == st.st_size)
		*n = (size_t)st.st_size;
	close(fd);
	return text;
}

static bool is_all(const char *text, size_t from, size_t to, char c)
{
	for (; from < to; from++)
		if (text[from] != c)
			return false;
	return true;
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	umount(dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

#endif
