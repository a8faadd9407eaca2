/* SPDX-License-Identifier: MIT */
#include "retain.h"

#include <errno.h>
#include <stdatomic.h>

#include "../policy/text.h"
#include "crumb.h"
#include "seg_name.h"
#include "sys.h"

#define NAMES_MAX 4096u
#define RINGS_KEPT 32u
#define SLACK_SHARE 16u /* of the sessions that are kept: so many more before any goes */
#define MINUTE_NS 60000000000ll
#define DAY_NS 86400000000000ll
#define TICK_NS 10000000ll /* of start times: USER_HZ is 100 on every machine */
#define STRANGER_NS (7 * DAY_NS) /* after which a ring that no log here belongs to is litter */
#define DENTS (32 * 1024)

#define BOOT_WORDS (TAF_BOOT_ID_LEN / sizeof(uint64_t))

/* One file of ours: <boot>-<pid>-<start>[-<seg>].jsonl or .ring */
struct entry {
	uint64_t boot[BOOT_WORDS]; /* its letters, to be compared by words */
	int32_t pid;
	uint32_t seg;
	uint64_t start, bytes;
	int64_t mtime_ns;
	bool is_ring;
};

struct session {
	uint32_t first, n; /* its entries */
	uint64_t bytes;
	int64_t mtime_ns; /* of its newest file */
	bool must_stay;
};

/* All that one run works with, in one mapping. */
struct room {
	struct entry entry[NAMES_MAX];
	struct session session[NAMES_MAX];
	char dents[DENTS]; /* directory rows; later the first record of a session */
	uint32_t n, n_sessions;
	const char *dir, *boot;
	uint64_t pid_ns;
};

/* ---- names ---- */

static bool parse(const char *name, struct entry *e)
{
	struct taf_seg_name n;

	if (!taf_seg_name_read(name, &n))
		return false;
	taf_move(e->boot, n.boot, sizeof(e->boot));
	e->pid = n.pid;
	e->start = n.start;
	e->seg = n.seg;
	e->is_ring = n.is_ring;
	return true;
}

static void path_of(char out[TAF_PATH_MAX], const char *dir, const struct entry *e)
{
	struct taf_text t;

	taf_text_init(&t, out, TAF_PATH_MAX);
	taf_text_put(&t, dir);
	taf_text_char(&t, '/');
	taf_text_put_n(&t, (const char *)e->boot, TAF_BOOT_ID_LEN);
	taf_text_char(&t, '-');
	taf_text_i64(&t, e->pid);
	taf_text_char(&t, '-');
	taf_text_u64(&t, e->start);
	if (!e->is_ring) {
		taf_text_char(&t, '-');
		taf_text_pad(&t, e->seg, 3);
	}
	taf_text_put(&t, e->is_ring ? ".ring" : ".jsonl");
}

static void list(struct room *r)
{
	int fd = taf_sys_open(r->dir, TAF_O_READ | TAF_O_DIR);
	int64_t got = 0;

	if (fd < 0)
		return;
	while (r->n < NAMES_MAX && (got = taf_sys_getdents(fd, r->dents, DENTS)) > 0) {
		for (int64_t at = 0; at < got && r->n < NAMES_MAX;) {
			struct taf_dirent *row = (struct taf_dirent *)(void *)(r->dents + at);

			r->n += parse(row->name, &r->entry[r->n]);
			at += row->len;
		}
	}
	taf_sys_close(fd);
}

/* ---- order ---- */

/* By session, then rings last. */
static int compare(const struct entry *a, const struct entry *b)
{
	for (size_t i = 0; i < BOOT_WORDS; i++)
		if (a->boot[i] != b->boot[i])
			return a->boot[i] < b->boot[i] ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->is_ring != b->is_ring)
		return a->is_ring ? 1 : -1;
	return a->seg < b->seg ? -1 : a->seg > b->seg;
}

static bool is_same_boot(const struct entry *a, const struct entry *b)
{
	return taf_equal(a->boot, b->boot, sizeof(a->boot));
}

static bool is_of_boot(const struct entry *e, const char *boot)
{
	return taf_equal(e->boot, boot, sizeof(e->boot));
}

