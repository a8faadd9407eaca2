/* SPDX-License-Identifier: MIT */
#include "saved.h"

#include <errno.h>
#include <sys/stat.h>

#include "../policy/sha256.h"
#include "crumb.h"
#include "life.h"
#include "scratch.h"
#include "share.h"
#include "share_file.h"
#include "share_text.h"
#include "state.h"

#define FILE_NAME "saved"
#define SAMPLE (64u * 1024)
#define TEXT_ROOM (256u * 1024) /* TAF_SAVED_MAX of a kilobyte: few names make it longer */
#define GIVE_UP 16 /* of the oldest entries, where there is no room for all */

/* ---- the file that was saved ---- */

static uint64_t hash_of(const void *data, size_t n)
{
	uint8_t sum[TAF_SHA256_BYTES];
	uint64_t h = 0;

	taf_sha256(data, n, sum);
	for (int i = 0; i < 8; i++)
		h = h << 8 | sum[i];
	return h;
}

static size_t sample(int fd, uint64_t at, char *out)
{
	size_t done = 0;
	int64_t n;

	while (done < SAMPLE && (n = taf_sys_pread(fd, out + done, SAMPLE - done, at + done)) > 0)
		done += (size_t)n;
	return done;
}

static int hash_file(int fd, struct taf_saved *s)
{
	size_t n = sizeof(s->size);
	char *buf = taf_scratch_take(3 * SAMPLE + n);

	if (!buf)
		return -ENOMEM;
	taf_move(buf, &s->size, n);
	n += sample(fd, 0, buf + n);
	if (s->size > SAMPLE)
		n += sample(fd, s->size / 2, buf + n);
	if (s->size > 2 * (uint64_t)SAMPLE)
		n += sample(fd, s->size - SAMPLE, buf + n);
	s->hash = hash_of(buf, n);
	taf_scratch_give(buf);
	return 0;
}

/* As llama.cpp writes it, in the order of bytes of this machine. */
static void read_tokens(int fd, struct taf_saved *s)
{
	static const uint32_t session = 0x6767736e, sequence = 0x67677371; /* ggsn, ggsq */
	uint32_t head[3] = { 0 };

	if (taf_sys_pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	    (head[0] == session || head[0] == sequence))
		s->tokens = head[2];
}

/* Of the path as the program gave it, made absolute: links on the way are its own affair. */
static uint64_t hash_path(const char *path)
{
	char buf[TAF_PATH_MAX];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	if (path[0] != '/' && taf_sys_readlink("/proc/self/cwd", buf, sizeof(buf)) > 0) {
		t.used = taf_len(buf);
		taf_text_char(&t, '/');
	}
	taf_text_put(&t, path);
	return hash_of(buf, t.used);
}

int taf_saved_look(const char *path, struct taf_saved *s)
{
	struct taf_stat st;
	int fd, err;

	s->path = hash_path(path);
	taf_copy(s->name, taf_base(path), sizeof(s->name));
	s->is_link = !taf_sys_stat(path, &st) && S_ISLNK(st.mode);
	fd = taf_sys_open_any(path);
	if (fd < 0)
		return fd;
	err = taf_sys_fstat(fd, &st);
	if (!err && !S_ISREG(st.mode))
		err = -EINVAL;
	if (!err) {
		s->dev = st.dev;
		s->ino = st.ino;
		s->size = st.size;
		s->mtime_ns = (uint64_t)st.mtime_ns;
		err = hash_file(fd, s);
		read_tokens(fd, s);
	}
	taf_sys_close(fd);
	return err;
}

/* ---- the entries ---- */

struct entries {
	char *text; /* TEXT_ROOM bytes */
	size_t used;
	uint32_t damaged, line; /* how many, and the first */
	bool is_newer;
};

/* Inside the section. 0 or -errno; a file that is not there has no entries. */
static int read_entries(const char *dir, struct entries *e)
{
	struct taf_share_flaw flaw = { 0 };
	char path[TAF_PATH_MAX];
	struct taf_stat st;
	int64_t n;
	int err = taf_dir_join(path, dir, FILE_NAME);

	n = err ? err : taf_file_take(path, e->text, TEXT_ROOM, &st);
	e->used = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		return n == -ENOENT ? 0 : (int)n;
	if (st.size > TEXT_ROOM)
		return -EFBIG;
	if (!taf_share_is_head(e->text, e->used, TAF_SHARE_SAVED, &flaw)) {
		e->is_newer = flaw.is_newer;
		e->damaged = e->line = !flaw.is_newer;
	}
	return e->is_newer ? -EPROTO : 0;
}

/* The line that begins at *at; moves *at behind it. False: there is none. */
static bool next_line(const struct entries *e, size_t *at, const char **line, size_t *n)
{
	size_t end = *at;

	if (*at >= e->used)
		return false;
	while (end < e->used && e->text[end] != '\n')
		end++;
	*line = e->text + *at;
	*n = end - *at;
	*at = end + 1;
	return true;
}

typedef void each_fn(void *arg, const struct taf_saved *s, const char *line, size_t n);

/* Every whole entry; counts what is damaged. */
static void walk(struct entries *e, each_fn *fn, void *arg)
{
	struct taf_saved s;
	const char *line;
	uint32_t number = 0;
	size_t at = 0, n;

	while (next_line(e, &at, &line, &n)) {
		if (!number++)
			continue;
		if (taf_saved_take(line, n, &s)) {
			fn(arg, &s, line, n);
		} else if (!e->damaged++) {
			e->line = number;
		}
	}
}

