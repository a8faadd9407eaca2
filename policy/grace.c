/* SPDX-License-Identifier: MIT */
#include "grace.h"

static const struct {
	char name[8];
	uint64_t us;
} units[] = {
	{ "us", 1 },
	{ "usec", 1 },
	{ "ms", 1000 },
	{ "msec", 1000 },
	{ "s", 1000000 },
	{ "sec", 1000000 },
	{ "second", 1000000 },
	{ "seconds", 1000000 },
	{ "m", 60000000 },
	{ "min", 60000000 },
	{ "minute", 60000000 },
	{ "minutes", 60000000 },
	{ "h", 3600000000 },
	{ "hr", 3600000000 },
	{ "hour", 3600000000 },
	{ "hours", 3600000000 },
	{ "d", 86400000000 },
	{ "day", 86400000000 },
	{ "days", 86400000000 },
	{ "w", 604800000000 },
	{ "week", 604800000000 },
	{ "weeks", 604800000000 },
	{ "M", 2629800000000 },
	{ "month", 2629800000000 },
	{ "months", 2629800000000 },
	{ "y", 31557600000000 },
	{ "year", 31557600000000 },
	{ "years", 31557600000000 },
};

#define SECOND_US 1000000u
#define SPAN_MAX_US (UINT64_MAX / 4)

/* Bytes that have not been looked at. */
struct rest {
	const char *s;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip(struct rest *r, size_t n)
{
	r->s += n;
	r->n -= n;
}

static struct rest trim(struct rest r)
{
	while (r.n && is_blank(*r.s))
		skip(&r, 1);
	while (r.n && is_blank(r.s[r.n - 1]))
		r.n--;
	return r;
}

static bool is_text(struct rest r, const char *s)
{
	return r.n == taf_len(s) && taf_same_n(r.s, s, r.n);
}

/* Digits, perhaps with a fraction: v in millionths. */
static bool read_number(struct rest *r, uint64_t *v)
{
	uint64_t whole = 0, part = 0, scale = SECOND_US;
	size_t digits = 0;

	for (; r->n && *r->s >= '0' && *r->s <= '9'; skip(r, 1), digits++) {
		whole = whole * 10 + (uint64_t)(*r->s - '0');
		if (whole > SPAN_MAX_US / SECOND_US)
			return false;
	}
	if (digits && r->n && *r->s == '.')
		for (skip(r, 1); r->n && *r->s >= '0' && *r->s <= '9'; skip(r, 1)) {
			scale /= 10;
			part += (uint64_t)(*r->s - '0') * scale;
		}
	*v = whole * SECOND_US + part;
	return digits > 0;
}

/* The unit that comes next, in microseconds; 0: there is none, or a strange one. */
static uint64_t read_unit(struct rest *r, bool needs_unit)
{
	size_t n = 0;

	while (r->n && is_blank(*r->s))
		skip(r, 1);
	while (n < r->n && ((r->s[n] >= 'a' && r->s[n] <= 'z') || r->s[n] == 'M'))
		n++;
	if (!n)
		return needs_unit ? 0 : SECOND_US;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		struct rest name = { r->s, n };

		if (is_text(name, units[i].name)) {
			skip(r, n);
			return units[i].us;
		}
	}
	return 0;
}

bool taf_grace_span(const char *s, size_t n, bool needs_unit, uint64_t *ms)
{
	struct rest r = trim((struct rest){ s, n });
	uint64_t us = 0, v, unit;

	if (is_text(r, "infinity")) {
		*ms = TAF_GRACE_NEVER;
		return true;
	}
	if (!r.n)
		return false;
	for (; r.n; r = trim(r)) {
		if (!read_number(&r, &v))
			return false;
		unit = read_unit(&r, needs_unit);
		if (!unit || (v && unit > SPAN_MAX_US / v))
			return false;
		us += v * unit / SECOND_US;
		if (us > SPAN_MAX_US)
			return false;
	}
	*ms = us / 1000;
	return true;
}

/* The next line without its newline. */
static bool next_line(struct rest *r, struct rest *line)
{
	size_t n = 0;

	if (!r->n)
		return false;
	while (n < r->n && r->s[n] != '\n')
		n++;
	*line = (struct rest){ r->s, n };
	skip(r, n < r->n ? n + 1 : n);
	return true;
}

/* "key<sep>value", both trimmed; false when sep does not stand there. */
static bool split(struct rest line, char sep, struct rest *key, struct rest *value)
{
	size_t n = 0;

	while (n < line.n && line.s[n] != sep)
		n++;
	if (n == line.n)
		return false;
	*key = trim((struct rest){ line.s, n });
	*value = trim((struct rest){ line.s + n + 1, line.n - n - 1 });
	return true;
}

void taf_grace_unit_init(struct taf_grace *g)
{
	taf_zero(g, sizeof(*g));
	g->ms = TAF_GRACE_UNIT_MS;
}

/* systemd takes 0 for no limit here, and an empty value for its default. */
static void take_stop(struct taf_grace *g, struct rest value, uint32_t number)
{
	uint64_t ms = TAF_GRACE_UNIT_MS;

	g->line = value.n ? number : 0;
	g->is_bad = value.n && !taf_grace_span(value.s, value.n, false, &ms);
	g->ms = ms ? ms : TAF_GRACE_NEVER;
}

