/* SPDX-License-Identifier: MIT */
#include "sessions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../policy/text.h"

#define FILE_MAX_BYTES (256u << 20)
#define HEAD_BYTES 65536u
#define IDLE_NS 250000000ull /* drain.idle_ms, where nothing else is known */
#define PAIR_WINDOW 4096u

bool taf_segment_name(const char *name, struct taf_trail *id, uint32_t *seg)
{
	const char *p = name;
	uint64_t v;
	size_t i;

	for (i = 0; i < TAF_BOOT_ID_LEN; i++, p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f')))
			return false;
	memcpy(id->boot, name, TAF_BOOT_ID_LEN);
	id->boot[TAF_BOOT_ID_LEN] = '\0';
	if (*p++ != '-' || !taf_read_u64(p, &p, &v) || !v || v > INT32_MAX || *p++ != '-')
		return false;
	id->pid = (int32_t)v;
	if (!taf_read_u64(p, &p, &id->start) || *p++ != '-')
		return false;
	i = (size_t)(p - 1 - name);
	if (i >= sizeof(id->id) || !taf_read_u64(p, &p, &v) || v > UINT32_MAX ||
	    strcmp(p, ".jsonl") != 0)
		return false;
	*seg = (uint32_t)v;
	memcpy(id->id, name, i);
	id->id[i] = '\0';
	return strlen(name) < sizeof(((struct taf_trail_file *)0)->name);
}

static int open_plain(const char *dir, const char *name, struct stat *st)
{
	char path[TAF_PATH_MAX + 128];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

/* Drops the newlines that a segment is filled with; keeps the one that closes the last record. */
static size_t trim(const char *text, size_t n)
{
	while (n > 1 && text[n - 1] == '\n' && text[n - 2] == '\n')
		n--;
	return n;
}

static int read_part(const char *dir, size_t from, size_t max, struct taf_trail_file *f)
{
	struct stat st;
	size_t room, n = 0;
	ssize_t got = 0;
	char *text, *small;
	int fd = open_plain(dir, f->name, &st);

	if (fd < 0)
		return fd;
	f->mtime_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	room = (uint64_t)st.st_size > from ? (size_t)st.st_size - from : 0;
	if (room > max)
		room = max;
	text = malloc(room + 1);
	if (!text) {
		close(fd);
		return -ENOMEM;
	}
	while (n < room && ((got = pread(fd, text + n, room - n, (off_t)(from + n))) > 0 ||
			    (got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	got = got < 0 ? -errno : 0;
	close(fd);
	f->n = trim(text, n);
	text[f->n] = '\0';
	small = realloc(text, f->n + 1);
	f->text = small ? small : text;
	return n ? 0 : (int)got;
}

int taf_file_read(const char *dir, const char *name, size_t from, struct taf_trail_file *out)
{
	memset(out, 0, sizeof(*out));
	taf_copy(out->name, name, sizeof(out->name));
	return read_part(dir, from, FILE_MAX_BYTES, out);
}

/* drain.idle_ms of the session; its default where an older guard has not written it down. */
static uint64_t idle_ns_of(const struct taf_crumb_line *line)
{
	uint64_t ms;

	if (!taf_crumb_u64(line, TAF_KEY_IDLE_MS, &ms) || !ms || ms > TAF_DAY_MS)
		return IDLE_NS;
	return ms * 1000000;
}

/* What the first record says about the whole session. */
static void take_head(struct taf_trail *g, const struct taf_crumb_line *line)
{
	uint64_t v;

	if (!g->is_readable) {
		taf_crumb_text(line, TAF_KEY_RUN, g->run, sizeof(g->run));
		taf_crumb_utc_us(line, &g->first_us);
		taf_crumb_u64(line, TAF_KEY_MONO_NS, &g->first_ns);
		g->is_readable = true;
	}
	if (taf_crumb_kind(line) != TAF_START)
		return;
	g->idle_ns = idle_ns_of(line);
	if (!g->role[0])
		taf_crumb_text(line, TAF_KEY_ROLE, g->role, sizeof(g->role));
	if (!g->machine[0])
		taf_crumb_text(line, TAF_KEY_MACHINE, g->machine, sizeof(g->machine));
	taf_crumb_text(line, TAF_KEY_RING, g->ring, sizeof(g->ring));
	if (taf_crumb_u64(line, TAF_KEY_PID_NS, &v))
		g->pid_ns = v;
	if (taf_crumb_u64(line, TAF_KEY_PPID, &v) && v <= INT32_MAX)
		g->ppid = (int32_t)v;
}

static void scan_head(struct taf_trail *g, const char *dir)
{
	for (size_t i = 0; i < g->n_files && !g->is_readable; i++) {
		struct taf_trail_file f = g->files[i];
		struct taf_crumb_reader r;
		struct taf_crumb_line line;

		if (read_part(dir, 0, HEAD_BYTES, &f) >= 0) {
			taf_crumb_read_init(&r, f.text, f.n,
					    taf_crumb_seed(g->boot, g->start, f.seg));
			if (taf_crumb_read_next(&r, &line))
				take_head(g, &line);
			g->files[i].mtime_us = f.mtime_us;
			free(f.text);
		}
	}
	if (!g->is_readable && g->n_files && g->files[0].mtime_us > 0)
		g->first_us = (uint64_t)g->files[0].mtime_us;
}

static struct taf_trail *trail_of(struct taf_trails *g, const struct taf_trail *id)
{
	struct taf_trail *grown;

	for (size_t i = g->n; i > 0; i--)
		if (!strcmp(g->list[i - 1].id, id->id))
			return &g->list[i - 1];
	grown = realloc(g->list, (g->n + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	g->list = grown;
	g->list[g->n] = *id;
	return &g->list[g->n++];
}

static int add_file(struct taf_trails *g, const char *name)
{
	struct taf_trail id = { .idle_ns = IDLE_NS }, *trail;
	struct taf_trail_file *grown, f = { 0 };
	size_t at;

	if (!taf_segment_name(name, &id, &f.seg))
		return 0;
	taf_copy(f.name, name, sizeof(f.name));
	taf_copy(id.dir, g->dir, sizeof(id.dir));
	trail = trail_of(g, &id);
	grown = trail ? realloc(trail->files, (trail->n_files + 1) * sizeof(*grown)) : NULL;
	if (!grown)
		return -ENOMEM;
	trail->files = grown;
	for (at = trail->n_files; at && grown[at - 1].seg > f.seg; at--)
		grown[at] = grown[at - 1];
	grown[at] = f;
	trail->n_files++;
	return 0;
}

/* Sessions of the present boot are newer than all others, whatever the clock said then. */
static int by_time(const void *a, const void *b, void *boot)
{
	const struct taf_trail *x = a, *y = b;
	bool x_now = !strcmp(x->boot, boot), y_now = !strcmp(y->boot, boot);

	if (x_now != y_now)
		return x_now ? 1 : -1;
	if (!strcmp(x->boot, y->boot) && x->first_ns && y->first_ns)
		return x->first_ns < y->first_ns ? -1 : x->first_ns > y->first_ns;
	if (x->first_us != y->first_us)
		return x->first_us < y->first_us ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int scan_names(struct taf_trails *g, const char *dir)
{
	struct dirent *e;
	int err = 0;
	DIR *d;

	memset(g, 0, sizeof(*g));
	taf_copy(g->dir, dir, sizeof(g->dir));
	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (e = readdir(d)))
		err = add_file(g, e->d_name);
	closedir(d);
	return err;
}

int taf_trails_scan_live(struct taf_trails *g, const char *dir, const struct taf_world *w)
{
	int err = scan_names(g, dir);
	size_t kept = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct taf_trail *t = &g->list[i];
		bool is_live = !strcmp(t->boot, w->boot) && w->is_alive(t->pid, t->start);

		if (is_live)
			scan_head(t, dir);
		if (is_live && (!t->pid_ns || !w->pid_ns || t->pid_ns == w->pid_ns))
			g->list[kept++] = *t;
		else
			free(t->files);
	}
	g->n = kept;
	return err;
}

int taf_trails_scan(struct taf_trails *g, const char *dir, const struct taf_world *w)
{
	int err = scan_names(g, dir);

	for (size_t i = 0; i < g->n; i++)
		scan_head(&g->list[i], dir);
	if (g->n)
		qsort_r(g->list, g->n, sizeof(*g->list), by_time, (void *)(uintptr_t)w->boot);
	return err;
}

void taf_trail_unload(struct taf_trail *trail)
{
	for (size_t i = 0; i < trail->n_files; i++) {
		free(trail->files[i].text);
		trail->files[i].text = NULL;
	}
	free(trail->past);
	trail->past = NULL;
	trail->n_past = trail->past_room = 0;
	trail->bad = 0;
	trail->is_outside = false;
}

void taf_trails_free(struct taf_trails *g)
{
	for (size_t i = 0; i < g->n; i++) {
		taf_trail_unload(&g->list[i]);
		free(g->list[i].files);
	}
	free(g->list);
	memset(g, 0, sizeof(*g));
}

bool taf_past_line(const struct taf_past *p, struct taf_crumb_line *line)
{
	return taf_crumb_parse_again(p->text, p->n, line);
}

bool taf_past_is_unread(const struct taf_past *p)
{
	return p->kind == TAF_LOAD && p->phase == TAF_BEGIN && !p->mate && !p->is_noted &&
	       (p->engine == TAF_ENGINE_MLX || p->engine == TAF_ENGINE_MLXC);
}

/* Begins that wait for their end, the newest last. */
struct waiting {
	uint32_t *at;
	size_t n, room;
};

static int wait_for_end(struct waiting *w, size_t i)
{
	uint32_t *grown;

	if (w->n == w->room) {
		size_t room = w->room ? w->room * 2 : 64;

		grown = realloc(w->at, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		w->at = grown;
		w->room = room;
	}
	w->at[w->n++] = (uint32_t)i;
	return 0;
}

/* Finds the begin of an end: by `of`, or of the same kind and thread when it has none. */
static void pair(struct taf_trail *g, struct waiting *w, size_t i)
{
	struct taf_past *end = &g->past[i];
	size_t looked = 0;

	if (!w->at)
		return;
	for (size_t k = w->n; k > 0 && looked < PAIR_WINDOW; k--, looked++) {
		struct taf_past *begin = &g->past[w->at[k - 1]];

		if (end->of ? begin->seq != end->of
			    : begin->kind != end->kind || begin->tid != end->tid)
			continue;
		begin->mate = (uint32_t)i + 1;
		end->mate = w->at[k - 1] + 1;
		memmove(&w->at[k - 1], &w->at[k], (w->n - k) * sizeof(*w->at));
		w->n--;
		return;
	}
}

/* A remark about what is open. */
static void note(struct taf_trail *g, const struct waiting *w, uint64_t of)
{
	size_t last = w->n > PAIR_WINDOW ? w->n - PAIR_WINDOW : 0;

	for (size_t k = w->n; of && k > last; k--)
		if (g->past[w->at[k - 1]].seq == of) {
			g->past[w->at[k - 1]].is_noted = true;
			return;
		}
}

/* The process became another program: what it was inside is gone with its memory. */
static void forget_image(struct taf_trail *g, struct waiting *w)
{
	while (w->n)
		g->past[w->at[--w->n]].mate = TAF_MATE_GONE;
}

static int add_past(struct taf_trail *g, const struct taf_crumb_line *line, struct waiting *w)
{
	struct taf_past *p, *last = g->n_past ? &g->past[g->n_past - 1] : NULL;
	uint16_t image = last ? last->image : 0;
	uint64_t tid;

	if (!g->past || g->n_past == g->past_room) {
		size_t room = g->past_room ? g->past_room * 2 : 128;
		struct taf_past *grown =
			room < UINT32_MAX / 2 ? realloc(g->past, room * sizeof(*grown)) : NULL;

		if (!grown)
			return -ENOMEM;
		g->past = grown;
		g->past_room = room;
	}
	p = &g->past[g->n_past];
	*p = (struct taf_past){ .text = line->text, .n = (uint32_t)line->n };
	p->kind = (int16_t)taf_crumb_kind(line);
	p->phase = (int16_t)taf_crumb_phase(line);
	p->engine = (uint8_t)taf_crumb_engine(line);
	taf_crumb_u64(line, TAF_KEY_TID, &tid);
	p->tid = tid <= INT32_MAX ? (int32_t)tid : 0;
	taf_crumb_u64(line, TAF_KEY_SEQ, &p->seq);
	taf_crumb_u64(line, TAF_KEY_OF, &p->of);
	taf_crumb_u64(line, TAF_KEY_MONO_NS, &p->mono_ns);
	if (p->kind == TAF_START && p->seq == 1 && g->n_past) {
		forget_image(g, w);
		image++;
	}
	p->image = image;
	g->n_past++;
	if (p->phase == TAF_BEGIN)
		return wait_for_end(w, g->n_past - 1);
	if (p->phase == TAF_END)
		pair(g, w, g->n_past - 1);
	else if (p->kind == TAF_NOTE)
		note(g, w, p->of);
	return 0;
}

static int load_file(struct taf_trail *g, struct taf_trail_file *f, struct waiting *w)
{
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	int err = 0;

	taf_crumb_read_init(&r, f->text, f->n, taf_crumb_seed(g->boot, g->start, f->seg));
	while (!err && taf_crumb_read_next(&r, &line)) {
		uint64_t pid, is_inside;

		if (!taf_crumb_u64(&line, TAF_KEY_PID, &pid) || pid != (uint64_t)g->pid) {
			r.bad++;
			continue;
		}
		/* It is written over: it tells of no moment. */
		if (taf_crumb_u64(&line, TAF_KEY_INSIDE, &is_inside)) {
			g->is_outside = !is_inside;
			continue;
		}
		take_head(g, &line);
		err = add_past(g, &line, w);
		if (taf_crumb_utc_us(&line, &g->last_us))
			g->last_ns = g->past[g->n_past - 1].mono_ns;
	}
	f->bad = r.bad;
	f->is_tail_bad = r.is_tail_bad;
	g->bad += r.bad;
	return err;
}

int taf_trail_load(struct taf_trail *g, const char *dir)
{
	struct waiting w = { 0 };
	int err = 0;

	taf_trail_unload(g);
	for (size_t i = 0; i < g->n_files && !err; i++) {
		struct taf_trail_file *f = &g->files[i];

		f->err = read_part(dir, 0, FILE_MAX_BYTES, f);
		if (f->text)
			err = load_file(g, f, &w);
	}
	free(w.at);
	return err;
}

bool taf_trail_is_guest(const struct taf_trail *trail)
{
	return !trail->role[0] || !strcmp(trail->role, "guest");
}

bool taf_trail_is_run(const struct taf_trail *trail)
{
	return !strcmp(trail->role, "run");
}

struct taf_trail *taf_trails_runner(struct taf_trails *g, const char *run)
{
	for (size_t i = g->n; *run && i > 0; i--)
		if (taf_trail_is_run(&g->list[i - 1]) && !strcmp(g->list[i - 1].run, run))
			return &g->list[i - 1];
	return NULL;
}

struct taf_trail *taf_trails_newest(struct taf_trails *g, bool any)
{
	for (size_t i = g->n; i > 0; i--)
		if (any || taf_trail_is_guest(&g->list[i - 1]))
			return &g->list[i - 1];
	return NULL;
}

bool taf_trail_is_named(const struct taf_trail *trail, const char *name)
{
	const char *end, *rest = trail->id + TAF_BOOT_ID_LEN + 1;
	uint64_t pid;

	if (taf_read_u64(name, &end, &pid) && !*end && strlen(name) < 12)
		return pid == (uint64_t)trail->pid;
	return !strcmp(rest, name) || (strlen(name) >= 4 && taf_starts(trail->id, name));
}

uint64_t taf_trail_utc_us(const struct taf_trail *trail, uint64_t mono_ns)
{
	int64_t us;

	if (!mono_ns || !trail->last_us)
		return 0;
	us = (int64_t)trail->last_us + ((int64_t)mono_ns - (int64_t)trail->last_ns) / 1000;
	return us > 0 ? (uint64_t)us : 0;
}
