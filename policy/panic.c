/* SPDX-License-Identifier: MIT */
#include "panic.h"

#include "letter.h"
#include "match.h"
#include "text.h"

#define BUG_PANIC 210
#define BUG_CRASH 309 /* 109 before macOS 12 */
#define BUG_CRASH_OLD 109
#define USEC 1000000u
#define MINUTE_S 60
#define DAY_S 86400

struct part {
	const char *at;
	size_t n;
};

static bool is_word(char c)
{
	return taf_is_digit(c) || taf_is_letter(c) || c == '_';
}

static int hex_of(char c)
{
	if (taf_is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What follows the first key in t, up to its end; n is 0 when there is no key. */
static struct part after(const struct part *t, const char *key)
{
	size_t k = taf_len(key);

	for (size_t i = 0; i + k <= t->n; i++)
		if (t->at[i] == *key && taf_equal(t->at + i, key, k))
			return (struct part){ t->at + i + k, t->n - i - k };
	return (struct part){ t->at, 0 };
}

static void step(struct part *t, size_t n)
{
	t->at += n;
	t->n -= n;
}

static void skip_blanks(struct part *t)
{
	while (t->n && (*t->at == ' ' || *t->at == '\t'))
		step(t, 1);
}

/* At most digits of them; false when there is none or one more follows. */
static bool read_decimal(struct part *t, int digits, uint64_t *v)
{
	int n = 0;

	for (*v = 0; t->n && taf_is_digit(*t->at) && n < digits; n++, step(t, 1))
		*v = *v * 10 + (uint64_t)(*t->at - '0');
	return n && !(t->n && taf_is_digit(*t->at));
}

static bool read_hex(struct part *t, uint64_t *v)
{
	int n = 0;

	skip_blanks(t);
	if (t->n < 2 || t->at[0] != '0' || (t->at[1] | 0x20) != 'x')
		return false;
	step(t, 2);
	for (*v = 0; t->n && hex_of(*t->at) >= 0; n++, step(t, 1)) {
		if (n == 15)
			return false;
		*v = *v << 4 | (unsigned)hex_of(*t->at);
	}
	return n > 0;
}

/* The value of a key in JSON, quotes and colon taken off; n is 0 when it is not there. */
static struct part value_of(const struct part *json, const char *quoted_key)
{
	struct part v = after(json, quoted_key);

	skip_blanks(&v);
	if (!v.n || *v.at != ':')
		return (struct part){ json->at, 0 };
	step(&v, 1);
	skip_blanks(&v);
	if (v.n && *v.at == '"')
		step(&v, 1);
	return v;
}

static size_t put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	/* Half a pair stands for nothing by itself. */
	if (c >= 0xd800 && c < 0xe000)
		c = '?';
	if (c == '?') {
		to[0] = '?';
		return 1;
	}
	to[0] = (char)(0xe0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 0x3f));
	to[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* One escape at from (behind the backslash); returns how much of it was read. */
static size_t unescape(const char *from, size_t n, char *to, size_t *put)
{
	static const char plain[] = "n\nt\tr\rb\bf\f";
	unsigned c = 0;
	size_t i;

	for (i = 0; plain[i]; i += 2)
		if (*from == plain[i]) {
			to[(*put)++] = plain[i + 1];
			return 1;
		}
	for (i = 1; *from == 'u' && i <= 4 && i < n && hex_of(from[i]) >= 0; i++)
		c = c << 4 | (unsigned)hex_of(from[i]);
	if (i == 5) {
		*put += put_utf8(to + *put, c);
		return 5;
	}
	to[(*put)++] = *from;
	return 1;
}

/* Unescapes the JSON string at s in place, up to its closing quote or the end
 * of what there is, and returns its length: never longer than it was. */
static size_t read_string(char *s, size_t n)
{
	size_t put = 0;

	for (size_t i = 0; i < n && s[i] != '"'; i++) {
		if (s[i] == '\\' && i + 1 < n)
			i += unescape(s + i + 1, n - i - 1, s, &put);
		else
			s[put++] = s[i];
	}
	return put;
}

/* Days from 1970 to a date of the Gregorian calendar. */
static int64_t days_to(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	m += m > 2 ? -3 : 9;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d - 1 - 719468;
}

/* "2026-03-31 09:43:12.00 +0900" */
static uint64_t read_date(struct part t)
{
	static const struct {
		int digits;
		char then;
		uint32_t least, most;
	} form[] = { { 4, '-', 1970, 9999 }, { 2, '-', 1, 12 }, { 2, ' ', 1, 31 },
		     { 2, ':', 0, 23 },	     { 2, ':', 0, 59 }, { 2, 0, 0, 60 } };
	uint64_t v[6], zone = 0;
	int64_t s;
	bool is_west;

	for (int i = 0; i < 6; i++) {
		if (!read_decimal(&t, form[i].digits, &v[i]) || v[i] < form[i].least ||
		    v[i] > form[i].most || (form[i].then && (!t.n || *t.at != form[i].then)))
			return 0;
		if (form[i].then)
			step(&t, 1);
	}
	while (t.n && (*t.at == '.' || taf_is_digit(*t.at)))
		step(&t, 1);
	skip_blanks(&t);
	s = days_to((int64_t)v[0], (int64_t)v[1], (int64_t)v[2]) * DAY_S +
	    (int64_t)(v[3] * 3600 + v[4] * 60 + v[5]);
	is_west = t.n && *t.at == '-';
	if (t.n && (*t.at == '-' || *t.at == '+')) {
		step(&t, 1);
		if (!read_decimal(&t, 4, &zone))
			zone = 0;
	}
	zone = (zone / 100 * 60 + zone % 100) * MINUTE_S;
	s += is_west ? (int64_t)zone : -(int64_t)zone;
	return s > 0 ? (uint64_t)s * USEC : 0;
}

static uint64_t read_calendar(const struct part *text)
{
	struct part t = after(text, "Calendar:");
	uint64_t s, us;

	/* Before the year 3058, so that no sum overflows. */
	if (!t.n || !read_hex(&t, &s) || !read_hex(&t, &us) || s >> 35)
		return 0;
	return s * USEC + (us < USEC ? us : 0);
}

/* "pid 25467: python3.13" somewhere in t. */
static bool read_task(struct part t, struct taf_panic *p)
{
	const char *start = t.at;
	struct taf_text name;
	uint64_t pid;

	for (;;) {
		t = after(&t, "pid ");
		if (!t.n)
			return false;
		if (t.at - 4 > start && is_word(t.at[-5]))
			continue;
		if (!read_decimal(&t, 9, &pid) || t.n < 2 || *t.at != ':')
			continue;
		step(&t, 1);
		skip_blanks(&t);
		if (t.n && is_word(*t.at))
			break;
	}
	p->has_pid = true;
	p->pid = (int32_t)pid;
	taf_text_init(&name, p->process, sizeof(p->process));
	for (; t.n && (unsigned char)*t.at >= ' ' && *t.at != '"'; step(&t, 1))
		taf_text_char(&name, *t.at);
	return true;
}

static void read_boot(const struct part *text, struct taf_panic *p)
{
	struct part t = after(text, "Boot session UUID:");
	size_t n = 0;

	skip_blanks(&t);
	for (; t.n && n < 32 && (*t.at == '-' || hex_of(*t.at) >= 0); step(&t, 1))
		if (*t.at != '-')
			p->boot[n++] = "0123456789abcdef"[hex_of(*t.at)];
	p->boot[n == 32 ? 32 : 0] = '\0';
}

static void read_os(const struct part *text, struct taf_panic *p)
{
	struct part t = after(text, "OS version:");
	struct taf_text os;

	taf_text_init(&os, p->os, sizeof(p->os));
	for (skip_blanks(&t); t.n && is_word(*t.at); step(&t, 1))
		taf_text_char(&os, *t.at);
}

static enum taf_report_kind kind_of(const struct part *head, const struct taf_panic *p)
{
	struct part t = value_of(head, "\"bug_type\"");
	uint64_t bug;

	if (read_decimal(&t, 6, &bug))
		return bug == BUG_PANIC				  ? TAF_REPORT_PANIC
		       : bug == BUG_CRASH || bug == BUG_CRASH_OLD ? TAF_REPORT_CRASH
								  : TAF_REPORT_OTHER;
	if ((p->has_class && p->class.is_panic) || taf_match("panic(cpu", p->text, p->n, NULL) ||
	    taf_match("panicked task", p->text, p->n, NULL))
		return TAF_REPORT_PANIC;
	return TAF_REPORT_OTHER;
}

/* The crash of a program has its pid and name as members of the JSON object. */
static void read_crash(const struct part *all, struct taf_panic *p)
{
	struct part t = value_of(all, "\"pid\""), name = value_of(all, "\"procName\"");
	struct taf_text to;
	uint64_t pid;

	p->has_pid = read_decimal(&t, 9, &pid);
	p->pid = p->has_pid ? (int32_t)pid : 0;
	taf_text_init(&to, p->process, sizeof(p->process));
	for (; name.n && *name.at != '"' && (unsigned char)*name.at >= ' '; step(&name, 1))
		taf_text_char(&to, *name.at);
	p->has_class = taf_classify(p->text, p->n, &p->class);
}

/* Up to the first newline, or all. */
static struct part first_line(const struct part *all)
{
	struct part head = { all->at, 0 };

	while (head.n < all->n && head.at[head.n] != '\n')
		head.n++;
	return head;
}

void taf_panic_parse(char *body, size_t n, struct taf_panic *p)
{
	const struct part all = { body, n };
	struct part head = first_line(&all), text = all, json = value_of(&all, "\"panicString\""),
		    task;
	uint64_t written = read_date(value_of(&head, "\"timestamp\""));

	taf_zero(p, sizeof(*p));
	if (json.n) {
		text.at = json.at;
		text.n = read_string(body + (json.at - body), json.n);
	}
	p->text = text.at;
	p->n = text.n;
	p->has_class = taf_classify_panic(text.at, text.n, &p->class);
	p->signature = taf_signature(text.at, text.n);
	p->kind = kind_of(&head, p);
	p->utc_us = read_calendar(&text);
	if (!p->utc_us)
		p->utc_us = written;
	if (p->kind == TAF_REPORT_CRASH) {
		read_crash(&all, p);
		return;
	}
	task = after(&text, "Panicked task");
	if (!read_task(task, p))
		read_task(text, p);
	read_boot(&text, p);
	read_os(&text, p);
}

bool taf_panic_event(const struct taf_panic *p, uint64_t file_utc_ms, struct taf_ledger_event *e)
{
	const char *class = p->has_class ? p->class.name : "unknown_panic";

	if (p->kind == TAF_REPORT_OTHER || (p->kind == TAF_REPORT_CRASH && !p->has_class))
		return false;
	taf_zero(e, sizeof(*e));
	e->at.boot = taf_boot_key(p->boot);
	e->at.utc_ms = p->utc_us ? p->utc_us / 1000 : file_utc_ms;
	e->severity = p->has_class ? p->class.level : TAF_SEVERITY_NOTE;
	if (p->kind == TAF_REPORT_CRASH) {
		/* Whatever text it quotes: a program died, not the machine. */
		e->severity = TAF_SEVERITY_PROCESS;
		e->is_abort = true;
	}
	e->pid = p->has_pid ? p->pid : 0;
	taf_copy(e->class, class, sizeof(e->class));
	taf_copy(e->source, p->kind == TAF_REPORT_CRASH ? "crash_file" : "panic_file",
		 sizeof(e->source));
	return true;
}
