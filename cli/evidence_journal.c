/* SPDX-License-Identifier: MIT */
/* evidence_journal.c -- the kernel's journal of the boot before, by journalctl.
 *
 * Asked for once a boot: that boot is over and says nothing new.  When it could
 * not be read it is asked again once an hour, or when the folder of the journal
 * changes.  The export form is used, because it names the boot and the moment
 * of each entry:
 *
 *	__REALTIME_TIMESTAMP=1764064800000000      microseconds since 1970
 *	__MONOTONIC_TIMESTAMP=98765432             microseconds of its boot
 *	_BOOT_ID=0123...                           32 hexadecimal digits
 *	MESSAGE=NVRM: Xid (PCI:0000:05:00): 79, ...
 *	(an empty line)
 *
 * A value with a newline in it stands behind its name on a line of its own, after its
 * length as 8 bytes, the lowest first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../policy/text.h"
#include "child.h"
#include "evidence_source.h"

#define SOURCE "journal"
#define ROOM (8u << 20)
#define LIMIT_MS 3000u
#define ENTRIES "5000" /* the last of that boot */
#define AGAIN_MS TAF_HOUR_MS

static const char kept[] = "/var/log/journal";

struct entry {
	struct taf_moment at;
	const char *message;
	size_t n;
};

static uint64_t number(const char *s, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && s[i] >= '0' && s[i] <= '9' && v < UINT64_MAX / 16; i++)
		v = v * 10 + (uint64_t)(s[i] - '0');
	return v;
}

static bool is_name(const char *name, size_t n, const char *wanted)
{
	return n == strlen(wanted) && !memcmp(name, wanted, n);
}

static void take_field(struct entry *e, const char *name, size_t n, const char *value, size_t size)
{
	char id[33];

	if (is_name(name, n, "MESSAGE")) {
		e->message = value;
		e->n = size;
	} else if (is_name(name, n, "__REALTIME_TIMESTAMP")) {
		e->at.utc_ms = number(value, size) / 1000;
	} else if (is_name(name, n, "__MONOTONIC_TIMESTAMP")) {
		e->at.boot_ms = number(value, size) / 1000;
	} else if (is_name(name, n, "_BOOT_ID") && size == 32) {
		memcpy(id, value, 32);
		id[32] = '\0';
		e->at.boot = taf_boot_key(id);
	}
}

/* The value of a field without '=': its length, then its bytes. Returns what it takes. */
static size_t sized_value(const char *s, size_t n, size_t *size)
{
	uint64_t v = 0;

	if (n < 8)
		return n;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | (unsigned char)s[i];
	*size = v < n - 8 ? (size_t)v : n - 8;
	return 8 + *size + (8 + *size < n);
}

static void finish(struct taf_evidence *ev, struct entry *e, uint32_t *count)
{
	if (e->message)
		taf_evidence_line(ev, SOURCE, e->message, e->n, &e->at);
	taf_evidence_read(ev, e->at.boot, e->at.boot_ms);
	*count += e->message || e->at.boot;
	memset(e, 0, sizeof(*e));
}

uint32_t taf_journal_parse(struct taf_evidence *ev, const char *text, size_t n)
{
	struct entry e = { .message = NULL };
	uint32_t count = 0;

	for (size_t at = 0; at < n;) {
		const char *line = text + at, *end = memchr(line, '\n', n - at);
		size_t len = end ? (size_t)(end - line) : n - at, size = 0;
		const char *equals = memchr(line, '=', len);

		at += len + (end != NULL);
		if (!len) {
			finish(ev, &e, &count);
		} else if (equals) {
			take_field(&e, line, (size_t)(equals - line), equals + 1,
				   len - (size_t)(equals - line) - 1);
		} else {
			const char *value = text + at;
			size_t whole = sized_value(value, n - at, &size);

			take_field(&e, line, len, value + 8, whole >= 8 ? size : 0);
			at += whole;
		}
	}
	finish(ev, &e, &count);
	return count;
}

static bool has(const struct taf_evidence *ev, const char *path, struct stat *st)
{
	char whole[PATH_MAX];

	return (size_t)snprintf(whole, sizeof(whole), "%s%s", ev->root, path) < sizeof(whole) &&
	       !stat(whole, st);
}