static bool is_no(struct rest value)
{
	return is_text(value, "no") || is_text(value, "false") || is_text(value, "off") ||
	       is_text(value, "0");
}

void taf_grace_unit(const char *text, size_t n, struct taf_grace *g)
{
	struct rest r = { text, n }, line, key, value;
	bool is_service = false;

	for (uint32_t number = 1; next_line(&r, &line); number++) {
		line = trim(line);
		if (!line.n || *line.s == '#' || *line.s == ';')
			continue;
		if (*line.s == '[') {
			is_service = is_text(line, "[Service]");
			g->is_unit = g->is_unit || is_service;
		} else if (is_service && split(line, '=', &key, &value)) {
			if (is_text(key, "TimeoutStopSec") || is_text(key, "TimeoutSec"))
				take_stop(g, value, number);
			if (is_text(key, "SendSIGKILL") && is_no(value)) {
				g->ms = TAF_GRACE_NEVER;
				g->line = number;
			}
		}
	}
}

static size_t find(struct rest r, size_t from, const char *s)
{
	size_t n = taf_len(s);

	for (size_t i = from; i + n <= r.n; i++)
		if (r.s[i] == *s && taf_same_n(r.s + i, s, n))
			return i;
	return r.n;
}

static uint32_t line_at(struct rest r, size_t at)
{
	uint32_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += r.s[i] == '\n';
	return line;
}

/* launchd takes 0 for no limit. */
bool taf_grace_plist(const char *text, size_t n, struct taf_grace *g)
{
	static const char key[] = "<key>ExitTimeOut</key>", open[] = "<integer>";
	struct rest r = { text, n }, value;
	size_t at = find(r, 0, key), from, to;
	uint64_t ms = TAF_GRACE_PLIST_MS;

	taf_zero(g, sizeof(*g));
	g->ms = ms;
	if (find(r, 0, "<plist") == n)
		return false;
	if (at == n)
		return true;
	g->line = line_at(r, at);
	from = find(r, at, open);
	to = find(r, from, "</integer>");
	value = (struct rest){ text + from, 0 };
	if (to < n) {
		value = trim((struct rest){ text + from + sizeof(open) - 1,
					    to - from - (sizeof(open) - 1) });
		for (size_t i = 0; i < value.n; i++)
			g->is_bad = g->is_bad || value.s[i] < '0' || value.s[i] > '9';
	}
	g->is_bad = g->is_bad || to == n || from - at > 200 ||
		    !taf_grace_span(value.s, value.n, false, &ms);
	g->ms = g->is_bad ? TAF_GRACE_PLIST_MS : ms ? ms : TAF_GRACE_NEVER;
	return true;
}

/* A compose file while it is read. */
struct compose {
	struct taf_grace *out;
	unsigned room, n;
	size_t depth; /* blanks before the names of services; 0: not known yet */
	bool is_inside; /* of "services:" */
	bool is_open; /* a service that has room */
};

/* Without quotes and without the comment behind it. */
static struct rest bare(struct rest value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.s[i] == '#' && (!i || is_blank(value.s[i - 1])))
			value.n = i;
	value = trim(value);
	if (value.n > 1 && (*value.s == '"' || *value.s == '\'') &&
	    value.s[value.n - 1] == *value.s)
		value = (struct rest){ value.s + 1, value.n - 2 };
	return value;
}

static void begin_service(struct compose *c, struct rest name)
{
	struct taf_text t;

	c->is_open = c->n < c->room;
	if (c->is_open) {
		struct taf_grace *g = &c->out[c->n];

		taf_zero(g, sizeof(*g));
		g->ms = TAF_GRACE_COMPOSE_MS;
		taf_text_init(&t, g->name, sizeof(g->name));
		taf_text_put_n(&t, name.s, name.n < 63 ? name.n : 63);
	}
	c->n++;
}

static void take_period(struct taf_grace *g, struct rest value, uint32_t number)
{
	uint64_t ms = TAF_GRACE_COMPOSE_MS;

	value = bare(value);
	g->line = number;
	g->is_bad = !taf_grace_span(value.s, value.n, true, &ms) && !is_text(value, "0");
	g->ms = is_text(value, "0") ? 0 : ms;
}

static void take_line(struct compose *c, struct rest line, uint32_t number)
{
	struct rest key, value;
	size_t depth = 0;

	while (depth < line.n && line.s[depth] == ' ')
		depth++;
	line = trim(line);
	if (!line.n || *line.s == '#' || !split(line, ':', &key, &value))
		return;
	key = bare(key);
	if (!depth) {
		c->is_inside = is_text(key, "services");
		c->is_open = false;
	} else if (c->is_inside && (!c->depth || depth <= c->depth)) {
		c->depth = depth;
		begin_service(c, key);
	} else if (c->is_open && is_text(key, "stop_grace_period")) {
		take_period(&c->out[c->n - 1], value, number);
	} else if (c->is_open && (is_text(key, "<<") || is_text(key, "extends"))) {
		c->out[c->n - 1].is_merged = true;
	}
}

unsigned taf_grace_compose(const char *text, size_t n, struct taf_grace *out, unsigned room)
{
	struct compose c = { .out = out, .room = room };
	struct rest r = { text, n }, line;

	for (uint32_t number = 1; next_line(&r, &line); number++)
		take_line(&c, line, number);
	return c.n;
}
