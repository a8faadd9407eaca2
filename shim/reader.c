/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include "sys.h"

#include <errno.h>

static int64_t read_fd(struct taf_reader *r, void *buf, size_t n, uint64_t at)
{
	return taf_sys_pread(r->fd, buf, n, at);
}

static int64_t read_memory(struct taf_reader *r, void *buf, size_t n, uint64_t at)
{
	if (at >= r->size)
		return 0;
	if (n > r->size - at)
		n = (size_t)(r->size - at);
	taf_move(buf, r->memory + at, n);
	return (int64_t)n;
}

/* Fills the window from r->at on. */
static int refill(struct taf_reader *r)
{
	size_t want = r->window_room;
	int64_t got;

	if (r->at >= r->size)
		return taf_reader_fail(r, -ENODATA, "the file ends too early");
	if (want > r->size - r->at)
		want = (size_t)(r->size - r->at);
	if (want > r->budget)
		want = (size_t)r->budget;
	if (!want)
		return taf_reader_fail(r, -E2BIG, "the header is longer than any known model's");
	got = r->read_at(r, r->window, want, r->at);
	if (got < 0)
		return taf_reader_fail(r, (int)got, "the file cannot be read");
	if (!got)
		return taf_reader_fail(r, -ENODATA, "the file ends too early");
	r->budget -= (uint64_t)got;
	r->window_at = r->at;
	r->window_used = (size_t)got;
	return 0;
}

void taf_reader_of_fd(struct taf_reader *r, int fd, uint64_t size)
{
	taf_zero(r, sizeof(*r));
	r->read_at = read_fd;
	r->fd = fd;
	r->size = size;
	r->budget = TAF_READER_BUDGET;
}

void taf_reader_of_memory(struct taf_reader *r, const void *memory, size_t size)
{
	taf_reader_of_fd(r, -1, size);
	r->read_at = read_memory;
	r->memory = memory;
}

void taf_reader_window(struct taf_reader *r, void *buf, size_t room)
{
	r->window = buf;
	r->window_room = room;
	r->window_used = 0;
}

int taf_reader_get(struct taf_reader *r, void *to, size_t n)
{
	uint8_t *out = to;

	while (n && !r->err) {
		uint64_t off = r->at - r->window_at;
		size_t have;

		if (r->at < r->window_at || off >= r->window_used) {
			refill(r);
			continue;
		}
		have = r->window_used - (size_t)off;
		if (have > n)
			have = n;
		taf_move(out, r->window + off, have);
		out += have;
		r->at += have;
		n -= have;
	}
	return r->err;
}

int taf_reader_byte(struct taf_reader *r)
{
	uint8_t b;
	uint64_t off = r->at - r->window_at;

	if (!r->err && r->at >= r->window_at && off < r->window_used) {
		r->at++;
		return r->window[off];
	}
	return taf_reader_get(r, &b, 1) ? r->err : b;
}

/* n bytes, at most 8. Most numbers lie whole in the window and are taken from there. */
static int get_number(struct taf_reader *r, uint64_t *v, size_t n)
{
	uint8_t across[8];
	const uint8_t *b = across;
	uint64_t off = r->at - r->window_at;

	*v = 0;
	if (!r->err && r->at >= r->window_at && off < r->window_used && r->window_used - off >= n) {
		b = r->window + off;
		r->at += n;
	} else if (taf_reader_get(r, across, n)) {
		return r->err;
	}
	for (size_t i = 0; i < n; i++)
		*v |= (uint64_t)b[i] << (8 * i);
	return 0;
}

int taf_reader_u32(struct taf_reader *r, uint32_t *v)
{
	uint64_t n;
	int err = get_number(r, &n, 4);

	*v = (uint32_t)n;
	return err;
}

int taf_reader_u64(struct taf_reader *r, uint64_t *v)
{
	return get_number(r, v, 8);
}

int taf_reader_skip(struct taf_reader *r, uint64_t n)
{
	if (r->err)
		return r->err;
	if (n > r->size || r->at > r->size - n)
		return taf_reader_fail(r, -ENODATA, "a length points past the end of the file");
	r->at += n;
	return 0;
}

int taf_reader_skip_items(struct taf_reader *r, uint64_t n, uint64_t size)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = UINT64_MAX;
	return taf_reader_skip(r, bytes);
}

int taf_reader_fail(struct taf_reader *r, int err, const char *flaw)
{
	if (!r->err) {
		r->err = err;
		r->flaw = flaw;
		r->flaw_at = r->at;
	}
	return r->err;
}

void taf_reader_tell(const struct taf_reader *r, struct taf_text *to)
{
	if (!r->err)
		return;
	taf_text_put(to, r->flaw);
	taf_text_put(to, " at byte ");
	taf_text_u64(to, r->flaw_at);
}