static const char *program(void)
{
	static const char *const places[] = { "/usr/bin/journalctl", "/bin/journalctl" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (!access(places[i], X_OK))
			return places[i];
	return NULL;
}

enum keeping { KEEPS_NOTHING, KEEPS_SECRET, KEEPS_OPEN };

/* Whether a journal outlives the boots here, and whether we may read it. */
static enum keeping keeping_of(const char *root)
{
	enum keeping found = KEEPS_NOTHING;
	char path[PATH_MAX + 512];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s%s", root, kept);
	d = opendir(path);
	if (!d && errno == EACCES)
		return KEEPS_SECRET;
	while (d && found == KEEPS_NOTHING && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s%s/%s/system.journal", root, kept, e->d_name);
		if (!faccessat(AT_FDCWD, path, R_OK, AT_EACCESS))
			found = KEEPS_OPEN;
		else if (errno == EACCES)
			found = KEEPS_SECRET;
	}
	if (d)
		closedir(d);
	return found;
}

bool taf_journal_is_kept(const char *root, bool *can_read)
{
	enum keeping keeps = keeping_of(root);

	*can_read = keeps == KEEPS_OPEN;
	return keeps != KEEPS_NOTHING;
}

/* Why there are no entries; "": because there was no such boot. */
static void explain(const struct taf_evidence *ev, const struct taf_child_said *said, char *why,
		    size_t room)
{
	enum keeping keeps = keeping_of(ev->root);
	int n = (int)strcspn(said->err, "\n");

	if (said->is_cut)
		snprintf(why, room, "journalctl said more than %u MiB; look at the journal by hand",
			 ROOM >> 20);
	else if (said->status == -1)
		snprintf(why, room, "journalctl took longer than %u s; look at the journal by hand",
			 LIMIT_MS / 1000);
	else if (keeps == KEEPS_SECRET || strstr(said->err, "insufficient permissions") ||
		 strstr(said->err, "not seeing messages"))
		snprintf(why, room,
			 "the journal of the kernel may not be read; join the group "
			 "systemd-journal, or run as root");
	else if (keeps == KEEPS_NOTHING)
		snprintf(why, room,
			 "no journal outlives a restart here; make /var/log/journal and "
			 "restart systemd-journald");
	else if (!said->status || strstr(said->err, "boot ID"))
		why[0] = '\0';
	else
		snprintf(why, room, "journalctl: %.*s; look at the journal by hand",
			 n < 120 ? n : 120, n ? said->err : "failed without a word");
}

static void ask(struct taf_evidence *ev, const char *path, char *why, size_t room)
{
	char root[PATH_MAX + 8];
	char *live[] = { (char *)path, "-k", "-b",    "-1",	    "-o",
			 "export",     "-n", ENTRIES, "--no-pager", "--output-fields=MESSAGE",
			 NULL };
	/* Of a copied disk every boot is one before. */
	char *copied[] = { (char *)path, root,	       "_TRANSPORT=kernel",
			   "-o",	 "export",     "-n",
			   ENTRIES,	 "--no-pager", "--output-fields=MESSAGE",
			   NULL };
	struct taf_child_said said;
	int err;

	snprintf(root, sizeof(root), "--root=%s", ev->root);
	err = taf_child_ask(*ev->root ? copied : live, ROOM, LIMIT_MS, &said);
	if (err) {
		snprintf(why, room, "%s cannot be started: %s; look at the journal by hand", path,
			 strerror(-err));
		return;
	}
	/* What was cut off is the end, which matters most. */
	if (!taf_journal_parse(ev, said.out, said.n_out) || said.status == -1)
		explain(ev, &said, why, room);
	taf_child_free(&said);
}

/* Whether the answer of the mark still counts. */
static bool is_known(const struct taf_evidence *ev, const struct taf_mark *m, uint64_t changed)
{
	if (m->boot != ev->now.boot)
		return false;
	return !*m->blind ||
	       (m->a == changed && ev->now.boot_ms >= m->b && ev->now.boot_ms - m->b < AGAIN_MS);
}

void taf_evidence_journal(struct taf_evidence *ev)
{
	struct taf_mark *m = taf_mark_of(ev, SOURCE),
			now = { .boot = ev->now.boot, .b = ev->now.boot_ms };
	const char *path = program();
	struct stat st;

	if (!m)
		return;
	if (has(ev, kept, &st))
		now.a = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	if (!is_known(ev, m, now.a)) {
		if (path && (!*ev->root || now.a))
			ask(ev, path, now.blind, sizeof(now.blind));
		else if (has(ev, kept, &st) || has(ev, "/run/systemd/system", &st))
			taf_copy(now.blind,
				 "there is no /usr/bin/journalctl; install systemd's tools",
				 sizeof(now.blind));
		taf_mark_set(ev, m, &now);
	}
	if (*m->blind)
		taf_evidence_blind(ev, SOURCE, "%s", m->blind);
}
