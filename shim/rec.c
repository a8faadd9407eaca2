/* SPDX-License-Identifier: MIT */
#include "rec.h"

#include "../policy/text.h"

#define TAIL 19 /* ,"crc":"89abcdef"} and the newline */
#define NAME_MAX_SHORT 64 /* bytes of each text of a record that is too long otherwise */

/* How much of a record's texts is written. */
struct cut {
	size_t msg, names;
	bool has_extra;
};

void taf_rec_put_time(struct taf_text *t, uint64_t utc_us)
{
	uint64_t s = utc_us / 1000000, days = s / 86400;
	/* Years begin in March, so that the leap day comes last; eras have 400. */
	uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;

	taf_text_pad(t, yoe + era * 400 + (month <= 2), 4);
	taf_text_char(t, '-');
	taf_text_pad(t, month, 2);
	taf_text_char(t, '-');
	taf_text_pad(t, doy - (153 * mp + 2) / 5 + 1, 2);
	taf_text_char(t, 'T');
	taf_text_pad(t, s % 86400 / 3600, 2);
	taf_text_char(t, ':');
	taf_text_pad(t, s % 3600 / 60, 2);
	taf_text_char(t, ':');
	taf_text_pad(t, s % 60, 2);
	taf_text_char(t, '.');
	taf_text_pad(t, utc_us % 1000000, 6);
	taf_text_char(t, 'Z');
}

static void put_key(struct taf_text *t, const char *key)
{
	taf_text_put(t, ",\"");
	taf_text_put(t, key);
	taf_text_put(t, "\":");
}

static void put_u64(struct taf_text *t, const char *key, uint64_t v)
{
	put_key(t, key);
	taf_text_u64(t, v);
}

/* The text's first max bytes at most, no UTF-8 sequence cut in two. */
static void put_string(struct taf_text *t, const char *key, const char *s, size_t max)
{
	size_t n = 0;

	if (!s)
		return;
	while (n < max && s[n])
		n++;
	if (s[n])
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	put_key(t, key);
	taf_text_json(t, s, n);
}

static void put_number(struct taf_text *t, const struct taf_rec *r, enum taf_has which,
		       const char *key, uint64_t v)
{
	if (r->has & which)
		put_u64(t, key, v);
}

/* The ten keys that every record begins with. */
static void put_start(struct taf_text *t, const struct taf_rec_who *who, const struct taf_rec *r)
{
	taf_text_put(t, "{\"t\":\"");
	taf_rec_put_time(t, who->utc_us);
	taf_text_char(t, '"');
	put_string(t, "boot", who->boot, TAF_BOOT_ID_LEN);
	put_string(t, "run", who->run, 16);
	put_u64(t, "pid", (uint64_t)who->pid);
	put_u64(t, "start", who->start);
	put_u64(t, "tid", (uint64_t)who->tid);
	put_u64(t, "seq", who->seq);
	put_u64(t, "mono_ns", who->mono_ns);
	put_string(t, "ev", taf_kind_name(r->kind), SIZE_MAX);
	put_string(t, "ph", taf_phase_name(r->phase), SIZE_MAX);
}

static void put_rest(struct taf_text *t, const struct taf_rec *r, const struct cut *c)
{
	const char *engine = taf_engine_name(r->engine);

	put_string(t, "engine", engine[0] ? engine : NULL, SIZE_MAX);
	put_string(t, "call", r->call, c->names);
	put_string(t, "model", r->model && r->model[0] ? r->model : NULL, c->names);
	put_number(t, r, TAF_HAS_BYTES, "bytes", r->bytes);
	if (r->has & TAF_HAS_MS) {
		put_u64(t, "ms", r->us / 1000);
		taf_text_char(t, '.');
		taf_text_pad(t, r->us % 1000, 3);
	}
	if (r->has & TAF_HAS_RC) {
		put_key(t, "rc");
		taf_text_i64(t, r->rc);
	}
	put_string(t, "rule", r->rule, c->names);
	put_string(t, "class", r->class, c->names);
	put_number(t, r, TAF_HAS_CTX, "ctx", r->ctx);
	put_number(t, r, TAF_HAS_TOKENS, "tokens", r->tokens);
	put_number(t, r, TAF_HAS_SUBMITS, "submits", r->submits);
	put_number(t, r, TAF_HAS_PEAK, "peak", r->peak);
	put_number(t, r, TAF_HAS_KV, "kv_bytes", r->kv_bytes);
	put_number(t, r, TAF_HAS_LIVE, "live", r->live);
	put_number(t, r, TAF_HAS_HANDLES, "handles", r->handles);
	put_string(t, "msg", r->msg, c->msg);
	put_number(t, r, TAF_HAS_OF, "of", r->of);
	if (r->extra && c->has_extra)
		taf_text_put(t, r->extra);
}

/* Length without the tail; 0 when it is too long. */
static size_t try_cut(char buf[TAF_RECORD_MAX], const struct taf_rec_who *who,
		      const struct taf_rec *r, const struct cut *c)
{
	struct taf_text t;

	taf_text_init(&t, buf, TAF_RECORD_MAX - TAIL + 1);
	put_start(&t, who, r);
	put_rest(&t, r, c);
	return t.is_cut ? 0 : t.used;
}

/* As much of msg as there is room for. */
static size_t fit_msg(char buf[TAF_RECORD_MAX], const struct taf_rec_who *who,
		      const struct taf_rec *r, struct cut *c)
{
	size_t n, room;

	c->msg = 0;
	n = try_cut(buf, who, r, c);
	if (!n || !r->msg)
		return n;
	/* Escapes make text up to six times as long: try what would fit plain, then less. */
	for (room = TAF_RECORD_MAX - TAIL - n; room > 16; room -= room / 4) {
		c->msg = room;
		n = try_cut(buf, who, r, c);
		if (n)
			return n;
	}
	c->msg = 0;
	return try_cut(buf, who, r, c);
}

void taf_rec_seal(char *line, size_t n, uint32_t seed)
{
	struct taf_text t;

	taf_text_init(&t, line + n - TAIL, TAIL);
	taf_text_put(&t, ",\"crc\":\"");
	taf_text_hex(&t, taf_crc32c(seed, line, n - TAIL), 8);
	taf_text_put(&t, "\"}");
	/* In the place of the closing NUL. */
	line[n - 1] = '\n';
}

char *taf_rec_last(char *line, size_t n)
{
	return line + n - TAIL - 1;
}

size_t taf_rec_format(char buf[TAF_RECORD_MAX], const struct taf_rec_who *who,
		      const struct taf_rec *r)
{
	struct cut c = { SIZE_MAX, SIZE_MAX, true };
	size_t n = try_cut(buf, who, r, &c);

	if (!n)
		n = fit_msg(buf, who, r, &c);
	if (!n) {
		c.has_extra = false;
		n = fit_msg(buf, who, r, &c);
	}
	if (!n) {
		c.names = NAME_MAX_SHORT;
		n = fit_msg(buf, who, r, &c);
	}
	taf_rec_seal(buf, n + TAIL, who->seed);
	return n + TAIL;
}