static void sift(struct entry *e, uint32_t at, uint32_t n)
{
	for (uint32_t kid; (kid = 2 * at + 1) < n; at = kid) {
		struct entry swap;

		if (kid + 1 < n && compare(&e[kid], &e[kid + 1]) < 0)
			kid++;
		if (compare(&e[at], &e[kid]) >= 0)
			return;
		swap = e[at];
		e[at] = e[kid];
		e[kid] = swap;
	}
}

static void sort(struct entry *e, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift(e, i, n);
	for (uint32_t i = n; i-- > 1;) {
		struct entry swap = e[0];

		e[0] = e[i];
		e[i] = swap;
		sift(e, 0, i);
	}
}

/* ---- what may go ---- */

/* The pid namespace that the session's first record names; 0 when it says none. */
static uint64_t pid_ns_of(struct room *r, const struct entry *e)
{
	char path[TAF_PATH_MAX], *buf = r->dents;
	const char *p;
	uint64_t v = 0;
	int64_t got = 0;
	int fd;

	path_of(path, r->dir, e);
	fd = taf_sys_open(path, TAF_O_READ);
	if (fd < 0)
		return 0;
	got = taf_sys_read(fd, buf, TAF_RECORD_MAX);
	taf_sys_close(fd);
	buf[got > 0 ? got : 0] = '\0';
	p = taf_find(buf, "\"pid_ns\":");
	return p && taf_read_u64(p + 9, NULL, &v) ? v : 0;
}

static int64_t age_of(const struct session *s)
{
	return (int64_t)(taf_sys_utc_us() * 1000) - s->mtime_ns;
}

static bool may_live(struct room *r, const struct session *s)
{
	const struct entry *e = &r->entry[s->first];
	int64_t age_ns = age_of(s);
	uint64_t ns;

	if (!is_of_boot(e, r->boot))
		return false;
	if (taf_sys_start_ticks(e->pid) == e->start)
		return true;
	/* A number of another pid namespace cannot be looked up from here. */
	if (e->is_ring)
		return age_ns < MINUTE_NS;
	ns = pid_ns_of(r, e);
	return ns && ns != r->pid_ns && age_ns < DAY_NS;
}

static void group(struct room *r)
{
	struct session *s = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->entry[i], *f = s ? &r->entry[s->first] : NULL;

		if (!s || e->pid != f->pid || e->start != f->start || !is_same_boot(e, f)) {
			s = &r->session[r->n_sessions++];
			s->first = i;
		}
		s->n++;
	}
}

/* One that somebody else has removed meanwhile has no bytes, and is the oldest. */
static void measure(const struct room *r, struct entry *e)
{
	char path[TAF_PATH_MAX];
	struct taf_stat st;

	path_of(path, r->dir, e);
	if (taf_sys_stat(path, &st))
		return;
	e->bytes = st.size;
	e->mtime_ns = st.mtime_ns;
}

/* A ring is no older than its process, and that has its start in its name. */
static bool can_be_old(const struct room *r, const struct entry *e)
{
	uint64_t now = taf_sys_boot_ns() / TICK_NS;

	return !is_of_boot(e, r->boot) || e->start > now || now - e->start > STRANGER_NS / TICK_NS;
}

static void measure_all(struct room *r)
{
	for (uint32_t i = 0; i < r->n_sessions; i++) {
		struct session *s = &r->session[i];

		for (uint32_t k = 0; k < s->n; k++) {
			struct entry *e = &r->entry[s->first + k];

			measure(r, e);
			s->bytes += e->bytes;
			if (e->mtime_ns > s->mtime_ns)
				s->mtime_ns = e->mtime_ns;
		}
	}
}

/* Sessions of one boot lie side by side. */
static void mark_evidence(struct room *r)
{
	struct session *newest = NULL;

	for (uint32_t i = 0; i < r->n_sessions; i++) {
		struct session *s = &r->session[i];
		const struct entry *e = &r->entry[s->first];

		if (is_of_boot(e, r->boot))
			continue;
		if (newest && is_same_boot(e, &r->entry[newest->first])) {
			if (s->mtime_ns < newest->mtime_ns)
				continue;
			newest->must_stay = false;
		}
		newest = s;
		newest->must_stay = true;
	}
}

static struct session *oldest(struct room *r)
{
	struct session *best = NULL;

	for (uint32_t i = 0; i < r->n_sessions; i++) {
		struct session *s = &r->session[i];

		if (s->n && !s->must_stay && (!best || s->mtime_ns < best->mtime_ns))
			best = s;
	}
	return best;
}

