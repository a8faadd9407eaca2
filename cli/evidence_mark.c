/* SPDX-License-Identifier: MIT */
/* evidence_mark.c -- STATE/evidence: how far each source was read.
 *
 *	taffrail-evidence 1 ROOT
 *	NAME BOOT A B C BLIND
 *	end CRC
 *
 * one line a mark, the numbers in hexadecimal, BLIND the rest of the line and
 * "-" when the source could be read; CRC is the CRC32C of all before its line.
 * The file is written anew and renamed into its place.  It holds nothing that
 * cannot be found again: when it is damaged or of another root, everything is
 * read once more, and the ledger knows it already.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../policy/text.h"
#include "../shim/crumb.h"
#include "evidence_source.h"
#include "replace.h"

#define FILE_BYTES (32u << 10)
#define HEAD "taffrail-evidence 1 "
#define END "end "

struct taf_mark *taf_mark_of(struct taf_evidence *ev, const char *name)
{
	struct taf_mark *m = ev->mark;

	for (uint32_t i = 0; i < ev->n_marks; i++, m++)
		if (!strcmp(m->name, name))
			return m;
	if (ev->n_marks == TAF_EVIDENCE_MARKS)
		return NULL;
	memset(m, 0, sizeof(*m));
	taf_copy(m->name, name, sizeof(m->name));
	ev->n_marks++;
	return m;
}

void taf_mark_set(struct taf_evidence *ev, struct taf_mark *m, const struct taf_mark *to)
{
	if (m->boot == to->boot && m->a == to->a && m->b == to->b && m->c == to->c &&
	    !strcmp(m->blind, to->blind))
		return;
	m->boot = to->boot;
	m->a = to->a;
	m->b = to->b;
	m->c = to->c;
	memmove(m->blind, to->blind, sizeof(m->blind));
	ev->is_moved = true;
}

static void take_line(struct taf_evidence *ev, const char *line)
{
	struct taf_mark v, *m;
	int at = 0;

	if (sscanf(line, "%23s %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %n", v.name, &v.boot,
		   &v.a, &v.b, &v.c, &at) < 5 ||
	    !at)
		return;
	m = taf_mark_of(ev, v.name);
	if (!m)
		return;
	m->boot = v.boot;
	m->a = v.a;
	m->b = v.b;
	m->c = v.c;
	taf_copy(m->blind, strcmp(line + at, "-") != 0 ? line + at : "", sizeof(m->blind));
}

static bool path_of(char path[PATH_MAX], const char *state)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/evidence", state) < PATH_MAX;
}

/* Whether text is what put_all wrote; then its last line is cut off. */
static bool is_whole(char *text, size_t n)
{
	char *end = n > 1 && text[n - 1] == '\n' ? memrchr(text, '\n', n - 1) : NULL;
	char wanted[sizeof(END) + 10];

	if (!end)
		return false;
	end++;
	snprintf(wanted, sizeof(wanted), END "%08x\n", taf_crc32c(0, text, (size_t)(end - text)));
	if (strcmp(end, wanted) != 0)
		return false;
	*end = '\0';
	return true;
}

void taf_marks_load(struct taf_evidence *ev, const char *state)
{
	char path[PATH_MAX], text[FILE_BYTES], *line, *rest = text;
	ssize_t n = -1;
	int fd;

	fd = path_of(path, state) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (!is_whole(text, strlen(text)))
		return;
	line = strsep(&rest, "\n");
	if (strncmp(line, HEAD, sizeof(HEAD) - 1) != 0 ||
	    strcmp(line + sizeof(HEAD) - 1, *ev->root ? ev->root : "/") != 0)
		return;
	while ((line = strsep(&rest, "\n")))
		take_line(ev, line);
}

/* The file's text. Its bytes, or -errno. */
static long put_all(char text[FILE_BYTES], const struct taf_evidence *ev)
{
	FILE *f = fmemopen(text, FILE_BYTES, "w");
	long n;

	if (!f)
		return -errno;
	fprintf(f, HEAD "%s\n", *ev->root ? ev->root : "/");
	for (uint32_t i = 0; i < ev->n_marks; i++) {
		const struct taf_mark *m = &ev->mark[i];

		fprintf(f, "%s %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n", m->name,
			m->boot, m->a, m->b, m->c, *m->blind ? m->blind : "-");
	}
	fflush(f);
	n = ftell(f);
	fprintf(f, END "%08x\n", taf_crc32c(0, text, n > 0 ? (size_t)n : 0));
	n = fflush(f) || ferror(f) ? -1 : ftell(f);
	fclose(f);
	return n < 0 ? -EIO : n;
}

int taf_marks_save(const struct taf_evidence *ev, const char *state)
{
	char path[PATH_MAX], text[FILE_BYTES];
	long n;

	if (!path_of(path, state))
		return -ENAMETOOLONG;
	n = put_all(text, ev);
	return n < 0 ? (int)n : taf_replace(path, text, (size_t)n, false);
}
