/* SPDX-License-Identifier: MIT */
/* seg.h -- the segment files of one session and their group commit.
 *
 * A segment is filled with newlines before its first record, which overwrite
 * them, and nobody relies on a record in it before the whole file and its name
 * are on disk; from then on a flush carries data and no metadata.  A later
 * segment gets there before its first record.  The first one does by the flush
 * of its start record, which carries size and blocks as well, and by one of the
 * folder behind it: two waits for the disk instead of three before the program
 * may go on.
 *
 *   taf_seg_open      the first segment, filled
 *   taf_seg_settle    it is on disk, with the records put so far
 *
 *   taf_seg_enter     signals blocked, lock taken
 *     taf_seg_fits    the record goes into this segment, else taf_seg_turn
 *     taf_seg_put     one pwrite at the running offset
 *   taf_seg_leave     lock given back, mask put back, the next segment made
 *   taf_seg_flush     returns when what was put before it is on disk
 *
 * LOCK: a futex; all of struct taf_seg is under it but the words that say
 * otherwise.  Signals stay blocked while it is held and while a thread flushes
 * or makes a file, so that no handler of theirs can jump out of it; a thread
 * that holds it already (a crash inside, or code of theirs that we call by
 * accident) is turned away, -EDEADLK.  A wait ends after TAF_SEG_WAIT_MS,
 * -ETIMEDOUT, and takes what it waited for as lost.
 *
 * FLUSH: the first who comes leads: it notes how far records go, lets the lock
 * go, flushes, and wakes the others.  Who comes meanwhile waits for the flush
 * after that one, so nobody waits for more than two, and one serves all.
 *
 * A descriptor is ours only while fstat tells our device and inode; else the
 * file is opened again by its path, and if that is gone too, a new segment
 * begins.  On a full or broken disk one attempt a second is made and the rest
 * refused at once, -ENOSPC.  Never raises SIGXFSZ, never waits without an end,
 * never closes or writes a descriptor that is not ours.
 */
#ifndef TAF_SEG_H
#define TAF_SEG_H

#include <stdatomic.h>

#include "crumb.h"
#include "sys.h"

#define TAF_SEG_WAIT_MS 5000u
#define TAF_SEG_BACKOFF_NS 1000000000ull

/* One file: seg_file.c. */
struct taf_seg_file {
	int fd; /* -1: none */
	uint32_t number;
	uint64_t dev, ino, size;
	char path[TAF_PATH_MAX + 96];
};

struct taf_seg {
	_Atomic(uint32_t) lock; /* futex: 0 free, 1 held, 2 held and waited for */
	_Atomic(int32_t) owner; /* tid of the holder; read without the lock */
	_Atomic(uint32_t) beat; /* futex: goes on when a flush or a making ends */
	_Atomic(uint64_t) flushed; /* records on disk; read without the lock */
	_Atomic(uint64_t) quiet_until_ns; /* after a failure; read without the lock */
	_Atomic(uint32_t) flips; /* of the mark (crumb.h), odd: it says inside; read likewise */
	_Atomic(uint64_t)
		inside_ns; /* when the disk got one that says so; 0: another may be there */
	bool is_open, is_flushing, is_making;
	uint64_t put, refused; /* records written; those the disk would not flush */
	uint64_t crowd, flush_ns; /* records that the last flush served, and its time */
	uint64_t at; /* offset of the next record in now; 0: nothing in it yet */
	uint64_t make_after_ns; /* after a failure to make the next segment */
	uint32_t bytes; /* size of the segments after the first */
	struct taf_seg_file now, next;
	char stem[TAF_PATH_MAX + 80]; /* path up to the segment's number */
	char dir[TAF_PATH_MAX];
};

/* What a thread keeps while it is inside. */
struct taf_seg_hold {
	uint64_t mask; /* to put back */
	uint64_t pending; /* signals that were blocked and waiting before */
	int32_t tid;
	bool has_lock; /* false after an error that lost it; leave copes */
};

/* Where a record stands in its segment. */
struct taf_span_at {
	uint32_t number; /* of the segment */
	uint64_t at;
	size_t n; /* 0: nowhere */
};

/* Makes the first segment, which is not on disk yet. Of s count boot, pid, start, dir and
 * segment_bytes. */
int taf_seg_open(struct taf_seg *g, const struct taf_session *s);
/* Behind open and the first record, before anybody else knows of g. After an error
 * nothing in the segment counts, and taf_seg_close takes the file away. */
int taf_seg_settle(struct taf_seg *g, int32_t tid);
int taf_seg_enter(struct taf_seg *g, struct taf_seg_hold *h, int32_t tid);
void taf_seg_leave(struct taf_seg *g, struct taf_seg_hold *h);
/* Under the lock, between enter and leave: */
bool taf_seg_fits(const struct taf_seg *g, size_t n);
/* Goes on to the next segment; the old one is flushed. The lock may have been
 * free for a while: look at g again. */
int taf_seg_turn(struct taf_seg *g, struct taf_seg_hold *h);
/* Writes a record at the running offset. -ENODATA: the segment is gone, turn. */
int taf_seg_put(struct taf_seg *g, struct taf_seg_hold *h, const void *line, size_t n);
/* Writes a record of the same length over the one at offset at of this segment. It
 * counts as one put: a flush of it can be waited for. */
int taf_seg_put_over(struct taf_seg *g, struct taf_seg_hold *h, const struct taf_span_at *at,
		     const void *line);
/* Outside the lock. Returns when record number upto (g->put after its
 * taf_seg_put) is on disk: 0, or -errno when it may not be. */
int taf_seg_flush(struct taf_seg *g, uint64_t upto, int32_t tid);
/* Flushes, cuts the file to its records, closes. */
void taf_seg_close(struct taf_seg *g, int32_t tid);
/* In a fork child: closes what is ours, forgets the rest. */
void taf_seg_abandon(struct taf_seg *g);

/* seg_file.c */
/* Makes stem<number>.jsonl, full of newlines; a taken number is passed over. The
 * size is cut to the limit on file sizes. */
int taf_seg_file_begin(struct taf_seg_file *f, const struct taf_seg *g, uint32_t number,
		       uint64_t size);
/* The same, and has it on disk with its name. */
int taf_seg_file_make(struct taf_seg_file *f, const struct taf_seg *g, uint32_t number,
		      uint64_t size);
/* 0 when f->fd is the file, if need be opened again; -ENODATA when it is gone. */
int taf_seg_file_check(struct taf_seg_file *f);
/* Flushes through f->fd and makes sure that it was f's. */
int taf_seg_file_sync(struct taf_seg_file *f);
/* Closes f->fd if it is ours; remove: takes the name away as well. */
void taf_seg_file_drop(struct taf_seg_file *f, bool remove);
/* Where the records end: behind them there are newlines only, and two never stand
 * side by side before. */
uint64_t taf_seg_records_end(int fd, uint64_t size);

#endif
