/* SPDX-License-Identifier: MIT */
/* share.c -- the critical section round the ledger.
 *
 *   taf_share_enter: signals off, this process's lock (a futex), the lock of all
 *   (flock on STATE/state.lock), then what others have written since.
 *   taf_share_leave: what was changed is written, then the same backwards.
 *
 * The two files are read again only when their identity, size or time differ
 * from what was read last.  They are read even where the lock of all cannot be
 * had, because they are replaced whole; they are written only under it.
 *
 * What could not be written stays in the ledger (is_unsaved) and is joined with
 * what others write; it is tried again at the next change.
 *
 * A thread that cannot get this process's lock in time (another one hangs in
 * fsync), or that has it already (a fault handler inside the section), gets the
 * spare ledger: its rules see what was noted there alone.  The spare is held only
 * while somebody looks at memory; who has it for a second is gone and loses it.
 */
#include "share.h"

#include <errno.h>

#include "../policy/text.h"
#include "share_file.h"
#include "share_lock.h"
#include "share_text.h"
#include "state.h"
#include "sys_file.h"

#define TEXT_ROOM (512u * 1024)
#define ROTATE_BYTES (400u * 1024) /* 1,000 events and more; what is carried over has room in it */

struct room {
	struct taf_threads threads;
	struct taf_ledger ledger; /* under the lock */
};

static struct room rooms[2]; /* the second one is the spare */

/* Where this thread is. A section inside of a section is in the spare room. */
static _Thread_local struct {
	uint32_t depth;
	bool has_main; /* the outermost one is the section of all */
	uint64_t mask[2]; /* signals, before the outermost and before the one inside it */
} mine __attribute__((tls_model("initial-exec")));

#define SPARE_TRIES 5

static struct {
	char dir[TAF_PATH_MAX];
	char path[3][TAF_PATH_MAX]; /* state, events, state.lock */
	struct taf_stat seen[2]; /* of the files, when they were read; all 0: not there */
	struct taf_processes processes;
	char trouble[512]; /* not told yet */
	uint64_t machine;
	uint64_t turn; /* of the state that was read or written last */
	int32_t pid;
	int err; /* of this section */
	bool is_unsaved; /* something in the ledger is not in the files */
	bool is_newer[2]; /* the file is of a later version */
	bool must_write; /* damage was found: what is whole is written again */
	bool is_looking; /* nothing is changed */
} share; /* under the lock of rooms[0] */

static char text_room[TEXT_ROOM]; /* of a file; likewise */

enum { STATE, EVENTS, LOCK };

static const char names[][12] = { "state", "events", "state.lock" };

/* ---- what went wrong ---- */

/* The first thing stays until it is told. */
static void complain(int file, uint32_t line, const char *what, const char *more)
{
	struct taf_text t;

	if (share.trouble[0])
		return;
	taf_text_init(&t, share.trouble, sizeof(share.trouble));
	taf_text_put(&t, share.path[file]);
	if (line) {
		taf_text_char(&t, ':');
		taf_text_u64(&t, line);
	}
	taf_text_put(&t, ": ");
	taf_text_put(&t, what);
	taf_text_put(&t, more);
}

static const char *word_of(int err)
{
	switch (-err) {
	case ENOSPC: return "no space left on the device";
	case EDQUOT: return "the disk quota is used up";
	case EROFS: return "the file system is read-only";
	case EACCES:
	case EPERM: return "permission denied";
	case EFBIG: return "the limit on file size (ulimit -f) is too low";
	case ENOLCK:
	case EOPNOTSUPP:
	case EINVAL: return "the file system has no locks";
	case ETIMEDOUT: return "another process has held the lock for too long";
	case ENOENT: return "there is no such directory";
	case EPROTO: return "it was written by a newer taffrail";
	default: return "it cannot be used";
	}
}

static void note_failure(int file, int err)
{
	if (!share.err)
		share.err = err;
	complain(file, 0, word_of(err),
		 "; until that is over, rules hold inside each process only");
}

