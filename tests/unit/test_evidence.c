/* SPDX-License-Identifier: MIT */
/* test_evidence.c -- the sources of evidence under a root of their own: what is found, found
 * once, or blind. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cli/child.h"
#include "../../cli/evidence_source.h"
#include "../../shim/share.h"
#include "../../shim/sys.h"

#define REPORTS "/Library/Logs/DiagnosticReports"
#define NOBODY 65534

static char root[PATH_MAX], state[PATH_MAX];
static struct taf_evidence_report found;

static void run(const char *format, const char *where)
{
	char command[3 * PATH_MAX];

	snprintf(command, sizeof(command), format, where);
	assert_int_equal(system(command), 0);
}

static int set_up(void **s)
{
	char at[] = "/tmp/taf-evidence-XXXXXX";

	(void)s;
	if (!mkdtemp(at))
		return -1;
	snprintf(root, sizeof(root), "%s/root", at);
	snprintf(state, sizeof(state), "%s/state", at);
	if (chmod(at, 0755) || mkdir(root, 0755) || mkdir(state, 0700))
		return -1;
	setenv("TAFFRAIL_EVIDENCE_ROOT", root, 1);
	setenv("HOME", "/Users/me", 1);
	taf_share_open(state);
	return 0;
}

static int tear_down(void **s)
{
	(void)s;
	*strrchr(root, '/') = '\0';
	run("rm -rf '%s'", root);
	return 0;
}

/* Writes text below the root and makes its folders. */
static void put(const char *path, const char *text)
{
	char whole[2 * PATH_MAX];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	*strrchr(whole, '/') = '\0';
	run("mkdir -p '%s'", whole);
	snprintf(whole, sizeof(whole), "%s%s", root, path);
	f = fopen(whole, "a");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static uint32_t refresh(void)
{
	assert_int_equal(taf_evidence_refresh(state, &found), 0);
	return found.n_new;
}

/* A copy of the ledger's events of that class. */
static uint32_t events(const char *class, struct taf_ledger_event *last)
{
	uint32_t n = 0;
	int err;
	const struct taf_ledger *l = taf_share_enter(&err);

	for (uint32_t i = 0; i < l->n_events; i++)
		if (!class || !strcmp(l->event[i].class, class)) {
			n++;
			if (last)
				*last = l->event[i];
		}
	taf_share_leave(TAF_SHARE_SAME);
	return n;
}

static const char panic[] =
	"{\"bug_type\":\"210\",\"timestamp\":\"2026-05-24 02:46:30.00 +0900\"}\n"
	"{\"panicString\" : \"panic(cpu 10 caller 0xfffffe00560d2f48): \\\"completeMemory() "
	"prepare "
	"count underflow\\\" @IOGPUMemory.cpp:550\\nBoot session UUID: "
	"9D03838D-720F-4328-9464-8EEF0630F6D1\\n  Calendar: 0x6a11e7ee 0x00014b06\\n"
	"Panicked task 0x1: 67178 pages, 13 threads: pid 25467: python3.13\\n\"}\n";
static const char plain[] =
	"panic(cpu 10 caller 0xfffffe00560d2f48): \"completeMemory() prepare count underflow\" "
	"@IOGPUMemory.cpp:550\nBoot session UUID: 9D03838D-720F-4328-9464-8EEF0630F6D1\n"
	"  Calendar: 0x6a11e7ee 0x00014b06\nPanicked task 0x1: 67178 pages: pid 25467: "
	"python3.13\n";

static void one_panic_many_files(void **s)
{
	struct taf_ledger_event e;

	(void)s;
	put(REPORTS "/panic-full-2026-05-24-024630.0002.panic", panic);
	put(REPORTS "/Retired/panic-full-2026-05-24-024630.0002.panic", panic);
	put(REPORTS "/.contents.panic", plain);
	put("/var/db/PanicReporter/current.panic", plain);
	put("/Users/me" REPORTS "/panic-full-2026-05-24-024630.ips", panic);
	put(REPORTS "/notes.txt", panic);
	assert_int_equal(refresh(), 1);
	assert_int_equal(events(NULL, &e), 1);
	assert_string_equal(e.class, "iogpu_prepare_count_underflow");
	assert_string_equal(e.source, "panic_file");
	assert_int_equal(e.severity, TAF_SEVERITY_PANIC);
	assert_int_equal(e.pid, 25467);
	assert_int_equal(e.at.boot, 0x9d03838d720f4328);
	assert_int_equal(e.at.utc_ms, 0x6a11e7eeull * 1000 + 84);
	assert_int_equal(found.n_blind, 0);
	assert_int_equal(refresh(), 0);
}

static void new_file_is_found(void **s)
{
	(void)s;
	put(REPORTS "/panic-full-1.panic", panic);
	assert_int_equal(refresh(), 1);
	put(REPORTS "/panic-full-2.panic",
	    "panic(cpu 0 caller 0xf): watchdog timeout: no checkins from watchdogd in 92 seconds\n"
	    "Boot session UUID: 3307F721-9892-4CF4-BD6F-1DCC8293E8A6\nCalendar: 0x6a12e7ee 0x1\n");
	assert_int_equal(refresh(), 1);
	assert_int_equal(events("watchdogd_timeout", NULL), 1);
}

static void panic_of_others_is_a_remark(void **s)
{
	struct taf_ledger_event e = { .is_abort = false };

	(void)s;
	put(REPORTS "/panic-full-1.panic", "panic(cpu 0 caller 0xf): something else @pmap.c:12\n"
					   "Calendar: 0x6a12e7ee 0x1\n");
	put(REPORTS "/python-1.ips",
	    "{\"bug_type\":\"309\",\"timestamp\":\"2026-11-25 10:00:00 +0000\"}\n"
	    "{\"pid\":4242,\"asi\":[\"kIOGPUCommandBufferCallbackErrorHang\"]}\n");
	put(REPORTS "/other-1.ips", "{\"bug_type\":\"309\"}\n{\"pid\":1}\n");
	assert_int_equal(refresh(), 2);
	assert_int_equal(events("unknown_panic", &e), 1);
	assert_int_equal(e.severity, TAF_SEVERITY_NOTE);
	assert_int_equal(events("gpu_hang", &e), 1);
	assert_true(e.is_abort);
	assert_int_equal(e.pid, 4242);
}

static void only_plain_files(void **s)
{
	char path[2 * PATH_MAX], at[2 * PATH_MAX];

	(void)s;
	put("/elsewhere.panic", panic);
	put(REPORTS "/empty.panic", "");
	snprintf(path, sizeof(path), "%s" REPORTS "/link.panic", root);
	snprintf(at, sizeof(at), "%s/elsewhere.panic", root);
	assert_int_equal(symlink(at, path), 0);
	snprintf(path, sizeof(path), "%s" REPORTS "/pipe.panic", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(refresh(), 0);
	assert_int_equal(found.n_blind, 0);
}

static void dumps_of_pstore(void **s)
{
	struct taf_ledger_event e;

	(void)s;
	put("/sys/fs/pstore/dmesg-efi-165467635202001",
	    "Panic#1 Part2\n<6>[  100.000000] fine\n<3>[  101.000000] NVRM: Xid (PCI:0000:05:00): "
	    "79, "
	    "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.\n");
	put("/sys/fs/pstore/dmesg-efi-165467635201001",
	    "Panic#1 Part1\n<0>[  102.000000] Kernel panic - not syncing: hung\n");
	put("/sys/fs/pstore/dmesg-ramoops-0.enc.z", "Kernel panic - not syncing: unreadable\n");
	put("/var/lib/systemd/pstore/1654676352/001/dmesg.txt",
	    "Panic#1 Part1\n<0>[  102.000000] Kernel panic - not syncing: hung\n");
	assert_int_equal(refresh(), 2);
	assert_int_equal(events("kernel_panic", &e), 1);
	assert_int_equal(e.at.utc_ms, 1654676352000ull);
	assert_int_equal(e.severity, TAF_SEVERITY_PANIC);
	assert_string_equal(e.source, "pstore");
	assert_int_equal(events("xid_79", &e), 1);
	assert_string_equal(e.device, "0000:05:00.0");
	assert_int_equal(refresh(), 0);
}

static void kernel_log(void **s)
{
	struct taf_ledger_event e;

	(void)s;
	put("/dev/kmsg", "6,1,1000,-;usb 1-1: fine\n SUBSYSTEM=usb\n"
			 "3,2,2000,-;NVRM: Xid (PCI:0000:05:00): 31, pid=77, name=x, MMU Fault\n"
			 "3,3,3000,-;amdgpu 0000:03:00.0: GPU reset begin!\n"
			 "4,4,4000,-;amdgpu 0000:03:00.0: GPU reset(1) succeeded!\n"
			 "12,5,5000,-;NVRM: Xid (PCI:0000:05:00): 79, written by a program\n"
			 "no record at all\n;\n3,;\n");
	assert_int_equal(refresh(), 2);
	assert_int_equal(events("xid_31", &e), 1);
	assert_int_equal(e.pid, 77);
	assert_string_equal(e.source, "kmsg");
	assert_true(e.at.boot != 0);
	assert_int_equal(events("amdgpu_reset", &e), 1);
	assert_int_equal(e.severity, TAF_SEVERITY_PROCESS);
	assert_string_equal(e.device, "0000:03:00.0");
	assert_int_equal(refresh(), 0);
	put("/dev/kmsg",
	    "3,6,6000,-;NVRM: Xid (PCI:0000:06:00): 79, GPU has fallen off the bus.\n");
	assert_int_equal(refresh(), 1);
	assert_int_equal(events("xid_79", NULL), 1);
	assert_int_equal(events(NULL, NULL), 3);
}

/* A reset that is told later is for the events of before, also after another look. */
static void reset_is_for_the_ledger(void **s)
{
	struct taf_ledger_event e;

	(void)s;
	put("/dev/kmsg", "3,3,3000,-;amdgpu 0000:03:00.0: GPU reset begin!\n");
	assert_int_equal(refresh(), 1);
	assert_int_equal(events("amdgpu_reset", &e), 1);
	assert_int_equal(e.severity, TAF_SEVERITY_DEVICE);
	put("/dev/kmsg", "4,4,4000,-;amdgpu 0000:03:00.0: GPU reset(1) succeeded!\n");
	assert_int_equal(refresh(), 0);
	taf_share_open(state);
	assert_int_equal(events("amdgpu_reset", &e), 1);
	assert_int_equal(e.severity, TAF_SEVERITY_PROCESS);
}

/* What is lost or damaged is read again, and nothing is counted twice. */
static void marks_are_spare(void **s)
{
	char path[PATH_MAX + 16];
	struct stat a, b;

	(void)s;
	put("/dev/kmsg", "3,2,2000,-;NVRM: Xid (PCI:0000:05:00): 31, pid=77, name=x, MMU Fault\n");
	put(REPORTS "/1.panic", panic);
	assert_int_equal(refresh(), 2);
	snprintf(path, sizeof(path), "%s/evidence", state);
	assert_int_equal(stat(path, &a), 0);
	assert_int_equal(a.st_mode & 07777, 0600);
	/* Nothing new: nothing is written. */
	refresh();
	assert_int_equal(stat(path, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	run("printf 'taffrail-evidence 1 /elsewhere\\nkmsg 0 0 0 0 -\\n' > '%s'", path);
	assert_int_equal(refresh(), 0);
	run("head -c 2000 /dev/urandom > '%s'", path);
	assert_int_equal(refresh(), 0);
	run("rm '%s'", path);
	assert_int_equal(refresh(), 0);
	/* One digit that differs is damage. */
	run("sed -i 's/^kmsg \\(.*\\) 3 0 0 -$/kmsg \\1 9 0 0 -/' '%s'", path);
	put("/dev/kmsg", "3,4,4000,-;NVRM: Xid (PCI:0000:06:00): 31, pid=78, name=x, MMU Fault\n");
	assert_int_equal(refresh(), 1);
	assert_int_equal(events(NULL, NULL), 3);
}

/* A report that is found half written is read again when it is whole. */
static void half_written(void **s)
{
	struct timespec then[2] = { { .tv_sec = time(NULL) - 10 }, { .tv_sec = time(NULL) - 10 } };
	char path[2 * PATH_MAX];

	(void)s;
	put(REPORTS "/1.panic", "");
	snprintf(path, sizeof(path), "%s" REPORTS, root);
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	assert_int_equal(refresh(), 0);
	put(REPORTS "/1.panic", panic);
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	assert_int_equal(refresh(), 1);
}

/* A clock that was ahead must not hide what comes after it was set back. */
static void clock_was_ahead(void **s)
{
	char path[2 * PATH_MAX];
	struct timespec ahead[2] = { { .tv_sec = time(NULL) + 86400 },
				     { .tv_sec = time(NULL) + 86400 } };

	(void)s;
	put(REPORTS "/1.panic", panic);
	snprintf(path, sizeof(path), "%s" REPORTS "/1.panic", root);
	assert_int_equal(utimensat(AT_FDCWD, path, ahead, 0), 0);
	assert_int_equal(refresh(), 1);
	put(REPORTS "/2.panic",
	    "panic(cpu 0 caller 0xf): watchdog timeout: no checkins from watchdogd in "
	    "92 seconds\nCalendar: 0x6a12e7ee 0x1\n");
	assert_int_equal(refresh(), 1);
}

static void root_must_be_one(void **s)
{
	(void)s;
	setenv("TAFFRAIL_EVIDENCE_ROOT", "relative", 1);
	assert_int_equal(refresh(), 0);
	assert_int_equal(found.n_blind, 1);
	assert_string_equal(found.blind[0].source, "root");
	assert_non_null(
		strstr(found.blind[0].why, "TAFFRAIL_EVIDENCE_ROOT is \"relative\", no directory"));
}

static void unreadable_is_blind(void **s)
{
	const char *const folders[] = { REPORTS, "/sys/fs/pstore" };
	char path[2 * PATH_MAX];
	struct taf_ledger *l;
	int err;

	(void)s;
	if (!geteuid())
		assert_int_equal(chown(state, NOBODY, NOBODY), 0);
	put(REPORTS "/1.panic", panic);
	put("/sys/fs/pstore/dmesg-ramoops-0", "Panic#1 Part1\n");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		assert_int_equal(chmod(path, 0), 0);
	}
	if (!getuid())
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(refresh(), 0);
	assert_int_equal(found.n_blind, 2);
	assert_string_equal(found.blind[0].source, "panic_file");
	assert_non_null(strstr(found.blind[0].why, REPORTS));
	assert_non_null(strstr(found.blind[0].why, "Permission denied; run as root"));
	assert_string_equal(found.blind[1].source, "pstore");
	l = taf_share_enter(&err);
	assert_int_equal(err, 0);
	assert_true(l->is_blind);
	assert_string_equal(l->blind, "panic_file, pstore");
	taf_share_leave(TAF_SHARE_SAME);
	/* It stays blind until it can be read. */
	refresh();
	assert_int_equal(found.n_blind, 2);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		assert_int_equal(chmod(path, 0755), 0);
	}
	if (!getuid())
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(refresh(), 2);
	assert_int_equal(found.n_blind, 0);
	l = taf_share_enter(&err);
	assert_false(l->is_blind);
	taf_share_leave(TAF_SHARE_SAME);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
}

static void unreadable_file_is_blind(void **s)
{
	char path[2 * PATH_MAX];

	(void)s;
	if (!geteuid())
		assert_int_equal(chown(state, NOBODY, NOBODY), 0);
	put(REPORTS "/1.panic", panic);
	snprintf(path, sizeof(path), "%s" REPORTS "/1.panic", root);
	assert_int_equal(chmod(path, 0), 0);
	if (!getuid())
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(refresh(), 0);
	assert_int_equal(found.n_blind, 1);
	assert_non_null(strstr(found.blind[0].why, "1.panic: Permission denied"));
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
}

static void journal_export(void **s)
{
	static const char text[] =
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764064800123456\n__MONOTONIC_TIMESTAMP="
		"98765432\n"
		"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=usb 1-1: fine\n\n"
		"__REALTIME_TIMESTAMP=1764064801000000\n__MONOTONIC_TIMESTAMP=99000000\n"
		"_BOOT_ID=0123456789abcdef0123456789abcdef\n"
		"MESSAGE=NVRM: Xid (PCI:0000:05:00): 79, GPU has fallen off the bus.\n\n"
		"__REALTIME_TIMESTAMP=1764064802000000\n_BOOT_ID=0123456789abcdef0123456789abcdef\n"
		"MESSAGE\n\x2b\0\0\0\0\0\0\0two lines\nKernel panic - not syncing: Fatal\n\n"
		"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffx";
	static struct taf_evidence ev;

	(void)s;
	memset(&ev, 0, sizeof(ev));
	assert_int_equal(taf_journal_parse(&ev, text, sizeof(text) - 1), 4);
	assert_int_equal(ev.n, 2);
	assert_string_equal(ev.event[0].class, "xid_79");
	assert_string_equal(ev.event[0].source, "journal");
	assert_int_equal(ev.event[0].at.boot, 0x0123456789abcdef);
	assert_int_equal(ev.event[0].at.boot_ms, 99000);
	assert_int_equal(ev.event[0].at.utc_ms, 1764064801000ull);
	assert_string_equal(ev.event[1].class, "kernel_panic");
	for (size_t n = 0; n < sizeof(text); n++)
		taf_journal_parse(&ev, text, n);
}

static void child(void **s)
{
	char *both[] = { "/bin/sh", "-c", "echo out; echo err >&2; env | wc -l; exit 3", NULL };
	char *endless[] = { "/bin/sh", "-c", "while :; do echo yes; done", NULL };
	char *asleep[] = { "/bin/sleep", "1000", NULL };
	char *none[] = { "/nowhere/at-all", NULL };
	struct taf_child_said said;

	(void)s;
	setenv("LD_PRELOAD", "", 1);
	assert_int_equal(taf_child_ask(both, 4096, 20000, &said), 0);
	assert_true(WIFEXITED(said.status) && WEXITSTATUS(said.status) == 3);
	assert_int_equal(strncmp(said.out, "out\n", 4), 0);
	assert_string_equal(said.err, "err\n");
	taf_child_free(&said);
	assert_int_equal(taf_child_ask(endless, 4096, 20000, &said), 0);
	assert_true(said.is_cut);
	assert_int_equal(said.n_out, 4096);
	taf_child_free(&said);
	assert_int_equal(taf_child_ask(asleep, 4096, 50, &said), 0);
	assert_int_equal(said.status, -1);
	taf_child_free(&said);
	assert_true(taf_child_ask(none, 4096, 20000, &said) < 0 || said.n_out == 0);
	taf_child_free(&said);
}

static void list_is_bounded(void **s)
{
	static struct taf_evidence ev;
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_PANIC };

	(void)s;
	memset(&ev, 0, sizeof(ev));
	strcpy(e.class, "kernel_panic");
	taf_evidence_add(&ev, &e);
	e.severity = TAF_SEVERITY_PROCESS;
	for (int i = 0; i < 1000; i++) {
		snprintf(e.class, sizeof(e.class), "class_%d", i);
		taf_evidence_add(&ev, &e);
	}
	assert_int_equal(ev.n, TAF_EVIDENCE_EVENTS);
	assert_string_equal(ev.event[0].class, "kernel_panic");
	assert_string_equal(ev.event[ev.n - 1].class, "class_999");
	for (int i = 0; i < 100; i++)
		taf_evidence_blind(&ev, "x", "a\nb");
	assert_int_equal(ev.n_blind, TAF_EVIDENCE_BLIND);
	assert_string_equal(ev.blind[0].why, "a?b");
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(one_panic_many_files),
		IN_ROOT(new_file_is_found),
		IN_ROOT(panic_of_others_is_a_remark),
		IN_ROOT(only_plain_files),
		IN_ROOT(dumps_of_pstore),
		IN_ROOT(reset_is_for_the_ledger),
		IN_ROOT(kernel_log),
		IN_ROOT(marks_are_spare),
		IN_ROOT(clock_was_ahead),
		IN_ROOT(half_written),
		IN_ROOT(root_must_be_one),
		IN_ROOT(unreadable_is_blind),
		IN_ROOT(unreadable_file_is_blind),
		cmocka_unit_test(journal_export),
		cmocka_unit_test(child),
		cmocka_unit_test(list_is_bounded),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
