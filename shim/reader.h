/* SPDX-License-Identifier: MIT */
/* reader.h -- bounded, forward reading of a file header through a small window.
 *
 *   taf_reader_of_fd or taf_reader_of_memory, taf_reader_window, then
 *   taf_reader_get and taf_reader_skip, which move r->at.
 *
 * Made for files that may be hostile: nothing is read past size, nothing is
 * allocated, skips are checked against the size before they are made, and the
 * bytes really read are counted against a budget, so that the work is bounded
 * whatever the lengths in the file say.  The first flaw is kept with its
 * offset; every later call fails with the same error.
 *
 * Never maps the file: a file that is cut while it is mapped kills its reader.
 */
#ifndef TAF_READER_H
#define TAF_READER_H

#include "../policy/text.h"

#define TAF_READER_WINDOW 4096
#define TAF_READER_BUDGET (64u << 20)

struct taf_reader {
	/* Up to n bytes at offset at: how many, 0 at the end, or -errno. */
	int64_t (*read_at)(struct taf_reader *r, void *buf, size_t n, uint64_t at);
	uint64_t size, at; /* of the file; of the next byte */
	uint64_t budget; /* bytes that may still be read */
	uint8_t *window;
	size_t window_room, window_used;
	uint64_t window_at;
	int fd;
	const uint8_t *memory;
	int err; /* 0 or -errno of the first flaw */
	const char *flaw; /* static text */
	uint64_t flaw_at;
};

void taf_reader_of_fd(struct taf_reader *r, int fd, uint64_t size);
void taf_reader_of_memory(struct taf_reader *r, const void *memory, size_t size);
/* buf stays the caller's; a larger one means fewer system calls. */
void taf_reader_window(struct taf_reader *r, void *buf, size_t room);

/* Exactly n bytes. 0 or -errno: -ENODATA past the end, -E2BIG beyond the budget. */
int taf_reader_get(struct taf_reader *r, void *to, size_t n);
int taf_reader_u32(struct taf_reader *r, uint32_t *v); /* little endian */
int taf_reader_u64(struct taf_reader *r, uint64_t *v);
/* The next byte, or -errno. */
int taf_reader_byte(struct taf_reader *r);
/* Costs no reading. */
int taf_reader_skip(struct taf_reader *r, uint64_t n);
/* n items of size bytes. */
int taf_reader_skip_items(struct taf_reader *r, uint64_t n, uint64_t size);
/* Keeps the flaw if it is the first one; returns the first one's error. */
int taf_reader_fail(struct taf_reader *r, int err, const char *flaw);
/* "TEXT at byte N" of the first flaw; nothing when there is none. */
void taf_reader_tell(const struct taf_reader *r, struct taf_text *to);

#endif
