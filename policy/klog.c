/* SPDX-License-Identifier: MIT */
#include "klog.h"

#include "match.h"
#include "text.h"

#define XID_VERDICT 154
#define XID_MAX 9999

enum { OPEN, CLOSES };

enum action {
#define ACTION(NAME, level, text) ACTION_##NAME,
#include "xid.def"
};

static const struct action_row {
	char text[56];
	uint8_t level;
} actions[] = {
#define ACTION(NAME, level, text) { text, TAF_SEVERITY_##level },
#include "xid.def"
};

static const struct xid_row {
	uint16_t first, last;
	uint8_t action;
	char text[59];
} xids[] = {
#define XID(first, last, action, text) { first, last, ACTION_##action, text },
#include "xid.def"
};

static const struct verdict_row {
	char words[15];
	uint8_t level;
} verdicts[] = {
#define VERDICT(words, level) { words, TAF_SEVERITY_##level },
#include "xid.def"
};

enum advice {
#define ADVICE(NAME, text) ADVICE_##NAME,
#include "klog.def"
};

static const char advices[][64] = {
#define ADVICE(NAME, text) text,
#include "klog.def"
};

/* A class of a line that means nothing does not compile. */
enum class {
#define MEANS(class, text, advice) CLASS_##class,
#include "klog.def"
};

static const struct class_row {
	char name[32], text[55];
	uint8_t advice;
} classes[] = {
#define MEANS(class, text, advice) { #class, text, ADVICE_##advice },
#include "klog.def"
};

static const struct line_row {
	char rule[62];
	uint8_t class, level, effect;
} lines[] = {
#define LINE(class, level, effect, rule, source) \
	{ rule, CLASS_##class, TAF_SEVERITY_##level, effect },
#include "klog.def"
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* How much of form is at s: 'h' a hexadecimal digit, else itself. */
static size_t shape(const char *s, size_t n, const char *form)
{
	size_t i = 0;

	while (form[i] && i < n && (form[i] == 'h' ? is_hex(s[i]) : s[i] == form[i]))
		i++;
	return i;
}

/* The address of a PCI device at s, with its function or without, goes to device. */
static bool read_device(const char *s, size_t n, char device[24])
{
	static const char form[] = "hhhh:hh:hh.h";
	const size_t whole = sizeof(form) - 1, short_one = whole - 2;
	size_t k = shape(s, n, form);

	if (k < short_one || (k == short_one && k < n && is_hex(s[k])))
		return false;
	for (size_t i = 0; i < short_one; i++)
		device[i] = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] | 0x20) : s[i];
	device[short_one] = '.';
	device[short_one + 1] = k == whole ? s[whole - 1] : '0';
	device[whole] = '\0';
	return true;
}

/* The first device of the line; of a PCIe error the last, which had the error:
 * the one before is the port that reported it. */
static void find_device(const char *line, size_t n, struct taf_klog *k)
{
	bool is_last = taf_starts(k->class, "pcie_");

	for (size_t i = 0; i < n; i++)
		if ((!i || !is_hex(line[i - 1])) && read_device(line + i, n - i, k->device) &&
		    !is_last)
			return;
}

static void take_pid(struct taf_klog *k, uint64_t pid)
{
	k->pid = pid <= INT32_MAX ? (int32_t)pid : 0;
}

/* The driver's verdict: the text in the last parentheses of "changed from .. to ..". */
static void read_verdict(const char *line, size_t n, struct taf_klog *k)
{
	size_t from = n;

	k->is_verdict = true;
	k->severity = TAF_SEVERITY_PROCESS;
	while (from && line[from - 1] != '(')
		from--;
	for (size_t i = 0; i < COUNT(verdicts); i++)
		if (taf_match(verdicts[i].words, line + from, n - from, NULL)) {
			k->severity = verdicts[i].level;
			break;
		}
	k->closes = k->severity == TAF_SEVERITY_NONE;
	if (k->closes)
		k->severity = TAF_SEVERITY_NOTE;
}

static bool read_xid(const struct taf_matched *m, struct taf_klog *k)
{
	struct taf_text class;
	uint64_t code = 0, pid = 0;

	if ((!taf_match_in("nvrm: xid (>): @,", m, &code) &&
	     !taf_match_in("nvrm: xid (>): @", m, &code)) ||
	    code > XID_MAX)
		return false;
	k->severity = TAF_SEVERITY_PROCESS;
	k->what = "a code that the catalog does not have";
	k->advice = actions[ACTION_APP].text;
	for (size_t i = 0; i < COUNT(xids); i++)
		if (code >= xids[i].first && code <= xids[i].last) {
			k->severity = actions[xids[i].action].level;
			k->what = xids[i].text;
			k->advice = actions[xids[i].action].text;
		}
	if (code == XID_VERDICT)
		read_verdict(m->text, m->n, k);
	taf_text_init(&class, k->class, sizeof(k->class));
	taf_text_put(&class, "xid_");
	taf_text_u64(&class, code);
	if (taf_match_in("pid=@", m, &pid))
		take_pid(k, pid);
	return true;
}

static bool read_line(const struct taf_matched *m, struct taf_klog *k)
{
	uint64_t pid = 0;

	for (size_t i = 0; i < COUNT(lines); i++)
		if (taf_match_in(lines[i].rule, m, &pid)) {
			taf_copy(k->class, classes[lines[i].class].name, sizeof(k->class));
			k->what = classes[lines[i].class].text;
			k->advice = advices[classes[lines[i].class].advice];
			k->severity = lines[i].level;
			k->closes = lines[i].effect == CLOSES;
			take_pid(k, pid);
			return true;
		}
	return false;
}

bool taf_klog_line(const char *line, size_t n, struct taf_klog *k)
{
	struct taf_matched m;

	taf_zero(k, sizeof(*k));
	taf_match_prepare(&m, line, n);
	if (!read_xid(&m, k) && !read_line(&m, k))
		return false;
	find_device(line, n, k);
	return true;
}

static bool concerns(const struct taf_ledger_event *e, const struct taf_klog *k,
		     const struct taf_moment *when)
{
	bool is_device = !*e->device || !*k->device || taf_same(e->device, k->device);

	if (!is_device || e->at.boot != when->boot || e->severity > TAF_SEVERITY_MACHINE)
		return false;
	return when->boot ? e->at.boot_ms <= when->boot_ms : e->at.utc_ms <= when->utc_ms;
}

uint32_t taf_klog_settle(struct taf_ledger_event *events, uint32_t n, const struct taf_klog *k,
			 const struct taf_moment *when)
{
	uint32_t changed = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct taf_ledger_event *e = &events[i];
		uint8_t most = e->severity;

		if (!concerns(e, k, when))
			continue;
		if (k->closes && most == TAF_SEVERITY_DEVICE)
			most = TAF_SEVERITY_PROCESS;
		if (k->is_verdict && taf_starts(e->class, "xid_") && most > k->severity)
			most = k->severity < TAF_SEVERITY_PROCESS ? TAF_SEVERITY_PROCESS
								  : k->severity;
		if (most < e->severity) {
			e->severity = most;
			e->is_unsaved = true;
			changed++;
		}
	}
	return changed;
}

const char *taf_klog_class(size_t i)
{
	return i < COUNT(classes) ? classes[i].name : "";
}
