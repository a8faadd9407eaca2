/* SPDX-License-Identifier: MIT */
/* crumb_fixture.h -- writes segments and rings for tests of the readers.
 *
 * Made from the format statements at the head of shim/crumb.h and shim/ring.h
 * alone: checksum and layout are computed here a second time, so that a writer
 * and a reader that agree on a mistake do not pass.
 */
#ifndef TAF_TEST_CRUMB_FIXTURE_H
#define TAF_TEST_CRUMB_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FX_BOOT "0123456789abcdef0123456789abcdef"
#define FX_OTHER_BOOT "fedcba9876543210fedcba9876543210"
#define FX_RUN "00112233445566aa"
#define FX_SEC 1000000000ull
#define FX_ROOM 65536 /* the longest segment */

struct fx {
	char boot[33], run[17];
	int pid;
	uint64_t start;
	unsigned seg;
	uint64_t seq; /* of the latest record */
	uint64_t mono_ns; /* of the next record */
	int tid;
	unsigned hour; /* of the day, when the boot was */
	size_t used, size;
	char text[FX_ROOM + 1]; /* closed by a NUL */
};

static inline uint32_t fx_crc(uint32_t crc, const char *p, size_t n)
{
	crc = ~crc;
	while (n--) {
		crc ^= (unsigned char)*p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static inline uint32_t fx_seed(const struct fx *f)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "%s-%" PRIu64 "-%03u", f->boot, f->start, f->seg);

	return fx_crc(0, text, (size_t)n);
}

/* A segment full of newlines; record times begin ten seconds after boot. */
static inline void fx_begin(struct fx *f, int pid, size_t size)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->boot, FX_BOOT);
	strcpy(f->run, FX_RUN);
	f->pid = f->tid = pid;
	f->start = 5000 + (uint64_t)pid;
	f->mono_ns = 10 * FX_SEC;
	f->size = size;
	f->hour = 10;
	memset(f->text, '\n', size);
}

/* Closes a record that lacks only its checksum, and puts it into the segment. */
static inline void fx_seal(struct fx *f, const char *open_record)
{
	size_t n = strlen(open_record);
	char tail[32];

	snprintf(tail, sizeof(tail), ",\"crc\":\"%08x\"}\n", fx_crc(fx_seed(f), open_record, n));
	if (f->used + n + strlen(tail) > f->size)
		abort();
	memcpy(f->text + f->used, open_record, n);
	memcpy(f->text + f->used + n, tail, strlen(tail));
	f->used += n + strlen(tail);
}

/* One record; more is its members behind "ph", each with a comma before it. Returns its seq. */
__attribute__((format(printf, 4, 5))) static inline uint64_t
fx_put(struct fx *f, const char *ev, const char *ph, const char *more, ...)
{
	char extra[4000], record[5000];
	uint64_t us = f->mono_ns / 1000;
	va_list args;

	va_start(args, more);
	vsnprintf(extra, sizeof(extra), more, args);
	va_end(args);
	snprintf(record, sizeof(record),
		 "{\"t\":\"2026-11-21T%02u:%02u:%02u.%06uZ\",\"boot\":\"%s\",\"run\":\"%s\","
		 "\"pid\":%d,"
		 "\"start\":%" PRIu64 ",\"tid\":%d,\"seq\":%" PRIu64 ",\"mono_ns\":%" PRIu64
		 ",\"ev\":\"%s\",\"ph\":\"%s\"%s",
		 f->hour + (unsigned)(us / 3600000000u), (unsigned)(us / 60000000 % 60),
		 (unsigned)(us / 1000000 % 60), (unsigned)(us % 1000000), f->boot, f->run, f->pid,
		 f->start, f->tid, ++f->seq, f->mono_ns, ev, ph, extra);
	fx_seal(f, record);
	return f->seq;
}

static inline void fx_wait(struct fx *f, uint64_t ms)
{
	f->mono_ns += ms * 1000000;
}

static inline void fx_write(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
}

/* Writes the segment into dir and begins the next one. */
static inline void fx_save(struct fx *f, const char *dir)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s-%d-%" PRIu64 "-%03u.jsonl", dir, f->boot, f->pid,
		 f->start, f->seg);
	fx_write(path, f->text, f->size);
	f->seg++;
	f->used = 0;
	memset(f->text, '\n', f->size);
}

/* A state directory with crumbs/ in it; dir is at least 64 bytes. */
static inline void fx_state(char *dir, char *crumbs)
{
	strcpy(dir, "/tmp/taf-test-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	sprintf(crumbs, "%s/crumbs", dir);
	if (mkdir(crumbs, 0700))
		abort();
}

static inline void fx_remove(const char *dir)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	char path[1024];

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < sizeof(path) &&
		    unlink(path))
			fx_remove(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

#endif
