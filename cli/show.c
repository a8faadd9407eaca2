/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../policy/fault.h"
#include "../policy/text.h"
#include "../shim/crumb_read.h"

#define PIECE 256
#define ESCAPE_MAX 6
#define WORDS_MAX 64 /* of a command */

/* Bytes of s to take for one piece: never in the middle of a UTF-8 sequence. */
static size_t piece_of(const char *s, size_t n)
{
	size_t cut = n;

	if (n <= PIECE)
		return n;
	cut = PIECE;
	while (cut > PIECE - 4 && ((unsigned char)s[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

/* Escapes through taf_text_json, then drops the quotes and the backslashes
 * that only a string literal needs. */
static size_t make_safe(char *out, const char *s, size_t n)
{
	char quoted[PIECE * ESCAPE_MAX + 3];
	struct taf_text t;
	size_t used = 0;

	taf_text_init(&t, quoted, sizeof(quoted));
	taf_text_json(&t, s, n);
	for (size_t i = 1; i + 1 < t.used; i++) {
		if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\'))
			i++;
		out[used++] = quoted[i];
	}
	return used;
}

const char *taf_show_safe(char *buf, size_t room, const char *s)
{
	char piece[PIECE * ESCAPE_MAX];
	size_t left = strlen(s), used = 0;

	while (left) {
		size_t n = piece_of(s, left), k = make_safe(piece, s, n);

		if (k > room - 1 - used) {
			k = room - 1 - used;
			while (k && ((unsigned char)piece[k] & 0xc0) == 0x80)
				k--;
			left = n;
		}
		memcpy(buf + used, piece, k);
		used += k;
		s += n;
		left -= n;
	}
	buf[used] = '\0';
	return buf;
}

size_t taf_show_text(FILE *out, const char *s, size_t max)
{
	char piece[PIECE * ESCAPE_MAX];
	size_t left = strlen(s), printed = 0;
	bool is_cut = left > max;

	if (is_cut) {
		left = max > 3 ? max - 3 : 0;
		while (left && ((unsigned char)s[left] & 0xc0) == 0x80)
			left--;
	}
	while (left) {
		size_t n = piece_of(s, left), k = make_safe(piece, s, n);

		printed += fwrite(piece, 1, k, out);
		s += n;
		left -= n;
	}
	if (is_cut)
		printed += fwrite("...", 1, 3, out);
	return printed;
}

void taf_show_record(FILE *out, const char *text, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t from = i;
		char piece[PIECE * ESCAPE_MAX];

		while (i < n && (unsigned char)text[i] < 0x80 && (unsigned char)text[i] >= 0x20 &&
		       text[i] != 0x7f)
			i++;
		fwrite(text + from, 1, i - from, out);
		for (from = i; i < n && i - from < PIECE / 2 &&
			       ((unsigned char)text[i] >= 0x80 || (unsigned char)text[i] < 0x20 ||
				text[i] == 0x7f);
		     i++)
			;
		while (i < n && i > from && ((unsigned char)text[i] & 0xc0) == 0x80)
			i++;
		for (size_t at = from; at < i;) {
			size_t k = i - at > PIECE ? piece_of(text + at, i - at) : i - at;

			fwrite(piece, 1, make_safe(piece, text + at, k), out);
			at += k;
		}
	}
}

const char *taf_show_time(char buf[TAF_TIME_ROOM], uint64_t utc_us)
{
	time_t s = (time_t)(utc_us / 1000000 % 253402300800ull);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(buf, TAF_TIME_ROOM, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, TAF_TIME_ROOM - n, ".%06uZ", (unsigned)(utc_us % 1000000));
	return buf;
}

/* To the nearest of what is shown of that many: what is carried over comes to the next unit. */
static uint64_t nearest(uint64_t us)
{
	uint64_t step = us < 10000	  ? 100
			: us < 1000000	  ? 1000
			: us < 60000000	  ? 100000
			: us < 3600000000 ? 1000000
					  : 60000000;
	uint64_t over = us % step;

	return over < step / 2 || us > UINT64_MAX - step ? us - over : us - over + step;
}

void taf_show_put(struct taf_text *t, uint64_t ms)
{
	taf_text_ms(t, nearest(ms < UINT64_MAX / 1000 ? ms * 1000 : UINT64_MAX) / 1000);
}

const char *taf_show_span(char *buf, size_t room, uint64_t ms)
{
	struct taf_text t;

	taf_text_init(&t, buf, room);
	taf_show_put(&t, ms);
	return buf;
}

const char *taf_show_ms(char *buf, size_t room, uint64_t us)
{
	uint64_t shown = nearest(us);
	struct taf_text t;

	taf_text_init(&t, buf, room);
	if (us < 100) { /* its tenth would be 0 */
		taf_text_put(&t, "<1ms");
	} else if (shown >= 10000) {
		taf_text_ms(&t, shown / 1000);
	} else {
		taf_text_u64(&t, shown / 1000);
		taf_text_char(&t, '.');
		taf_text_u64(&t, shown % 1000 / 100);
		taf_text_put(&t, "ms");
	}
	return buf;
}

const char *taf_show_bytes(char *buf, size_t room, uint64_t bytes)
{
	struct taf_text t;

	taf_text_init(&t, buf, room);
	taf_text_bytes(&t, bytes);
	return buf;
}

bool taf_show_command(FILE *out, const struct taf_crumb_line *head)
{
	char word[512];
	unsigned i;

	for (i = 0; i < WORDS_MAX && taf_crumb_item(head, TAF_KEY_ARGV, i, word, sizeof(word));
	     i++) {
		const char *quote = word[0] && !strchr(word, ' ') ? "" : "'";

		fprintf(out, "%s%s", i ? " " : "", quote);
		taf_show_text(out, word, 120);
		fputs(quote, out);
	}
	if (i)
		return true;
	if (!taf_crumb_text(head, TAF_KEY_EXE, word, sizeof(word)))
		return false;
	taf_show_text(out, word, 300);
	return true;
}

const char *taf_show_call(char *buf, size_t room, const char *call)
{
	const char *p = taf_starts(call, "_ZN") ? call + 3 : "";
	struct taf_text t;
	size_t n;

	taf_text_init(&t, buf, room);
	while (*p >= '1' && *p <= '9') {
		for (n = 0; *p >= '0' && *p <= '9' && n < room; p++)
			n = n * 10 + (size_t)(*p - '0');
		if (n > taf_len(p))
			break;
		taf_text_put(&t, t.used ? "::" : "");
		taf_text_put_n(&t, p, n);
		p += n;
	}
	if (!t.used)
		taf_text_put(&t, call);
	return buf;
}

const char *taf_show_kind(int kind, uint8_t engine)
{
	if (kind < 0)
		return "?";
	if (kind == TAF_INFER && taf_api_of((enum taf_engine)engine) != TAF_API_NONE)
		return "work";
	return taf_kind_name((enum taf_kind)kind);
}

const char *taf_show_signal(char *buf, size_t room, int signal)
{
	const char *name = signal > 0 && signal < NSIG ? sigabbrev_np(signal) : NULL;

	if (name)
		snprintf(buf, room, "SIG%s", name);
	else
		snprintf(buf, room, "signal %d", signal);
	return buf;
}

int taf_signal_in(const char *s)
{
	for (s = strstr(s, "SIG"); s; s = strstr(s + 3, "SIG")) {
		size_t n = 0;

		while ((s[3 + n] >= 'A' && s[3 + n] <= 'Z') || (s[3 + n] >= '0' && s[3 + n] <= '9'))
			n++;
		for (int i = 1; n && i < NSIG; i++) {
			const char *name = sigabbrev_np(i);

			if (name && strlen(name) == n && !memcmp(name, s + 3, n))
				return i;
		}
	}
	return 0;
}

bool taf_show_has_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}
