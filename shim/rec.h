/* SPDX-License-Identifier: MIT */
/* rec.h -- how one record reads: the line stated at the head of crumb.h. */
#ifndef TAF_REC_H
#define TAF_REC_H

#include "../policy/text.h"
#include "crumb.h"

/* What every record carries, whatever it is about. */
struct taf_rec_who {
	const char *boot, *run;
	int32_t pid, tid;
	uint64_t start, seq, mono_ns, utc_us;
	uint32_t seed; /* of the segment's checksums */
};

/* Writes the line and its newline into buf and returns its length, never over
 * TAF_RECORD_MAX. What is too long loses the end of msg first, then all of
 * extra, then the ends of the other texts; it stays one JSON object. */
size_t taf_rec_format(char buf[TAF_RECORD_MAX], const struct taf_rec_who *who,
		      const struct taf_rec *r);

/* Computes the checksum of a line of n bytes anew, after a byte of it was changed. */
void taf_rec_seal(char *line, size_t n, uint32_t seed);
/* The last byte before the checksum: of extra, where there is one. */
char *taf_rec_last(char *line, size_t n);

/* "2026-11-21T10:00:00.123456Z" */
void taf_rec_put_time(struct taf_text *t, uint64_t utc_us);

#endif
