/* SPDX-License-Identifier: MIT */
/* panic.h -- one report file of macOS: a kernel panic, or the crash of a program.
 *
 * Two forms exist.  Since macOS 10.15 a file begins with a line of JSON about
 * itself ({"bug_type":"210",...}) and goes on with one JSON object, where the
 * panic's own text is the string "panicString"; it may hold raw newlines and be
 * cut off, so no strict JSON reader would do.  Older files and copies of the
 * log are that text alone (xnu osfmk/arm/model_dep.c, osfmk/kern/debug.c):
 *
 *	panic(cpu 3 caller 0xfffffe..): "completeMemory() prepare ..." @IOGPUMemory.cpp:550
 *	OS version: 25F84
 *	Boot session UUID: 9D03838D-...       equals kern.bootsessionuuid of that boot
 *	Calendar: 0x6a11e02e 0x000d462c       seconds and microseconds since 1970
 *	Panicked task 0x...: 67178 pages, 13 threads: pid 25467: python3.13
 *
 * The bytes come from a file that anybody may have written: every field is
 * checked, and what is not there is left empty.
 */
#ifndef TAF_PANIC_H
#define TAF_PANIC_H

#include "classify.h"
#include "ledger.h"

enum taf_report_kind {
	TAF_REPORT_OTHER, /* of something else: a hang, a memory kill, no report at all */
	TAF_REPORT_PANIC,
	TAF_REPORT_CRASH, /* of a program */
};

struct taf_panic {
	enum taf_report_kind kind;
	const char *text; /* the panic's own text, unescaped, in the buffer of the caller */
	size_t n;
	uint64_t utc_us; /* when it happened; 0: it does not say */
	bool has_pid;
	int32_t pid; /* of the task that panicked, else the first that is named */
	char process[64];
	char boot[33]; /* 32 hexadecimal digits; "": it does not say */
	char os[24]; /* "25F84" */
	bool has_class;
	struct taf_error_class class;
	const char *signature; /* NULL: none is known */
};

/* Reads the n bytes at body, the beginning of a file, and unescapes the panic's text in place. */
void taf_panic_parse(char *body, size_t n, struct taf_panic *p);
/* What the report says as an event of the ledger, without the moment it was seen;
 * file_utc_ms is when the file was written. A panic that is not of the GPU is a
 * remark. False: it tells of nothing that is counted. */
bool taf_panic_event(const struct taf_panic *p, uint64_t file_utc_ms, struct taf_ledger_event *e);

#endif
