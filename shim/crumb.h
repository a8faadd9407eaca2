/* SPDX-License-Identifier: MIT */
/* crumb.h -- tier D: the log that outlives the kernel, and the door to both tiers.
 *
 * FORMAT (version 1): JSON Lines in segment files
 *
 *   STATE/crumbs/<boot>-<pid>-<start>-<seg>.jsonl
 *
 *   boot   32 hexadecimal digits of the boot id      pid    decimal
 *   start  start time of the process in ticks        seg    from 0, three digits or more
 *
 * A segment is created at its full size filled with newlines; records then
 * overwrite newlines in place, one after the other, so that a record costs one
 * data flush and no metadata, and so that cat, grep and jq read the file at any
 * moment.  Size and name are durable before anybody relies on a record: of the
 * first segment together with its start record (shim/seg.h).  The first segment
 * is 64 KiB, later ones crumbs.segment.  A clean end cuts the file to its
 * records.  A record is one line, at most TAF_RECORD_MAX bytes, and reads
 *
 *   {"t":"2026-11-21T10:00:00.123456Z","boot":"...","run":"...","pid":1,"start":2,"tid":3,
 *    "seq":4,"mono_ns":5,"ev":"load","ph":"begin",...,"crc":"89abcdef"}\n
 *
 * without a space after ':' or ',' and always with the first ten keys in
 * that order.  crc is CRC32C (Castagnoli, reflected, init and xorout all ones)
 * of the line up to and without ',"crc":', continued from the CRC32C of the
 * text "<boot>-<start>-<seg>" (seg as in the file name), so that a line of
 * another boot, process or segment never validates.  Text inside a record is
 * escaped by taf_text_json: no name or message can end a line or steer a
 * terminal.
 *
 *   key       unit, meaning                          present
 *   t         RFC 3339 UTC, microseconds             always
 *   boot run pid start tid seq mono_ns               always; seq counts from 1 in a process,
 *             mono_ns is CLOCK_MONOTONIC; run is 16 hexadecimal digits
 *   ev ph     kind of policy/kinds.def; begin end mark  always
 *   engine    table of the entry point               when there is one
 *   call      entry point                            when there is one
 *   model     canonical id                           when known
 *   bytes     of the call                            begin and end of load, alloc
 *   ms        how long it took                       end, and marks that took time
 *   rc        what their function returned           end, exit (the status)
 *   rule      path of the setting that acted         hold refuse would drain warn
 *   class     class of an error                      error
 *   ctx       configured context, tokens             load, infer
 *   tokens    done so far in this generation         infer end
 *   submits   decodes or launches counted in it      infer end
 *   peak      the most tokens in one submit          infer end
 *   kv_bytes  of the contexts alive                  infer, start of context
 *   live      bytes alive, as counted by the shim    end of load, unload, infer
 *   handles   contexts alive                         as above
 *   msg       for people                             anywhere
 *   trace     {first, wall_us ...}: policy/trace.h   infer end, with `trace` on
 *   of        seq of the begin that this ends        end
 *   inside    1 a call of a generation is inside the engine, 0 none is     infer mark
 *   crc       last
 *
 * The first record of every segment has ev "start"; its extra keys are: seg,
 * ring (path), v (format version), role (guest run note), exe, argv (array,
 * secrets masked), cwd, machine, pid_ns, ppid, hint (the model that argv or
 * the environment names), shim (version), mode, idle_ms (drain.idle_ms),
 * policy {origin, path, sha256, bad}, routes, boundaries ("exact" | "inferred"),
 * levers (env.set in force), label.  A record of role run adds pid_of_guest.
 *
 * INVARIANTS
 *  (1) Write-ahead: a SYNC record is on disk when taf_crumb returns, before
 *      their function is called.
 *  (2) Within a process seq has no holes; a hole in the log is a lost LOG record.
 *  (3) A reader accepts a line only if its crc matches, skips what does not,
 *      and counts it (crumb_read.c).
 *  (4) A begin without an end under another boot id is the suspect; generations
 *      are none where the latest mark says 0.
 *  (5) The file descriptor is checked against (dev, ino) before each write: a
 *      program that closes descriptors it did not open must not make us write
 *      into its next file.
 *
 * THE MARK (infer, ph mark): what a server that sits idle needs to be told from one
 * that took the machine down, since no thread of ours writes the end of a
 * generation.  One record that is written over in place, with the same seq, so
 * that a generation of hours adds nothing; the last one in the log counts, and
 * speaks of now and not of its place (taf_crumb_show).
 *
 *   a decode begins     1, in the page cache; on disk with the begin of a generation,
 *                       and again every ten seconds of it, so that the kernel
 *                       never writes a 0 by itself while one goes on
 *   a decode returns    0, in the page cache and never flushed
 *
 * What the page cache has outlives a kill and an orderly shutdown, and dies with
 * the kernel: a panic leaves 1 behind, an idle server 0.  A sync of the whole
 * file system in the last seconds before a panic may leave 0.
 *
 * Group commit: writers append under a futex lock, then one of them flushes
 * for all that were appended before it began (seg.c); nobody waits for more
 * than two flushes.  No function here allocates, uses stdio or changes errno.
 */