/* Damage: the file is kept aside once, and what is whole of it is written again. */
static void note_flaw(struct taf_ledger *l, int file, const struct taf_share_flaw *flaw)
{
	char kept[TAF_PATH_MAX] = "";
	char buf[TAF_PATH_MAX + 96];
	struct taf_text t;

	if (flaw->is_newer) {
		share.is_newer[file] = true;
		note_failure(file, -EPROTO);
		return;
	}
	if (!flaw->n)
		return;
	/* Who enters to write shall meet the damage again. */
	if (share.is_looking)
		taf_zero(&share.seen[file], sizeof(share.seen[file]));
	else if (share.processes.fd >= 0)
		share.must_write = !taf_file_keep(share.dir, names[file], ".damaged-", kept);
	if (file == STATE && flaw->may_hide)
		taf_copy(l->lost, kept[0] ? kept + taf_len(share.dir) + 1 : names[STATE],
			 sizeof(l->lost));
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_u64(&t, flaw->n);
	taf_text_put(&t, flaw->n == 1 ? " line is damaged and was skipped"
				      : " lines are damaged and were skipped");
	if (l->lost[0])
		taf_text_put(&t, "; a hold by hand may be lost: look, then taffrail ack, or hold");
	if (kept[0])
		taf_text_put(&t, "; the file is kept as ");
	complain(file, flaw->line, buf, kept);
}

/* ---- reading ---- */

static bool is_other(const struct taf_stat *a, const struct taf_stat *b)
{
	return a->dev != b->dev || a->ino != b->ino || a->size != b->size ||
	       a->mtime_ns != b->mtime_ns;
}

static bool has_changed(int file)
{
	struct taf_stat st;

	if (taf_sys_stat(share.path[file], &st))
		taf_zero(&st, sizeof(st));
	return is_other(&st, &share.seen[file]);
}

/* Inode numbers come back and clocks are coarse: two states of one size may look
 * alike from outside. Before we build on what we know, the file itself is asked. */
static bool has_turned(void)
{
	char head[96];
	int64_t n;

	if (share.processes.fd < 0 || !share.seen[STATE].size)
		return false;
	n = taf_file_head(share.path[STATE], head, sizeof(head));
	return n < 0 || taf_share_turn_of(head, (size_t)n) != share.turn;
}

/* The bytes of the file, or -errno; one that is not there has none. */
static int64_t read_file(int file)
{
	int64_t n = taf_file_take(share.path[file], text_room, TEXT_ROOM, &share.seen[file]);

	if (n < 0)
		taf_zero(&share.seen[file], sizeof(share.seen[file]));
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		note_failure(file, (int)n);
	return n;
}

static void forget_state(struct taf_ledger *l)
{
	l->n_models = 0;
	l->is_blind = false;
	l->blind[0] = l->lost[0] = '\0';
	taf_zero(&l->ack, sizeof(l->ack));
	taf_zero(&l->hold, sizeof(l->hold));
	taf_zero(&l->breaker, sizeof(l->breaker));
	taf_zero(l->cursor, sizeof(l->cursor));
}

static void read_state(struct taf_ledger *l)
{
	struct taf_share_flaw flaw;
	int64_t n = read_file(STATE);

	if (n < 0)
		return;
	share.is_newer[STATE] = false;
	share.turn = 0;
	l->lost[0] = '\0';
	if (!share.is_unsaved)
		forget_state(l);
	/* Not there is no damage; there and empty is: it is never written so. */
	if (!n && !share.seen[STATE].ino)
		return;
	taf_share_take_state(l, text_room, (size_t)n, &flaw);
	share.turn = flaw.turn;
	note_flaw(l, STATE, &flaw);
}

static void read_events(struct taf_ledger *l)
{
	struct taf_share_flaw flaw = { 0 };
	int64_t n = read_file(EVENTS);

	if (n < 0)
		return;
	share.is_newer[EVENTS] = false;
	if (n && share.seen[EVENTS].size <= TEXT_ROOM &&
	    !taf_share_is_head(text_room, (size_t)n, TAF_SHARE_EVENTS, &flaw)) {
		if (!flaw.is_newer)
			flaw = (struct taf_share_flaw){ .n = 1, .line = 1 };
		note_flaw(l, EVENTS, &flaw);
		if (flaw.is_newer)
			return;
	}
	taf_share_take_events(l, text_room, (size_t)n, &flaw);
	note_flaw(l, EVENTS, &flaw);
	for (uint32_t i = 0; i < l->n_events; i++)
		l->event[i].is_elsewhere = l->event[i].machine && share.machine &&
					   l->event[i].machine != share.machine;
}

