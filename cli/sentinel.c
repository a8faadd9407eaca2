/* SPDX-License-Identifier: MIT */
#include "sentinel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../shim/crumb_read.h"
#include "../shim/crumb_scan.h"
#include "local_time.h"
#include "tell.h"

#define FILE_MAX 4096
#define TIME_LEN 19 /* "2026-11-25T21:00:00" */

/* ---- the time ---- */

/* "Z", "+01:00", "-0130": seconds east of UTC. False: something else stands there. */
static bool read_offset(const char *s, int *east_s)
{
	unsigned h, m;
	int n = 0;

	*east_s = 0;
	if (!strcmp(s, "Z"))
		return true;
	if ((*s != '+' && *s != '-') || strspn(s + 1, "0123456789:") != strlen(s + 1))
		return false;
	if (sscanf(s + 1, "%2u:%2u%n", &h, &m, &n) != 2 || s[1 + n])
		if (sscanf(s + 1, "%2u%2u%n", &h, &m, &n) != 2 || s[1 + n])
			return false;
	*east_s = (int)(h * 3600 + m * 60) * (*s == '-' ? -1 : 1);
	return h < 24 && m < 60;
}

static bool read_time(const char *s, uint64_t *utc_ms)
{
	char whole[TIME_LEN + 2];
	int east_s = 0;
	uint64_t us;
	int64_t utc_s;

	if (strlen(s) < TIME_LEN)
		return false;
	memcpy(whole, s, TIME_LEN);
	memcpy(whole + TIME_LEN, "Z", 2);
	if (!taf_rfc3339_us(whole, TIME_LEN + 1, &us))
		return false;
	s += TIME_LEN;
	if (*s == '.') {
		s++;
		s += strspn(s, "0123456789");
	}
	if (!*s)
		utc_s = taf_local_to_utc((int64_t)(us / 1000000));
	else if (read_offset(s, &east_s))
		utc_s = (int64_t)(us / 1000000) - east_s;
	else
		return false;
	*utc_ms = utc_s > 0 ? (uint64_t)utc_s * 1000 : 0;
	return utc_s > 0;
}

/* ---- the file ---- */

static void skip_blank(struct taf_cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static bool step(struct taf_cursor *c, char what)
{
	skip_blank(c);
	if (c->p == c->end || *c->p != what)
		return false;
	c->p++;
	skip_blank(c);
	return true;
}

bool taf_sentinel_read(const char *text, size_t n, uint64_t *until_ms)
{
	struct taf_cursor c = { text, text + n };
	char key[32], value[48];
	bool is_found = false;

	if (!step(&c, '{'))
		return false;
	do {
		bool is_it;

		if (!taf_read_string(&c, key, sizeof(key)) || !step(&c, ':'))
			return false;
		is_it = !strcmp(key, "cooldown_until");
		if (is_it &&
		    !(taf_read_string(&c, value, sizeof(value)) && read_time(value, until_ms)))
			return false;
		if (!is_it && !taf_skip_value(&c))
			return false;
		is_found = is_found || is_it;
	} while (step(&c, ','));
	return step(&c, '}') && c.p == c.end && is_found;
}

static bool is_wanted(const struct taf_rules *rules)
{
	for (uint32_t i = 0; i < rules->lock_also.n; i++)
		if (!strcmp(rules->lock_also.at[i].name, "metal-guard"))
			return true;
	return false;
}

uint64_t taf_sentinel_left_ms(const struct taf_rules *rules, uint64_t utc_ms)
{
	const char *home = getenv("HOME");
	char path[PATH_MAX], text[FILE_MAX];
	uint64_t until;
	ssize_t n;
	int fd;

	if (!is_wanted(rules) || !home || *home != '/')
		return 0;
	snprintf(path, sizeof(path), "%s/.cache/metal-guard/panic-sentinel.json", home);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			taf_tell("%s: the hold of metal-guard cannot be read: %s", path,
				 strerror(errno));
		return 0;
	}
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0 || !taf_sentinel_read(text, (size_t)n, &until)) {
		taf_tell("%s: ignored, because it is no hold of metal-guard; remove it", path);
		return 0;
	}
	return until > utc_ms ? until - utc_ms : 0;
}