static void remove_session(const struct room *r, struct session *s)
{
	char path[TAF_PATH_MAX];

	/* The last segment first: what is left when we die here is still a beginning. */
	for (uint32_t i = s->n; i-- > 0;) {
		path_of(path, r->dir, &r->entry[s->first + i]);
		taf_sys_unlink(path);
	}
	s->n = 0;
}

/* A ring of a dead process without a log has nothing to tell. */
static void remove_lone_rings(struct room *r)
{
	for (uint32_t i = 0; i < r->n_sessions; i++) {
		struct session *s = &r->session[i];

		if (r->entry[s->first].is_ring && !may_live(r, s))
			remove_session(r, s);
	}
}

static void trim(struct room *r, uint32_t keep_sessions, uint64_t keep_bytes)
{
	uint64_t bytes = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_sessions; i++) {
		bytes += r->session[i].bytes * (r->session[i].n != 0);
		n += r->session[i].n != 0;
	}
	while (n > keep_sessions || bytes > keep_bytes) {
		struct session *s = oldest(r);

		if (!s)
			return;
		if (may_live(r, s)) {
			s->must_stay = true;
			continue;
		}
		bytes -= s->bytes;
		n--;
		remove_session(r, s);
	}
}

static struct room *look(const char *dir, const char *boot)
{
	struct room *r = taf_sys_map(sizeof(*r));

	if (!r)
		return NULL;
	r->dir = dir;
	r->boot = boot;
	r->pid_ns = taf_sys_pid_ns();
	list(r);
	sort(r->entry, r->n);
	group(r);
	return r;
}

/* Whether anything may have to go, by the names alone wherever they say enough. */
static bool is_due(struct room *r, uint32_t keep_sessions, uint64_t keep_bytes)
{
	uint64_t bytes = 0;

	if (r->n_sessions > (uint64_t)keep_sessions + keep_sessions / SLACK_SHARE)
		return true;
	for (uint32_t i = 0; i < r->n; i++) {
		struct entry *e = &r->entry[i];

		if (e->is_ring)
			return true;
		if (e->seg)
			measure(r, e);
		bytes += e->seg ? e->bytes : TAF_SEGMENT_FIRST;
	}
	return bytes > keep_bytes;
}

void taf_retain(const char *dir, uint32_t keep_sessions, uint64_t keep_bytes, const char *boot)
{
	struct room *r = look(dir, boot);

	if (!r)
		return;
	if (is_due(r, keep_sessions, keep_bytes)) {
		measure_all(r);
		remove_lone_rings(r);
		mark_evidence(r);
		trim(r, keep_sessions, keep_bytes);
	}
	taf_sys_unmap(r, sizeof(*r));
}

static bool has_old(const struct room *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (can_be_old(r, &r->entry[i]))
			return true;
	return false;
}

static bool has_log(const char *dir, const struct entry *ring)
{
	char path[TAF_PATH_MAX];
	struct entry e = *ring;
	struct taf_stat st;

	e.is_ring = false;
	e.seg = 0;
	path_of(path, dir, &e);
	return taf_sys_stat(path, &st) == 0;
}

void taf_retain_rings(const char *ring_dir, const char *dir, const char *boot)
{
	struct room *r = look(ring_dir, boot);
	uint32_t dead = 0;
	bool are_many;

	if (!r)
		return;
	/* One of them is our own. What costs a call of the system is asked where it matters. */
	are_many = r->n_sessions > RINGS_KEPT + 1;
	if (are_many || has_old(r))
		measure_all(r);
	for (uint32_t i = 0; i < r->n_sessions; i++) {
		struct session *s = &r->session[i];
		const struct entry *e = &r->entry[s->first];
		bool is_old = s->mtime_ns && age_of(s) > STRANGER_NS;

		s->must_stay = !e->is_ring || !(is_old || are_many) || may_live(r, s);
		/* Without a log here it may be another state directory's evidence. */
		if (!s->must_stay && is_old && !has_log(dir, e))
			remove_session(r, s);
		dead += !s->must_stay && s->n;
	}
	for (; dead > RINGS_KEPT; dead--)
		remove_session(r, oldest(r));
	taf_sys_unmap(r, sizeof(*r));
}
