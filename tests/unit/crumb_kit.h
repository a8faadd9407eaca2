/* SPDX-License-Identifier: MIT */
/* crumb_kit.h -- what the tests of the crumb writer share: a log in a folder of
 * its own, and a reader that shares nothing with ours (cJSON, and a checksum
 * bit by bit).
 *
 * Header of static functions, for one test program each.
 */
#ifndef TAF_TEST_CRUMB_KIT_H
#define TAF_TEST_CRUMB_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../policy/text.h"
#include "../../shim/crumb.h"
#include "../../shim/ring.h"
#include "child.h"

/* A child cannot use cmocka's own way out. */
#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
			_exit(1); \
		} \
	} while (0)

static char dir[] = "/tmp/taf-crumb-XXXXXX";
static struct taf_session session;

static int open_log(uint32_t segment)
{
	taf_copy(session.dir, dir, sizeof(session.dir));
	taf_copy(session.ring_dir, dir, sizeof(session.ring_dir));
	taf_sys_boot_id(session.boot);
	taf_copy(session.run, "0123456789abcdef", sizeof(session.run));
	session.pid = taf_sys_pid();
	session.start = taf_sys_start_ticks(0);
	session.segment_bytes = segment;
	session.head = ",\"v\":1,\"exe\":\"/bin/true\",\"argv\":[\"true\"],\"pid_ns\":7";
	return taf_crumb_open(&session);
}

static void segment_path(char *path, size_t room, int pid, unsigned seg)
{
	snprintf(path, room, "%s/%s-%d-%llu-%03u.jsonl", dir, session.boot, pid,
		 (unsigned long long)session.start, seg);
}

/* Segment seg of this process, closed by a NUL; NULL when there is none. */
static char *slurp(unsigned seg, size_t *n)
{
	char path[PATH_MAX], *text;
	struct stat st;
	int fd;

	segment_path(path, sizeof(path), session.pid, seg);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	*n = (size_t)read(fd, text, (size_t)st.st_size);
	close(fd);
	return text;
}

static void wipe(void)
{
	char path[PATH_MAX];
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}

/* Bit by bit: shares nothing with crc32c.c. */
static uint32_t slow_crc(uint32_t crc, const char *p, size_t n)
{
	crc = ~crc;
	for (; n; n--, p++) {
		crc ^= (unsigned char)*p;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static bool sum_is_right(const char *line, size_t n, unsigned seg)
{
	const char *tail = strstr(line, ",\"crc\":\"");
	char seed[96], want[9];

	snprintf(seed, sizeof(seed), "%s-%llu-%03u", session.boot,
		 (unsigned long long)session.start, seg);
	if (!tail || (size_t)(tail - line) + 18 != n)
		return false;
	snprintf(want, sizeof(want), "%08x",
		 slow_crc(slow_crc(0, seed, strlen(seed)), line, (size_t)(tail - line)));
	return !strncmp(tail + 8, want, 8);
}

struct tally {
	unsigned lines, starts;
	uint64_t last_seq, holes;
};

static bool is_in_order(const cJSON *o)
{
	static const char *const first[] = { "t",   "boot", "run",     "pid", "start",
					     "tid", "seq",  "mono_ns", "ev",  "ph" };
	const cJSON *m = o->child;

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++, m = m->next)
		if (!m || strcmp(m->string, first[i]))
			return false;
	while (m && m->next)
		m = m->next;
	return m && !strcmp(m->string, "crc");
}

/* Every line of a segment by cJSON, the checksum by slow_crc. False at the first that is wrong. */
static bool examine(char *text, unsigned seg, struct tally *t)
{
	char *save = NULL;
	bool is_first = true;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		cJSON *o = cJSON_Parse(line);
		const char *ev = cJSON_GetStringValue(cJSON_GetObjectItem(o, "ev"));
		uint64_t seq = (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(o, "seq"));

		if (!o || !ev || !is_in_order(o) || !sum_is_right(line, strlen(line), seg) ||
		    strlen(line) >= TAF_RECORD_MAX || seq <= t->last_seq ||
		    is_first != !strcmp(ev, "start")) {
			fprintf(stderr, "seg %u: %s\n", seg, line);
			return false;
		}
		if (is_first && cJSON_GetNumberValue(cJSON_GetObjectItem(o, "seg")) != seg)
			return false;
		t->starts += is_first;
		t->holes += seq - t->last_seq - 1;
		t->last_seq = seq;
		t->lines++;
		is_first = false;
		cJSON_Delete(o);
	}
	return true;
}

static bool examine_all(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	for (unsigned seg = 0;; seg++) {
		size_t n = 0;
		char *text = slurp(seg, &n);
		bool is_good;

		if (!text)
			return seg > 0;
		is_good = examine(text, seg, t);
		free(text);
		if (!is_good)
			return false;
	}
}

/* Each test runs in a process of its own: seq begins at 1 there. */
static void in_clean_child(void (*body)(void))
{
	int status = child_status(body);

	wipe();
	must_be_well(status);
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
	snprintf(command, sizeof(command), "rm -rf %s %s-gone", dir, dir);
	return system(command);
}

#endif
