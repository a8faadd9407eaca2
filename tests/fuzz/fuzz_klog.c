/* SPDX-License-Identifier: MIT */
/* fuzz_klog.c -- any bytes as lines of a kernel log: in bounds, closed strings, known severities. */
#include <stdlib.h>
#include <string.h>

#include "../../policy/klog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_right)
{
	if (!is_right)
		abort();
}

static void read_line(const char *line, size_t n)
{
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_DEVICE };
	struct taf_moment now = { 0, 0, 1 };
	struct taf_klog k;
	uint8_t before = e.severity;

	if (!taf_klog_line(line, n, &k))
		return;
	check(k.class[0] && memchr(k.class, 0, sizeof(k.class)));
	check(memchr(k.device, 0, sizeof(k.device)) != NULL);
	check(!k.device[0] || strlen(k.device) == 12);
	check(k.severity >= TAF_SEVERITY_NOTE && k.severity <= TAF_SEVERITY_PANIC && k.pid >= 0);
	taf_klog_settle(&e, 1, &k, &now);
	check(e.severity <= before && e.severity >= TAF_SEVERITY_PROCESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	for (size_t from = 0; from <= size;) {
		const char *end = memchr(text + from, '\n', size - from);
		size_t to = end ? (size_t)(end - text) : size;

		read_line(text + from, to - from);
		from = to + 1;
	}
	free(text);
	return 0;
}