static void tell_damage(const struct entries *e, const char *dir, const char *kept,
			struct taf_text *trouble)
{
	if (!e->damaged || !trouble)
		return;
	taf_text_put(trouble, dir);
	taf_text_put(trouble, "/" FILE_NAME ":");
	taf_text_u64(trouble, e->line);
	taf_text_put(trouble, ": damaged, and ignored; what it told of a saved state is not known");
	if (kept[0]) {
		taf_text_put(trouble, "; the file is kept as ");
		taf_text_put(trouble, kept);
	}
}

/* ---- entering ---- */

struct fresh {
	const struct taf_saved *s;
	struct taf_text text;
	uint32_t n, skip;
};

static bool is_replaced(const struct taf_saved *old, const struct taf_saved *s)
{
	return old->path == s->path || (old->dev == s->dev && old->ino == s->ino);
}

static void count(void *arg, const struct taf_saved *s, const char *line, size_t n)
{
	struct fresh *f = arg;

	(void)line;
	(void)n;
	f->n += !is_replaced(s, f->s);
}

static void carry(void *arg, const struct taf_saved *s, const char *line, size_t n)
{
	struct fresh *f = arg;

	if (is_replaced(s, f->s))
		return;
	if (f->skip) {
		f->skip--;
		return;
	}
	taf_text_put_n(&f->text, line, n);
	taf_text_char(&f->text, '\n');
}

/* Inside the section: everything else that is whole, and the new one behind it. */
static int rewrite(const char *dir, const struct entries *e, struct fresh *f, char *out)
{
	uint32_t less = f->n >= TAF_SAVED_MAX ? f->n - TAF_SAVED_MAX + 1 : 0;

	do {
		struct entries again = { .text = e->text, .used = e->used };

		f->skip = less;
		taf_text_init(&f->text, out, TEXT_ROOM);
		taf_share_put_head(&f->text, TAF_SHARE_SAVED);
		walk(&again, carry, f);
		taf_saved_put(&f->text, f->s);
		less += GIVE_UP;
	} while (f->text.is_cut && less < f->n + GIVE_UP);
	return f->text.is_cut ? -EFBIG : taf_file_put(dir, FILE_NAME, &f->text, false);
}

static int enter(const char *dir, struct entries *e, const struct taf_saved *s,
		 char kept[TAF_PATH_MAX])
{
	struct fresh f = { .s = s };
	int err = dir[0] ? read_entries(dir, e) : -ENOENT;

	if (err)
		return err;
	walk(e, count, &f);
	if (e->damaged)
		err = taf_file_keep(dir, FILE_NAME, ".damaged-", kept);
	return err ? err : rewrite(dir, e, &f, e->text + TEXT_ROOM);
}

int taf_saved_enter(const struct taf_saved *s, struct taf_text *trouble)
{
	const char *dir = taf_state_dir();
	char *room = taf_scratch_take(2 * TEXT_ROOM + TAF_PATH_MAX), *kept;
	struct entries e = { .text = room };
	int err = 0;

	if (!room)
		return -ENOMEM;
	kept = room + 2 * TEXT_ROOM;
	kept[0] = 0;
	taf_share_enter(&err);
	err = err ? err : enter(dir, &e, s, kept);
	taf_share_leave(TAF_SHARE_SAME);
	tell_damage(&e, dir, kept, trouble);
	taf_scratch_give(room);
	return err;
}

/* ---- judging ---- */

/* How an entry was found: the lower, the better. */
enum rank { BY_LINK, BY_FILE, BY_PATH, BY_CONTENT, NOT_FOUND };

struct hunt {
	const struct taf_saved *now;
	struct taf_saved best;
	enum rank rank;
};

static enum rank rank_of(const struct taf_saved *s, const struct taf_saved *now)
{
	bool is_alike = s->size == now->size && s->hash == now->hash;
	bool is_file = s->dev == now->dev && s->ino == now->ino;

	if (s->path == now->path && now->is_link && !is_file)
		return BY_LINK;
	/* An inode's number alone says nothing: it is given out again. */
	if (is_file && (is_alike || s->path == now->path))
		return BY_FILE;
	if (s->path == now->path)
		return BY_PATH;
	return is_alike ? BY_CONTENT : NOT_FOUND;
}

static void look_at(void *arg, const struct taf_saved *s, const char *line, size_t n)
{
	struct hunt *h = arg;
	enum rank rank = rank_of(s, h->now);

	(void)line;
	(void)n;
	if (rank != NOT_FOUND && rank <= h->rank) { /* of two alike the newer one */
		h->best = *s;
		h->rank = rank;
	}
}

enum taf_saved_word taf_saved_judge(const struct taf_saved *now, struct taf_text *why,
				    struct taf_text *trouble)
{
	const char *dir = taf_state_dir();
	struct hunt *h = taf_scratch_take(sizeof(*h) + TEXT_ROOM);
	struct entries e = { .text = (char *)(h + 1) };
	enum taf_saved_word word = TAF_SAVED_UNASKED;
	int err;

	if (!h)
		return word;
	h->now = now;
	h->rank = NOT_FOUND;
	taf_share_enter(&err); /* the file is replaced whole: it can be read without the lock */
	err = dir[0] ? read_entries(dir, &e) : -ENOENT;
	taf_share_leave(TAF_SHARE_SAME);
	if (!err) {
		walk(&e, look_at, h);
		word = h->rank == NOT_FOUND ? TAF_SAVED_NEW : TAF_SAVED_FITS;
	}
	tell_damage(&e, dir, "", trouble);
	if (word == TAF_SAVED_FITS) {
		taf_saved_compare(&h->best, now, why);
		if (why->used)
			word = TAF_SAVED_DIFFERS;
		else if (!h->best.turn.is_known || !now->turn.is_known)
			word = TAF_SAVED_FITS_PARTLY;
	}
	taf_scratch_give(h);
	return word;
}
