/* SPDX-License-Identifier: MIT */
/* sessions.h -- the sessions of a state directory, as their crumbs tell them.
 *
 *   taf_trails_scan     one entry a process: names of its segments, and what its first record says
 *   taf_trail_load      all records of one process, begins paired with ends
 *   taf_story_tell     how it ended and where it was (story.h)
 *
 * A session is what the segments of one (boot, pid, start) hold; a run is the
 * sessions that carry one run id.  `taffrail run` leaves a small session of
 * its own there (role "run") whose last record, ev "exit" with call "run", says how
 * the process in pid_of_guest ended: it belongs to the guest and is no guest.
 *
 * Files are read with pread into memory, so that a file cut under us is short
 * and never a fault; links and files that are not plain are not opened.  All
 * text stays as the file has it: see show.h before printing any.
 */
#ifndef TAF_SESSIONS_H
#define TAF_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/event.h"
#include "../shim/crumb.h"
#include "../shim/crumb_read.h"

/* One record, in its file's text. */
struct taf_past {
	const char *text;
	uint32_t n;
	int16_t kind; /* enum taf_kind; -1: of a newer version */
	int16_t phase; /* enum taf_phase; -1 */
	uint8_t engine;
	bool is_noted; /* a note is about this begin */
	uint16_t image; /* 0, and one more for each program this process became */
	int32_t tid;
	uint32_t
		mate; /* 1 + index of the end of this begin, or of the begin of this end; 0: none */
	uint64_t seq, of, mono_ns;
};

#define TAF_MATE_GONE UINT32_MAX /* a begin that an exec did away with */

struct taf_trail_file {
	char name[96];
	uint32_t seg;
	char *text; /* NULL: not loaded */
	size_t n;
	uint64_t bad; /* damaged lines */
	bool is_tail_bad; /* the damage is the last thing in the file */
	int err; /* why it could not be read: -errno */
	int64_t mtime_us;
};

struct taf_trail {
	char id[96]; /* <boot>-<pid>-<start> */
	char dir[TAF_PATH_MAX]; /* it lies in */
	char boot[TAF_BOOT_ID_LEN + 1];
	int32_t pid, ppid;
	uint64_t start; /* ticks */
	struct taf_trail_file *files; /* by seg */
	size_t n_files;
	/* From the first readable record. */
	bool is_readable;
	char run[24], role[12], machine[40], ring[TAF_PATH_MAX];
	uint64_t pid_ns, first_us, first_ns;
	uint64_t idle_ns; /* a generation has ended when nothing came for so long */
	/* After taf_trail_load. */
	struct taf_past *past;
	size_t n_past, past_room;
	uint64_t bad, last_us, last_ns;
	bool is_outside; /* by the latest mark no call of a generation is inside the engine */
};

struct taf_trails {
	char dir[TAF_PATH_MAX]; /* STATE/crumbs */
	struct taf_trail *list; /* the oldest first */
	size_t n;
};

/* The reader's own place and time. */
struct taf_world {
	char boot[TAF_BOOT_ID_LEN + 1], machine[TAF_BOOT_ID_LEN + 1];
	uint64_t pid_ns;
	uint64_t mono_ns, utc_us, tsc;
	bool (*is_alive)(int32_t pid, uint64_t start); /* and not a zombie */
};

void taf_world_now(struct taf_world *w);
/* Where the crumbs are, for --state DIR or NULL. Fills dir, of TAF_PATH_MAX bytes. 0 or -errno. */
int taf_crumbs_dir(char *dir, const char *state);

/* 0 or -errno; a directory that is not there is an empty one. */
int taf_trails_scan(struct taf_trails *g, const char *dir, const struct taf_world *w);
/* The same, but only sessions whose process lives and numbers processes as we do. */
int taf_trails_scan_live(struct taf_trails *g, const char *dir, const struct taf_world *w);
void taf_trails_free(struct taf_trails *g);
/* 0 or -errno; files that cannot be read say so in their err. */
int taf_trail_load(struct taf_trail *trail, const char *dir);
void taf_trail_unload(struct taf_trail *trail);

/* A program that used an engine; not what `run` and `note` left. */
bool taf_trail_is_guest(const struct taf_trail *trail);
bool taf_trail_is_run(const struct taf_trail *trail);
/* The session that `run` left for this run id, or NULL. */
struct taf_trail *taf_trails_runner(struct taf_trails *g, const char *run);
/* The newest guest (with any: the newest session of whatever role); NULL: none. */
struct taf_trail *taf_trails_newest(struct taf_trails *g, bool any);
/* Whether what the user typed names this session: its pid, its id, "<pid>-<start>",
 * or a beginning of the id. */
bool taf_trail_is_named(const struct taf_trail *trail, const char *name);
bool taf_past_line(const struct taf_past *p, struct taf_crumb_line *line);
/* Whether p is the begin of a load whose weights nobody has evaluated yet (shim/lazy.h): the call
 * has returned, and nothing hangs in it. */
bool taf_past_is_unread(const struct taf_past *p);
/* CLOCK_MONOTONIC of that guest's boot in microseconds since 1970, by its last record. */
uint64_t taf_trail_utc_us(const struct taf_trail *trail, uint64_t mono_ns);

/* Reads a plain file from `from` on; *text is malloc'd. 0 or -errno. */
int taf_file_read(const char *dir, const char *name, size_t from, struct taf_trail_file *out);
/* Takes <boot>-<pid>-<start>-<seg>.jsonl apart. */
bool taf_segment_name(const char *name, struct taf_trail *id, uint32_t *seg);

#endif
