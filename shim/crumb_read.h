/* SPDX-License-Identifier: MIT */
/* crumb_read.h -- reads back what crumb.c wrote: one segment, line by line.
 *
 * The format stands at the head of crumb.h.  A line is accepted only if all of
 * this holds; everything else is damage, skipped and counted:
 *
 *   its checksum, continued from the segment's seed, matches       sum_matches
 *   it is one JSON object, printable, at most TAF_RECORD_MAX long  scan_members
 *   the first ten keys stand in their order                       scan_members
 *
 * After damage the reader looks for a record that ends where the line ends (a
 * lost newline glues two lines together) and then goes on at the next newline,
 * so that damage never costs a record whose own bytes are whole.
 *
 * Nothing is copied: a line points into the caller's text, which must outlive
 * it.  Nothing is trusted either: whoever can write the file can compute the
 * checksum, so every accessor checks what it reads.  No libc, no allocation,
 * no state; safe in a signal handler.
 */
#ifndef TAF_CRUMB_READ_H
#define TAF_CRUMB_READ_H

#include "../policy/event.h"

/* The keys of a record, the first nine in the order that the format demands.
 * Those after CRC are of the start record, of the record that `run` leaves and of the mark. */
#define TAF_CRUMB_KEYS(K) \
	K(T, "t") \
	K(BOOT, "boot") \
	K(RUN, "run") \
	K(PID, "pid") \
	K(START, "start") \
	K(TID, "tid") \
	K(SEQ, "seq") \
	K(MONO_NS, "mono_ns") \
	K(EV, "ev") \
	K(PH, "ph") \
	K(ENGINE, "engine") \
	K(CALL, "call") \
	K(MODEL, "model") \
	K(BYTES, "bytes") \
	K(MS, "ms") \
	K(RC, "rc") \
	K(RULE, "rule") \
	K(CLASS, "class") \
	K(CTX, "ctx") \
	K(TOKENS, "tokens") \
	K(SUBMITS, "submits") \
	K(PEAK, "peak") \
	K(REQUESTS, "requests") \
	K(SEQUENCES, "sequences") \
	K(EVALS, "evals") \
	K(STEPS, "steps") \
	K(DRAFTS, "drafts") \
	K(KV_BYTES, "kv_bytes") \
	K(LIVE, "live") \
	K(HANDLES, "handles") \
	K(MSG, "msg") \
	K(OF, "of") \
	K(CRC, "crc") \
	K(V, "v") \
	K(SEG, "seg") \
	K(EXE, "exe") \
	K(ARGV, "argv") \
	K(CWD, "cwd") \
	K(MACHINE, "machine") \
	K(PID_NS, "pid_ns") \
	K(PPID, "ppid") \
	K(SHIM, "shim") \
	K(POLICY, "policy") \
	K(MODE, "mode") \
	K(IDLE_MS, "idle_ms") \
	K(ROUTES, "routes") \
	K(BOUNDARIES, "boundaries") \
	K(RING, "ring") \
	K(ROLE, "role") \
	K(LABEL, "label") \
	K(GUESS, "guess") \
	K(PROFILE, "profile") \
	K(ASKED, "asked") \
	K(VERSIONS, "versions") \
	K(HOST, "host") \
	K(PID_OF_GUEST, "pid_of_guest") \
	K(INSIDE, "inside") \
	K(TRACE, "trace") \
	K(DEVICE, "device") \
	K(PIECES, "pieces") \
	K(PEAK_BYTES, "peak_bytes") \
	K(LARGEST, "largest") \
	K(PINNED, "pinned") \
	K(GRAPHS, "graphs") \
	K(WAITED_MS, "waited_ms") \
	K(COUNTS, "counts") \
	K(TIMES, "times") \
	K(AT_REST, "at_rest") \
	K(FREE, "free") \
	K(TOTAL, "total") \
	K(HAVE, "have") \
	K(NEED, "need") \
	K(UNIT, "unit") \
	K(NAME, "name")

enum taf_key {
#define K(NAME, name) TAF_KEY_##NAME,
	TAF_CRUMB_KEYS(K)
#undef K
		TAF_KEY_COUNT
};

#define TAF_KEYS_IN_ORDER 9

/* A value as it stands in the text: a string keeps its quotes. n 0: absent. */
struct taf_span {
	uint32_t at, n;
};

struct taf_crumb_line {
	const char *text; /* the record without its newline */
	size_t n;
	struct taf_span key[TAF_KEY_COUNT]; /* of a key given twice, the first */
};

struct taf_crumb_reader {
	const char *text;
	size_t n;
	size_t at; /* where the next line is looked for */
	uint32_t seed;
	uint64_t good, bad;
	size_t bad_at; /* offset of the latest damage */
	bool is_tail_bad; /* no good line after the latest damage */
};

void taf_crumb_read_init(struct taf_crumb_reader *r, const char *text, size_t n, uint32_t seed);
/* Finds the next good line. False at the end of the text. */
bool taf_crumb_read_next(struct taf_crumb_reader *r, struct taf_crumb_line *line);
/* Whether these n bytes are one good record; fills line. */
bool taf_crumb_parse(const char *text, size_t n, uint32_t seed, struct taf_crumb_line *line);
/* The same for a line that was accepted before: the checksum is not computed again. */
bool taf_crumb_parse_again(const char *text, size_t n, struct taf_crumb_line *line);

const char *taf_crumb_key_name(enum taf_key key);
bool taf_crumb_has(const struct taf_crumb_line *line, enum taf_key key);
/* False when the key is absent, of another type or out of range; *v is then 0. */
bool taf_crumb_u64(const struct taf_crumb_line *line, enum taf_key key, uint64_t *v);
bool taf_crumb_i64(const struct taf_crumb_line *line, enum taf_key key, int64_t *v);
/* A number of milliseconds with decimals, in microseconds. */
bool taf_crumb_us(const struct taf_crumb_line *line, enum taf_key key, uint64_t *us);
/* The string of key without its escapes, cut to room, always closed by a NUL.
 * An escaped NUL reads U+FFFD. False when absent or not a string. */
bool taf_crumb_text(const struct taf_crumb_line *line, enum taf_key key, char *buf, size_t room);
/* Element i of an array of strings. False behind the last. */
bool taf_crumb_item(const struct taf_crumb_line *line, enum taf_key key, unsigned i, char *buf,
		    size_t room);
/* Element i of an array of numbers; a bare number is its own element 0. */
bool taf_crumb_item_u64(const struct taf_crumb_line *line, enum taf_key key, unsigned i,
			uint64_t *v);
/* The string member name of the object at key. */
bool taf_crumb_member(const struct taf_crumb_line *line, enum taf_key key, const char *name,
		      char *buf, size_t room);
/* The same for a member that is a whole number. */
bool taf_crumb_member_u64(const struct taf_crumb_line *line, enum taf_key key, const char *name,
			  uint64_t *v);
int taf_crumb_kind(const struct taf_crumb_line *line); /* enum taf_kind or -1 */
int taf_crumb_phase(const struct taf_crumb_line *line); /* enum taf_phase or -1 */
int taf_crumb_engine(const struct taf_crumb_line
			     *line); /* enum taf_engine; TAF_ENGINE_NONE when absent or unknown */
/* Microseconds since 1970 of an RFC 3339 time in UTC. */
bool taf_crumb_utc_us(const struct taf_crumb_line *line, uint64_t *us);
bool taf_rfc3339_us(const char *s, size_t n, uint64_t *us);

#endif