#ifndef TAF_CRUMB_H
#define TAF_CRUMB_H

#include <stdatomic.h>

#include "../policy/event.h"
#include "sys.h"

#define TAF_CRUMB_VERSION 1
#define TAF_RECORD_MAX 3584u
#define TAF_SEGMENT_FIRST (64u * 1024)
#define TAF_PATH_MAX 1024

/* Which optional numbers of a record are present. */
enum taf_has {
	TAF_HAS_BYTES = 1 << 0,
	TAF_HAS_MS = 1 << 1,
	TAF_HAS_RC = 1 << 2,
	TAF_HAS_CTX = 1 << 3,
	TAF_HAS_TOKENS = 1 << 4,
	TAF_HAS_SUBMITS = 1 << 5,
	TAF_HAS_PEAK = 1 << 6,
	TAF_HAS_KV = 1 << 7,
	TAF_HAS_LIVE = 1 << 8,
	TAF_HAS_HANDLES = 1 << 9,
	TAF_HAS_OF = 1 << 10,
};

/* One crumb. Text may be NULL; numbers count only with their bit in has. */
struct taf_rec {
	enum taf_kind kind;
	enum taf_phase phase;
	enum taf_engine engine;
	unsigned has; /* enum taf_has, or-ed */
	const char *call, *model, *rule, *class, *msg;
	const char *extra; /* more members, ready made: ,"key":value... */
	uint64_t bytes, ctx, tokens, submits, peak, kv_bytes, live, handles, of;
	uint64_t us; /* written as ms with three decimals */
	int64_t rc;
	enum taf_durability keep; /* TAF_KEEP_NONE: as the kind says */
	uint64_t mono_ns; /* 0: now */
};

/* Who writes, and where. Filled by the caller; strings are copied. */
struct taf_session {
	char dir[TAF_PATH_MAX]; /* STATE/crumbs, exists */
	char ring_dir[TAF_PATH_MAX]; /* "": no ring file, an anonymous one */
	char state[TAF_PATH_MAX]; /* STATE, for what is shared; "": there is none */
	char boot[TAF_BOOT_ID_LEN + 1];
	char run[17];
	int32_t pid;
	uint64_t start; /* ticks */
	uint32_t ring_bytes, segment_bytes;
	const char *head; /* the extra members of the start record: ,"v":1,"exe":... */
	const char *exe; /* the program, for the journal; NULL: not said */
	const char *journal; /* the socket that gets what matters too (journal.h); NULL: none */
};

/* Opens the ring and the first segment and writes the start record. 0 or
 * -errno; on failure nothing is open and every call below does nothing. */
int taf_crumb_open(const struct taf_session *s);
/* Writes one crumb as durably as its kind asks. Returns its seq, 0 when it could not be written
 * (no session, disk full: counted in the ring head as dropped). */
uint64_t taf_crumb(const struct taf_rec *r);
/* Forgets the session in a fork child: closes our descriptors there, writes nothing. */
void taf_crumb_abandon(void);
/* Ends the session: flushes, cuts the segment to its records, removes the ring file. */
void taf_crumb_close(void);
bool taf_crumb_is_open(void);
/* Makes the mark say whether calls are inside: are_inside is asked when it is written. In
 * the page cache at once, on disk if may_flush and what is there is not known to say
 * "inside", or not since long. */
void taf_crumb_show(bool (*are_inside)(void), bool may_flush);
/* Whether that has nothing to do. */
bool taf_crumb_shows(bool is_inside);
/* Whether the mark says "inside". */
extern _Atomic(bool) taf_crumb_mark;
static inline bool taf_crumb_is_marked(void)
{
	return atomic_load_explicit(&taf_crumb_mark, memory_order_relaxed);
}

/* CRC32C of n bytes continued from crc (0 to begin). */
uint32_t taf_crc32c(uint32_t crc, const void *p, size_t n);
/* The seed of a segment: CRC32C of "<boot>-<start>-<seg>". */
uint32_t taf_crumb_seed(const char *boot, uint64_t start, uint32_t seg);

/* ring.c */
struct taf_ring_head;
struct taf_lane;
int taf_ring_open(const struct taf_session *s);
struct taf_ring_head *taf_ring_head(void); /* NULL: none */
struct taf_lane *taf_ring_take_lane(void); /* the calling thread's; NULL: none */
struct taf_lane *taf_ring_shared_lane(void); /* for who needs none of its own; NULL: none */
/* Bytes of allocations that passed the doors and were not given back. */
uint64_t taf_ring_bytes_live(void);
/* The same, and what was given back since the process began. */
void taf_ring_bytes(uint64_t *live, uint64_t *given);
/* How many allocations that is. */
uint64_t taf_ring_allocs_live(void);
/* True when at lay in the ring, whose file somebody cut, and the ring is memory now. */
bool taf_ring_heal(const void *at);
void taf_ring_close(bool remove_file);
void taf_ring_abandon(void);

#endif
