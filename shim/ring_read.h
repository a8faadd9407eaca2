/* SPDX-License-Identifier: MIT */
/* ring_read.h -- reads a ring file, of a process that lives or of one that died.
 *
 * The format stands at the head of ring.h.  The file is copied with pread and
 * never mapped: somebody may cut it while we look, and a mapped page behind
 * the end is a SIGBUS.  What a cut file lacks reads as zeroes, that is, as
 * lanes nobody took and slots nobody wrote.
 *
 * Every number of the copy may be wrong (a damaged file, a hostile one): the
 * head is validated before use, lanes and slots are found by the validated
 * geometry alone, a slot counts only if its own check holds (invariants 1 and
 * 2 of ring.h).  A copy of a living process is not one instant: lanes are
 * copied one after the other, so two threads may be a few records apart.
 *
 * No libc, no allocation: the caller brings the memory.
 */
#ifndef TAF_RING_READ_H
#define TAF_RING_READ_H

#include "ring.h"

#define TAF_RING_BYTES_MAX (256u << 20)
#define TAF_RING_LANES_MAX 1024u

/* What the process held of one device (live.h): each number whole by itself. */
struct taf_ring_holding {
	uint8_t api, device; /* enum taf_api, may be out of range */
	uint64_t bytes[TAF_RING_PLACES], pieces[TAF_RING_PLACES];
	uint64_t peak, largest;
};

/* The head, as plain numbers and closed strings. */
struct taf_ring_facts {
	char boot[40], run[24], model[128], exe[256];
	int32_t pid;
	uint64_t start;
	uint32_t models_live, contexts_live;
	bool is_leaving, is_tsc;
	uint64_t last_activity_ns; /* 0: none */
	uint64_t infers, drains, drain_ns, holds, refuses, dropped;
	uint64_t submits_closed, allocs_closed, frees_closed;
	uint64_t utc0_us, mono0, mono1; /* mono1: of the latest wide call */
	uint64_t held_since_ns, held_until_ns; /* of waits that a rule asked for; 0: none */
	bool wants_restart;
	uint64_t resources, resource_limit, footprint; /* 0: unknown */
	char restart_rule[32], restart_why[128];
	uint64_t held_pass_ns; /* 0: unknown */
	char held_rule[32], held_why[128]; /* "": unknown */
	int64_t held_from_ns;
	uint64_t held_need_ms; /* 0: no times are compared */
	uint32_t n_devices;
	struct taf_ring_holding devices[TAF_RING_DEVICES];
	struct taf_tally_seen {
		uint64_t id, n; /* id 0: none; may be nonsense */
	} tallies[TAF_RING_TALLIES];
};

struct taf_ring_copy {
	const unsigned char *bytes; /* the caller's memory */
	size_t n;
	uint32_t lanes, lane_bytes, slots; /* validated */
	uint32_t ready; /* lanes from here to the last but one are not looked at; lanes: all are */
	bool is_cut; /* the file was shorter than its head says */
	struct taf_ring_facts facts;
	uint64_t tsc0, tsc1, mono0, mono1; /* the line from stamps to time */
};

struct taf_ring_call {
	uint64_t stamp, mono_ns;
	uint16_t row; /* in the table of engine */
	uint8_t engine; /* enum taf_engine, may be out of range */
	uint8_t kind; /* enum taf_kind, may be out of range */
};

struct taf_ring_record {
	struct taf_ring_call call;
	uint64_t n; /* number in its lane, from 1 */
	uint64_t arg;
	int32_t rc, tid;
	uint32_t lane;
	uint8_t phase; /* enum taf_phase */
};

struct taf_ring_lane {
	int32_t tid; /* 0: free */
	uint64_t records; /* written in all */
	uint64_t submits, allocs, frees, bytes_taken, bytes_given;
	uint64_t last_submit_ns; /* 0: none */
	bool is_inside; /* of open */
	struct taf_ring_call open; /* the outermost hooked call it is in */
};

/* How many bytes the copy of this file takes; -errno when it is none. */
int64_t taf_ring_copy_size(int fd);
/* Copies the file into buf and validates it. 0; -EBADMSG: not a ring, or damaged
 * beyond use; -errno. */
int taf_ring_copy_read(int fd, void *buf, size_t room, struct taf_ring_copy *out);
/* The same for bytes that are in memory already. */
int taf_ring_copy_check(const void *bytes, size_t n, struct taf_ring_copy *out);
/* Makes the line from stamps to time longer, hence truer, with a pair that
 * the reader took on the same boot. */
void taf_ring_calibrate(struct taf_ring_copy *c, uint64_t tsc, uint64_t mono_ns);

/* CLOCK_MONOTONIC of a stamp; 0 when it cannot be told. */
uint64_t taf_ring_mono(const struct taf_ring_copy *c, uint64_t stamp);
/* Lane i; false when there is none. */
bool taf_ring_lane_view(const struct taf_ring_copy *c, uint32_t i, struct taf_ring_lane *out);
/* The newest records of lane i, oldest of them first; returns how many. */
size_t taf_ring_lane_records(const struct taf_ring_copy *c, uint32_t i, struct taf_ring_record *out,
			     size_t room);
/* The newest records of all lanes by their stamps, oldest of them first. */
size_t taf_ring_last(const struct taf_ring_copy *c, struct taf_ring_record *out, size_t room);
/* Submits of all threads, those that ended included. */
uint64_t taf_ring_submits(const struct taf_ring_copy *c);

#endif
