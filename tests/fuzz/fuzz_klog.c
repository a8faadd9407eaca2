/* SPDX-License-Identifier: MIT */
/* fuzz_klog.c -- any bytes as lines of a kernel log and as a journal in its export form: in
 * bounds, closed strings, known severities. */
#include <stdlib.h>
#include <string.h>

#include "../../cli/evidence_source.h"
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

/* What a report gets: each byte of the line can be read. */
static void hear(void *hearer, const struct taf_evidence *ev, const struct taf_heard *h)
{
	unsigned char all = 0;

	for (size_t i = 0; i < h->n; i++)
		all |= (unsigned char)h->line[i];
	*(unsigned char *)hearer = all;
	check(ev->hear == hear && h->k->class[0] && h->k->what && h->k->advice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char heard;
	static struct taf_evidence ev;
	/* Exactly as long as it is: a byte too far is seen. */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	memset(&ev, 0, sizeof(ev));
	ev.hear = hear;
	ev.hearer = &heard;
	taf_journal_parse(&ev, text, size);
	check(ev.n <= TAF_EVIDENCE_EVENTS && ev.n_words <= TAF_EVIDENCE_WORDS);
	for (size_t from = 0; from <= size;) {
		const char *end = memchr(text + from, '\n', size - from);
		size_t to = end ? (size_t)(end - text) : size;

		read_line(text + from, to - from);
		from = to + 1;
	}
	free(text);
	return 0;
}