static void refresh(struct taf_ledger *l)
{
	if (has_changed(STATE) || has_turned())
		read_state(l);
	if (has_changed(EVENTS))
		read_events(l);
	if ((share.is_newer[STATE] || share.is_newer[EVENTS]) && !share.err)
		share.err = -EPROTO;
}

/* ---- writing ---- */

static int write_state(const struct taf_ledger *l, bool is_durable)
{
	struct taf_text t;
	int err;

	taf_text_init(&t, text_room, TEXT_ROOM);
	taf_share_put_state(&t, l, share.turn + 1);
	err = t.is_cut ? -EFBIG : taf_file_put(share.dir, names[STATE], &t, is_durable);
	if (err)
		return err;
	share.turn++;
	return taf_sys_stat(share.path[STATE], &share.seen[STATE]);
}

/* A new file of the events that still count; the one before stays under another name. */
static int rotate(const struct taf_ledger *l)
{
	char kept[TAF_PATH_MAX];
	struct taf_text t;
	int err = 0;

	if (share.seen[EVENTS].size)
		err = taf_file_keep(share.dir, names[EVENTS], "-", kept);
	taf_text_init(&t, text_room, TEXT_ROOM);
	taf_share_put_head(&t, TAF_SHARE_EVENTS);
	for (uint32_t i = 0; i < l->n_events; i++)
		taf_share_put_event(&t, &l->event[i],
				    l->event[i].is_unsaved ? TAF_SHARE_NEW : TAF_SHARE_CARRIED);
	if (!err && t.is_cut)
		err = -EFBIG;
	return err ? err : taf_file_put(share.dir, names[EVENTS], &t, true);
}

static bool has_unsaved(const struct taf_ledger *l)
{
	for (uint32_t i = 0; i < l->n_events; i++)
		if (l->event[i].is_unsaved)
			return true;
	return false;
}

static int write_events(struct taf_ledger *l)
{
	struct taf_text t;
	int err;

	if (!share.must_write && !has_unsaved(l))
		return 0;
	taf_text_init(&t, text_room, TEXT_ROOM);
	for (uint32_t i = 0; i < l->n_events; i++) {
		struct taf_ledger_event *e = &l->event[i];

		if (!e->machine)
			e->machine = share.machine;
		/* "More is known" costs nothing where the first telling was lost. */
		if (e->is_unsaved)
			taf_share_put_event(&t, e, e->is_stored ? TAF_SHARE_MORE : TAF_SHARE_NEW);
	}
	if (share.must_write || !share.seen[EVENTS].size || t.is_cut ||
	    share.seen[EVENTS].size + t.used > ROTATE_BYTES)
		err = rotate(l);
	else
		err = taf_file_append(share.path[EVENTS], &t);
	if (err)
		return err;
	taf_sys_stat(share.path[EVENTS], &share.seen[EVENTS]);
	for (uint32_t i = 0; i < l->n_events; i++) {
		l->event[i].is_unsaved = false;
		l->event[i].is_stored = true;
	}
	return 0;
}

static int write_all(struct taf_ledger *l, enum taf_share_change change)
{
	int err = share.err, file = EVENTS;

	if (!err)
		err = write_events(l);
	if (!err) {
		file = STATE;
		err = write_state(l, change == TAF_SHARE_DURABLE);
	}
	if (err && err != share.err)
		note_failure(file, err);
	share.is_unsaved = err != 0;
	if (!err)
		share.must_write = false;
	return err;
}

/* ---- the section ---- */

void taf_share_open(const char *dir)
{
	char id[TAF_BOOT_ID_LEN + 1];

	for (int i = 0; i < 2; i++) {
		forget_state(&rooms[i].ledger);
		rooms[i].ledger.n_events = 0;
	}
	taf_zero(&share, sizeof(share));
	share.processes.fd = -1;
	taf_share_forget();
	if (!taf_sys_machine_id(id))
		share.machine = taf_boot_key(id);
	taf_copy(share.dir, dir, sizeof(share.dir));
	for (int i = 0; share.dir[0] && i < 3; i++)
		if (taf_dir_join(share.path[i], dir, names[i]))
			share.dir[0] = '\0';
}

