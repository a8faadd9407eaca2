/* SPDX-License-Identifier: MIT */
/* host_evidence.c -- whether the machine will tell, after a panic, that there was one.
 *
 * The guard's own log does it in any case (a call that began under another boot
 * and never ended); what the kernel says besides tells which driver it was.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "evidence_source.h"

/* "Storage=" of journald.conf, "auto" where nothing is said. */
static void read_storage(const struct taf_host_look *l, char storage[16])
{
	char path[PATH_MAX], line[256];
	FILE *file;

	snprintf(storage, 16, "auto");
	snprintf(path, sizeof(path), "%s/etc/systemd/journald.conf", l->root);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " Storage = %15s", storage) == 1)
			continue;
	if (file)
		fclose(file);
}

static void look_journal(struct taf_host_look *l)
{
	char storage[16];
	bool can_read = false;
	bool is_kept = taf_journal_is_kept(l->root, &can_read);
	bool is_live = taf_host_has(l, "/run/log/journal", NULL);

	read_storage(l, storage);
	if (!strcmp(storage, "none") || (!strcmp(storage, "volatile") && (is_kept || is_live)) ||
	    (is_live && !is_kept))
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "journal",
				 "the journal forgets each boot (Storage=%s): what the kernel said "
				 "before a panic is lost; mkdir -p /var/log/journal, "
				 "Storage=persistent, systemctl restart systemd-journald",
				 storage);
	else if (is_kept && can_read)
		taf_findings_add(&l->findings, TAF_SORT_OK, "journal", "kept across boots");
	else if (is_kept)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "journal",
				 "kept across boots, but not for this user to read; join the group "
				 "systemd-journal or adm");
	else if (taf_host_has(l, "/var/log/kern.log", NULL) ||
		 taf_host_has(l, "/var/log/messages", NULL))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "journal",
				 "no journal; the kernel's words are in a file of %s/var/log, "
				 "which is not read: give it to taffrail classify after a crash",
				 l->root);
	else
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "journal",
				 "none here: after a panic only crumbs and pstore can tell; in a "
				 "container mount the host's /var/log/journal");
}

static void look_pstore(struct taf_host_look *l)
{
	char backend[64];
	bool can_read = false;

	taf_host_line(l, "/sys/module/pstore/parameters/backend", backend, sizeof(backend));
	if (!taf_host_has(l, "/sys/fs/pstore", &can_read))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "pstore",
				 "this kernel has none, or it is not mounted: the last words of a "
				 "panic are not kept; mount -t pstore pstore /sys/fs/pstore");
	else if (!*backend || !strcmp(backend, "(null)"))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "pstore",
				 "it has no backend, so nothing is kept; load efi_pstore or "
				 "ramoops");
	else if (!can_read)
		taf_findings_add(
			&l->findings, TAF_SORT_NOTE, "pstore",
			"kept by %s, but not for this user to read; let root run `taffrail "
			"gate` once after each boot",
			backend);
	else
		taf_findings_add(&l->findings, TAF_SORT_OK, "pstore", "kept by %s across a panic",
				 backend);
}

static void look_kernel_log(struct taf_host_look *l)
{
	char line[16];

	taf_host_line(l, "/proc/sys/kernel/dmesg_restrict", line, sizeof(line));
	if (!strcmp(line, "1") && geteuid())
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "kernel-log",
				 "only root reads it (kernel.dmesg_restrict is 1): errors of a "
				 "driver are not seen by this user");
	else if (!*line)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "kernel-log",
				 "unknown: %s/proc/sys/kernel/dmesg_restrict cannot be read",
				 l->root);
	else
		taf_findings_add(&l->findings, TAF_SORT_OK, "kernel-log", "can be read");
}

static void look_panic(struct taf_host_look *l)
{
	char line[16];

	taf_host_line(l, "/proc/sys/kernel/panic", line, sizeof(line));
	if (!strcmp(line, "0"))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "panic",
				 "after a panic the machine stands still (kernel.panic is 0); "
				 "sysctl kernel.panic=10 starts it again");
	else if (*line)
		taf_findings_add(&l->findings, TAF_SORT_OK, "panic",
				 "the machine starts again by itself (kernel.panic is %s)", line);
}

static void look_core(struct taf_host_look *l)
{
	struct rlimit limit;
	char pattern[256];

	taf_host_line(l, "/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (getrlimit(RLIMIT_CORE, &limit))
		limit.rlim_cur = 0;
	/* The limit of this process says nothing of another machine. */
	if (*l->root)
		limit.rlim_cur = RLIM_INFINITY;
	if (*l->root && !*pattern)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "core",
				 "unknown: %s/proc/sys/kernel/core_pattern cannot be read",
				 l->root);
	else if (*pattern == '|')
		taf_findings_add(&l->findings, TAF_SORT_OK, "core", "dumps go to %s", pattern + 1);
	else if (!*pattern || !limit.rlim_cur)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "core",
				 "a crash leaves no dump (ulimit -c is 0); the report has its own "
				 "records");
	else
		taf_findings_add(&l->findings, TAF_SORT_OK, "core",
				 "dumps go to \"%s\": one of a GPU process may be huge", pattern);
}

void taf_host_evidence(struct taf_host_look *l)
{
	look_journal(l);
	look_pstore(l);
	look_kernel_log(l);
	look_panic(l);
	look_core(l);
}
