/* SPDX-License-Identifier: MIT */
/* classify.c -- `taffrail classify [FILE|-]`: what a text means, by the tables that the gate uses.
 *
 * The text is taken as a report of macOS when it is one, else as the words of
 * an engine or a driver; where no such words are in it, and with --kernel-log at
 * once, as the lines of a kernel log.
 *
 * Of more than TAF_EVIDENCE_FILE_BYTES a part is looked at: the beginning of a
 * report, which has its own words there, else the end, where what came last is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../policy/klog.h"
#include "../policy/panic.h"
#include "evidence_source.h"
#include "jsonout.h"
#include "show.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define MOST TAF_EVIDENCE_FILE_BYTES
#define ROOM (2 * (MOST + 1)) /* the beginning, and a copy of it */

enum part { WHOLE, FIRST, LAST };

static const char *const parts[] = { [WHOLE] = "whole", [FIRST] = "first", [LAST] = "last" };

struct job {
	const char *path; /* NULL: standard input */
	bool is_json, is_log;
	char *text;
	size_t n;
	enum part part; /* of what there was */
	uint64_t from_line; /* its first one */
	struct taf_json json;
	uint32_t found; /* lines of a kernel log that count */
};

static int read_options(int argc, char **argv, struct job *j)
{
	bool has_path = false, is_over = false;

	for (int i = 1; i < argc; i++) {
		if (!is_over && !strcmp(argv[i], "--json")) {
			j->is_json = true;
		} else if (!is_over && !strcmp(argv[i], "--kernel-log")) {
			j->is_log = true;
		} else if (!is_over && !strcmp(argv[i], "--")) {
			is_over = true;
		} else if (!is_over && argv[i][0] == '-' && argv[i][1]) {
			return taf_usage_wrong("classify", "there is no option \"%s\"", argv[i]);
		} else if (has_path) {
			return taf_usage_wrong("classify",
					       "\"%s\" is one word too many: one FILE at a time",
					       argv[i]);
		} else {
			has_path = true;
			j->path = is_over || strcmp(argv[i], "-") != 0 ? argv[i] : NULL;
		}
	}
	return 0;
}