void taf_share_only_look(void)
{
	share.is_looking = true;
}

static void enter_main(struct taf_ledger *l)
{
	struct taf_stat lock;
	int err;

	share.err = share.dir[0] ? 0 : -ENOENT;
	if (share.err)
		return;
	/* A lock that is not there is not made for a look: the files are replaced whole. */
	err = share.is_looking && taf_sys_stat(share.path[LOCK], &lock)
		      ? 0
		      : taf_processes_lock(&share.processes, share.path[LOCK], TAF_SHARE_WAIT_MS);
	if (err)
		note_failure(LOCK, err);
	refresh(l);
}

static void take_spare(void)
{
	struct taf_threads *t = &rooms[1].threads;

	for (int i = 0; i < SPARE_TRIES; i++)
		if (taf_threads_is_mine(t) || taf_threads_grab(t, TAF_SHARE_WAIT_MS))
			return;
	taf_threads_seize(t);
}

struct taf_ledger *taf_share_enter(int *err)
{
	uint64_t mask;

	if (share.pid != taf_sys_pid())
		taf_share_forget();
	mask = taf_sys_block_outside();
	if (mine.depth < 2)
		mine.mask[mine.depth] = mask;
	if (!mine.depth++)
		mine.has_main = taf_threads_grab(&rooms[0].threads, TAF_SHARE_WAIT_MS);
	if (mine.depth == 1 && mine.has_main) {
		enter_main(&rooms[0].ledger);
		*err = share.err;
		return &rooms[0].ledger;
	}
	take_spare();
	*err = -ETIMEDOUT;
	return &rooms[1].ledger;
}

static int leave_main(enum taf_share_change change)
{
	int err = 0;

	if (!share.is_looking && (change != TAF_SHARE_SAME || share.must_write))
		err = write_all(&rooms[0].ledger, change);
	taf_processes_unlock(&share.processes);
	taf_threads_release(&rooms[0].threads);
	return err;
}

int taf_share_leave(enum taf_share_change change)
{
	uint32_t depth = --mine.depth;
	int err = -ETIMEDOUT;

	if (!depth && mine.has_main)
		err = leave_main(change);
	else if (depth == mine.has_main && taf_threads_is_mine(&rooms[1].threads))
		taf_threads_release(&rooms[1].threads);
	/* Last: lets the signals in that waited. */
	if (depth < 2)
		taf_sys_restore_mask(mine.mask[depth]);
	return err;
}

bool taf_share_is_stale(void)
{
	return share.dir[0] && (has_changed(STATE) || has_changed(EVENTS));
}

void taf_share_forget(void)
{
	for (int i = 0; i < 2; i++) {
		atomic_store(&rooms[i].threads.owner, 0);
		atomic_store(&rooms[i].threads.lock, 0);
	}
	mine.depth = 0;
	taf_processes_forget(&share.processes);
	share.pid = taf_sys_pid();
}

bool taf_share_trouble(struct taf_text *out)
{
	uint64_t mask = taf_sys_block_outside();
	bool is_any;

	if (!taf_threads_grab(&rooms[0].threads, TAF_SHARE_WAIT_MS)) {
		taf_sys_restore_mask(mask);
		return false;
	}
	is_any = share.trouble[0] != '\0';
	taf_text_put(out, share.trouble);
	share.trouble[0] = '\0';
	taf_threads_release(&rooms[0].threads);
	taf_sys_restore_mask(mask);
	return is_any;
}

struct taf_moment taf_moment_now(void)
{
	struct taf_moment m = { .boot_ms = taf_sys_boot_ns() / 1000000,
				.utc_ms = taf_sys_utc_us() / 1000 };
	static _Atomic(uint64_t) boot;
	char id[TAF_BOOT_ID_LEN + 1];

	m.boot = atomic_load(&boot);
	if (!m.boot && !taf_sys_boot_id(id)) {
		m.boot = taf_boot_key(id);
		atomic_store(&boot, m.boot);
	}
	return m;
}
