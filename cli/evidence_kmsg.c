/* SPDX-License-Identifier: MIT */
/* evidence_kmsg.c -- the kernel's log of this boot, /dev/kmsg.
 *
 * One read is one record, "6,1234,98765432,-;text": level and facility, number,
 * microseconds since the start of the kernel, flags; lines behind it that begin
 * with a space are its fields (Documentation/ABI/testing/dev-kmsg).  What
 * programs write there has a facility and is not believed.  The mark keeps the
 * number of the last record, so that each is judged once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../policy/text.h"
#include "evidence_source.h"

#define SOURCE "kmsg"
#define RECORD_ROOM 8193u /* what the kernel gives at most, and a NUL */
#define RECORDS_MAX 65536
#define FACILITY_SHIFT 3

struct log {
	struct taf_evidence *ev;
	bool has_last;
	uint64_t last; /* the number of the last record that was judged */
};

static void take_record(struct log *log, const char *text, size_t n)
{
	struct taf_moment at = { .boot = log->ev->now.boot };
	const struct taf_moment *now = &log->ev->now;
	const char *line = memchr(text, ';', n), *p = text, *end;
	uint64_t level, number, us;

	if (!line || !taf_read_u64(p, &p, &level) || *p++ != ',' || !taf_read_u64(p, &p, &number) ||
	    *p++ != ',' || !taf_read_u64(p, &p, &us) || p > line)
		return;
	if (log->has_last && number <= log->last)
		return;
	log->has_last = true;
	log->last = number;
	taf_evidence_read(log->ev, now->boot, us / 1000);
	if (level >> FACILITY_SHIFT)
		return;
	at.boot_ms = us / 1000 + log->ev->asleep_ms;
	if (at.boot_ms > now->boot_ms)
		at.boot_ms = now->boot_ms;
	at.utc_ms = now->utc_ms - (now->boot_ms - at.boot_ms);
	line++;
	end = memchr(line, '\n', n - (size_t)(line - text));
	taf_evidence_line(log->ev, SOURCE, line, (size_t)((end ? end : text + n) - line), &at);
}

/* 0 or -errno. */
static int read_device(struct log *log, int fd)
{
	char text[RECORD_ROOM];

	for (int i = 0; i < RECORDS_MAX; i++) {
		ssize_t n = read(fd, text, sizeof(text) - 1);

		/* EPIPE: the kernel has overwritten what came next; go on behind it. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return n < 0 && errno != EAGAIN ? -errno : 0;
		text[n] = '\0';
		take_record(log, text, (size_t)n);
	}
	return 0;
}

/* A copy of the log, one record a line. */
static void read_copy(struct log *log, int fd)
{
	char *text = malloc(TAF_EVIDENCE_FILE_BYTES + 1);
	size_t n = 0;
	ssize_t got;

	while (text && n < TAF_EVIDENCE_FILE_BYTES &&
	       (got = read(fd, text + n, TAF_EVIDENCE_FILE_BYTES - n)) > 0)
		n += (size_t)got;
	if (text)
		text[n] = '\0';
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - text) - at : n - at;

		if (text[at] != ' ')
			take_record(log, text + at, len);
		at += len + 1;
	}
	free(text);
}

void taf_evidence_kmsg(struct taf_evidence *ev)
{
	struct taf_mark *m = taf_mark_of(ev, SOURCE), now = { .boot = ev->now.boot };
	struct log log = { .ev = ev };
	char path[PATH_MAX];
	struct stat st;
	int fd, err = 0;

	if (!m || (size_t)snprintf(path, sizeof(path), "%s/dev/kmsg", ev->root) >= sizeof(path))
		return;
	log.has_last = m->boot == ev->now.boot && m->a;
	log.last = m->a ? m->a - 1 : 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		err = errno == ENOENT ? 0 : -errno;
	else if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		read_copy(&log, fd);
	else
		err = read_device(&log, fd);
	if (fd >= 0)
		close(fd);
	if (err)
		taf_evidence_blind(
			ev, SOURCE,
			"%s: %s; run as root or with CAP_SYSLOG, or set kernel.dmesg_restrict=0",
			path, strerror(-err));
	now.a = log.has_last ? log.last + 1 : 0;
	taf_mark_set(ev, m, &now);
}
