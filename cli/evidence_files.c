/* SPDX-License-Identifier: MIT */
/* evidence_files.c -- what is left of a crash as files: reports of macOS, and pstore on Linux. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../policy/klog.h"
#include "../policy/panic.h"
#include "../policy/text.h"
#include "evidence_source.h"

static bool is_report(const char *name)
{
	return taf_ends(name, ".panic") || taf_ends(name, ".ips");
}

static void take_report(struct taf_evidence *ev, const struct taf_found_file *f)
{
	struct taf_ledger_event e;
	struct taf_panic p;

	taf_panic_parse(f->text, f->n, &p);
	if (taf_panic_event(&p, f->utc_ms, &e))
		taf_evidence_add(ev, &e);
}

/* A home that is closed to us is somebody else's: HOME was carried over. */
static bool is_home(const struct taf_evidence *ev, const char *home)
{
	char path[PATH_MAX];

	return home && *home == '/' &&
	       (size_t)snprintf(path, sizeof(path), "%s%s", ev->root, home) < sizeof(path) &&
	       !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

void taf_evidence_reports(struct taf_evidence *ev)
{
	static const struct {
		const char *mark, *path;
		bool is_home;
		int depth;
	} places[] = {
		{ "reports", "/Library/Logs/DiagnosticReports", false, 0 },
		{ "retired", "/Library/Logs/DiagnosticReports/Retired", false, 0 },
		{ "reporter", "/var/db/PanicReporter", false, 1 },
		{ "own", "/Library/Logs/DiagnosticReports", true, 0 },
		{ "own_retired", "/Library/Logs/DiagnosticReports/Retired", true, 0 },
	};
	struct taf_folder f = { .source = "panic_file",
				.wants = is_report,
				.take = take_report,
				.advice =
					"run as root, or let this user read it (chmod, chmod +a)" };
	const char *home = getenv("HOME");
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i].is_home && !is_home(ev, home))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s%s", places[i].is_home ? home : "",
				     places[i].path) >= sizeof(path))
			continue;
		f.mark = places[i].mark;
		f.path = path;
		f.depth = places[i].depth;
		taf_evidence_folder(ev, &f);
	}
}

/* Text of a crashed kernel; what was only kept compressed has another ending. */
static bool is_dump(const char *name)
{
	return !strcmp(name, "dmesg.txt") ||
	       (!strncmp(name, "dmesg-", 6) && !taf_ends(name, ".z") && !taf_ends(name, ".enc"));
}

/* Seconds since 1970 that a path of pstore carries: systemd's folders and the
 * files of EFI are named by them ("dmesg-efi-165467635201001": the last five
 * digits are part and count). 0: none. */
static uint64_t time_in(const char *path)
{
	uint64_t found = 0;

	for (const char *p = path; *p; p++) {
		size_t n = strspn(p, "0123456789");
		uint64_t s = 0;

		for (size_t i = 0; i < 10 && i < n; i++)
			s = s * 10 + (uint64_t)(p[i] - '0');
		if (n == 10 || n == 15)
			found = s;
		if (n)
			p += n - 1;
	}
	return found;
}

/* A line as it was printed, without "<6>[   12.345678] ". */
static const char *bare_line(const char *line, size_t *n)
{
	const char *end = line + *n, *p = line;

	if (p < end && *p == '<')
		while (p < end && *p++ != '>')
			;
	if (p < end && *p == '[')
		while (p < end && *p++ != ']')
			;
	while (p < end && *p == ' ')
		p++;
	*n = (size_t)(end - p);
	return p;
}

static void take_dump(struct taf_evidence *ev, const struct taf_found_file *f)
{
	/* The first line says what made the kernel write this: "Panic#1 Part1". */
	static const char head[] = "Panic#", told[] = "Kernel panic - not syncing";
	uint64_t s = time_in(f->path);
	struct taf_moment at = { .utc_ms = f->utc_ms };

	if (s && s * 1000 <= ev->now.utc_ms)
		at.utc_ms = s * 1000;
	if (!strncmp(f->text, head, sizeof(head) - 1))
		taf_evidence_line(ev, "pstore", told, sizeof(told) - 1, &at);
	for (size_t from = 0; from < f->n;) {
		const char *line = f->text + from, *end = memchr(line, '\n', f->n - from);
		size_t n = end ? (size_t)(end - line) : f->n - from;

		from += n + 1;
		line = bare_line(line, &n);
		taf_evidence_line(ev, "pstore", line, n, &at);
	}
}

void taf_evidence_pstore(struct taf_evidence *ev)
{
	struct taf_folder f = { .source = "pstore",
				.wants = is_dump,
				.take = take_dump,
				.advice =
					"run as root, or let this user read it (chmod, setfacl)" };

	f.mark = "pstore";
	f.path = "/sys/fs/pstore";
	taf_evidence_folder(ev, &f);
	f.mark = "pstore_kept";
	f.path = "/var/lib/systemd/pstore";
	f.depth = 2;
	taf_evidence_folder(ev, &f);
}