/* Reads until text holds room bytes or there is no more. 0 or -errno. */
static int fill(struct job *j, int fd, size_t room)
{
	while (j->n < room) {
		ssize_t got = read(fd, j->text + j->n, room - j->n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		j->n += (size_t)got;
	}
	return 0;
}

static void drop_bytes(struct job *j, size_t n)
{
	for (const char *at = j->text; (at = memchr(at, '\n', n - (size_t)(at - j->text))); at++)
		j->from_line++;
	memmove(j->text, j->text + n, j->n - n);
	j->n -= n;
}

/* Begins with a whole line where there is one. */
static int read_end(struct job *j, int fd)
{
	const char *line;
	int err;

	j->part = LAST;
	while (!(err = fill(j, fd, ROOM)) && j->n == ROOM)
		drop_bytes(j, ROOM - MOST);
	if (j->n > MOST)
		drop_bytes(j, j->n - MOST - 1);
	line = memchr(j->text, '\n', j->n);
	drop_bytes(j, line && line + 1 < j->text + j->n ? (size_t)(line + 1 - j->text) : 1);
	return err;
}

/* Of the first MOST + 1 bytes; to parse them changes them. */
static bool is_report(const struct job *j)
{
	struct taf_panic p;

	memcpy(j->text + MOST + 1, j->text, j->n);
	taf_panic_parse(j->text + MOST + 1, j->n, &p);
	return p.kind != TAF_REPORT_OTHER;
}

static int read_parts(struct job *j, int fd)
{
	int err = fill(j, fd, MOST + 1);

	if (err || j->n <= MOST)
		return err;
	if (j->is_log || !is_report(j))
		return read_end(j, fd);
	j->part = FIRST;
	j->n = MOST;
	return 0;
}

/* 0 or -errno. */
static int read_text(struct job *j)
{
	int fd = j->path ? open(j->path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	int err = fd < 0 ? -errno : -ENOMEM;

	j->from_line = 1;
	j->text = fd < 0 ? NULL : malloc(ROOM);
	if (j->text)
		err = read_parts(j, fd);
	if (fd > STDIN_FILENO)
		close(fd);
	return err;
}

static void say_part(const struct job *j)
{
	const char *name = j->path ? j->path : "standard input";

	if (j->part == FIRST)
		taf_tell("classify: %s: only the first %u MiB are read", name, MOST >> 20);
	else if (j->part == LAST)
		taf_tell("classify: %s: only the last %u MiB are read, from line %llu on", name,
			 MOST >> 20, (unsigned long long)j->from_line);
}

static void say_line(struct job *j, uint64_t number, const struct taf_klog *k)
{
	printf("%-6llu %-24s %-8s %s", (unsigned long long)number, k->class,
	       taf_severity_name(k->severity), *k->device ? k->device : "-");
	if (k->pid)
		printf(" pid %d", k->pid);
	printf(" %s; %s", k->what, k->advice);
	if (k->closes && k->is_verdict)
		printf("; the device works again");
	putchar('\n');
	j->found++;
}

static void put_line(struct job *j, uint64_t number, const struct taf_klog *k)
{
	taf_json_open(&j->json, NULL, '{');
	taf_json_u64(&j->json, "line", number);
	taf_json_text(&j->json, "class", k->class);
	taf_json_text(&j->json, "severity", taf_severity_name(k->severity));
	taf_json_u64(&j->json, "level", k->severity);
	taf_json_text(&j->json, "device", *k->device ? k->device : NULL);
	if (k->pid)
		taf_json_i64(&j->json, "pid", k->pid);
	else
		taf_json_null(&j->json, "pid");
	taf_json_bool(&j->json, "closes", k->closes);
	taf_json_text(&j->json, "what", k->what);
	taf_json_text(&j->json, "advice", k->advice);
	taf_json_close(&j->json);
	j->found++;
}

static void each_line(struct job *j, void (*tell)(struct job *, uint64_t, const struct taf_klog *))
{
	uint64_t number = j->from_line - 1;
	struct taf_klog k;

	for (size_t at = 0; at < j->n;) {
		const char *end = memchr(j->text + at, '\n', j->n - at);
		size_t n = end ? (size_t)(end - j->text) - at : j->n - at;

		number++;
		if (taf_klog_line(j->text + at, n, &k))
			tell(j, number, &k);
		at += n + 1;
	}
}

static void say_report(const struct taf_panic *p)
{
	char text[128], time[TAF_TIME_ROOM];

	if (p->utc_us)
		printf("time       %s\n", taf_show_time(time, p->utc_us));
	if (p->has_pid)
		printf("process    %s (pid %d)\n", taf_show_safe(text, sizeof(text), p->process),
		       p->pid);
	if (*p->boot)
		printf("boot       %s\n", p->boot);
	if (*p->os)
		printf("system     %s\n", p->os);
}

static void say_class(const struct taf_error_class *c, const char *signature)
{
	printf("class      %s\n", c ? c->name : "none that is known");
	if (c)
		printf("severity   %s: %s (%d)\nhint       %s: %s\n", c->severity, c->meaning,
		       c->level, c->hint, c->advice);
	if (signature)
		printf("signature  %s\n", signature);
}

static void put_report(struct taf_json *out, const struct taf_panic *p)
{
	taf_json_open(out, "report", '{');
	taf_json_text(out, "kind", p->kind == TAF_REPORT_PANIC ? "panic" : "crash");
	taf_json_time(out, "time", p->utc_us);
	if (p->has_pid)
		taf_json_i64(out, "pid", p->pid);
	else
		taf_json_null(out, "pid");
	taf_json_text(out, "process", p->has_pid ? p->process : NULL);
	taf_json_text(out, "boot", *p->boot ? p->boot : NULL);
	taf_json_text(out, "system", *p->os ? p->os : NULL);
	taf_json_close(out);
}

static void put_class(struct taf_json *out, const struct taf_error_class *c)
{
	if (!c) {
		taf_json_null(out, "class");
		return;
	}
	taf_json_open(out, "class", '{');
	taf_json_text(out, "name", c->name);
	taf_json_text(out, "severity", c->severity);
	taf_json_u64(out, "level", c->level);
	taf_json_text(out, "hint", c->hint);
	taf_json_text(out, "meaning", c->meaning);
	taf_json_text(out, "advice", c->advice);
	taf_json_close(out);
}

/* All that is known, for people or for programs. p is NULL when the text is no report. */
static void tell(struct job *j, const struct taf_error_class *c, const char *signature,
		 const struct taf_panic *p)
{
	bool is_log = j->is_log || (!c && !p);

	if (!j->is_json) {
		if (!is_log)
			say_class(c, signature);
		if (p)
			say_report(p);
		if (is_log)
			each_line(j, say_line);
		if (is_log && !j->found)
			puts("nothing that is known");
		return;
	}
	taf_json_init(&j->json, stdout);
	taf_json_open(&j->json, NULL, '{');
	put_class(&j->json, c);
	taf_json_text(&j->json, "signature", signature);
	if (p)
		put_report(&j->json, p);
	else
		taf_json_null(&j->json, "report");
	taf_json_open(&j->json, "lines", '[');
	if (is_log)
		each_line(j, put_line);
	taf_json_close(&j->json);
	taf_json_bool(&j->json, "is_cut", j->part != WHOLE);
	taf_json_text(&j->json, "part", parts[j->part]);
	taf_json_u64(&j->json, "from_line", j->from_line);
	taf_json_close(&j->json);
	taf_json_end(&j->json);
}

static int classify(struct job *j)
{
	struct taf_error_class c;
	const char *signature;
	struct taf_panic p;
	bool has_class;

	if (j->is_log) {
		tell(j, NULL, NULL, NULL);
		return j->found ? TAF_EXIT_OK : TAF_EXIT_FAILED;
	}
	has_class = taf_classify(j->text, j->n, &c) || taf_classify_panic(j->text, j->n, &c);
	signature = taf_signature(j->text, j->n);
	taf_panic_parse(j->text, j->n, &p);
	if (p.kind == TAF_REPORT_OTHER) {
		tell(j, has_class ? &c : NULL, signature, NULL);
		return has_class || j->found ? TAF_EXIT_OK : TAF_EXIT_FAILED;
	}
	/* Of a report only its own text counts, not all that the file lists. */
	tell(j, p.has_class ? &p.class : NULL, p.signature, &p);
	return p.has_class ? TAF_EXIT_OK : TAF_EXIT_FAILED;
}

int taf_verb_classify(int argc, char **argv)
{
	struct job j = { .path = NULL };
	int rc = read_options(argc, argv, &j), err;

	if (rc)
		return rc;
	err = read_text(&j);
	if (err) {
		taf_tell("classify: cannot read %s: %s%s", j.path ? j.path : "standard input",
			 strerror(-err),
			 err == -ENOENT && j.path ? "; a text itself goes to standard input: "
						    "echo TEXT | taffrail classify"
						  : "");
		free(j.text);
		return j.path && err != -ENOMEM ? TAF_EXIT_USAGE : TAF_EXIT_INTERNAL;
	}
	say_part(&j);
	rc = classify(&j);
	free(j.text);
	return rc;
}
