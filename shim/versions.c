/* SPDX-License-Identifier: MIT */
#include "versions.h"

#include "constant.h"
#include "elfmap.h"
#include "sys.h"

#define BUILD_LEAST 100
#define SITE_ROOM 512
#define LISTED_MAX (4u << 20) /* bytes of a folder's listing that are looked at */

enum how { HOW_TEXT, HOW_BUILD };

static const struct row {
	enum how how;
	char package[12], symbol[24];
} rows[] = {
#define TEXT(package, symbol) { HOW_TEXT, package, symbol },
#define BUILD(package, symbol) { HOW_BUILD, package, symbol },
#include "versions.def"
};

static const struct {
	char package[12], name[12];
} dists[] = {
#define DIST(package, name) { package, name },
#include "versions.def"
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct search {
	struct taf_versions *v;
	size_t row;
	char site[SITE_ROOM]; /* the folder that holds mlx/, with '/' at its end; "" */
};

static bool has(const struct taf_versions *v, const char *package)
{
	for (uint32_t i = 0; i < v->n; i++)
		if (taf_same(v->at[i].package, package))
			return true;
	return false;
}

/* The n bytes at version, as far as they are what a version is made of. */
static void add(struct taf_versions *v, const char *package, const char *version, size_t n)
{
	struct taf_version *to = &v->at[v->n];
	struct taf_text t;

	if (v->n == TAF_VERSIONS_MAX || has(v, package))
		return;
	taf_text_init(&t, to->version, sizeof(to->version));
	for (size_t i = 0; i < n && version[i] > ' ' && version[i] < 0x7f; i++)
		taf_text_char(&t, version[i] == '"' || version[i] == '\\' ? '_' : version[i]);
	if (!t.used || t.is_cut)
		return;
	taf_copy(to->package, package, sizeof(to->package));
	v->n++;
}

/* ---- What objects export ------------------------------------------------------ */

/* What "const char *symbol(void)" of e returns, as its code says. */
static void take_text(struct taf_versions *v, const struct taf_elf *e, const struct row *r)
{
	struct taf_elf_bytes code;
	union {
		uintptr_t n;
		const char *s;
	} u;
	size_t left, n = 0;

	if (!taf_elf_bytes(e, r->symbol, STT_FUNC, &code))
		return;
	u.n = taf_constant_of(TAF_ISA_HERE, code.at, code.n);
	left = u.n ? taf_elf_left(e, u.s, PF_R) : 0;
	while (n < left && n < sizeof(v->at[0].version) && u.s[n])
		n++;
	if (n < left)
		add(v, r->package, u.s, n);
}

static void take_build(struct taf_versions *v, const struct taf_elf *e, const struct row *r)
{
	struct taf_elf_bytes b;
	char build[16];
	struct taf_text t;
	int number;

	if (!taf_elf_bytes(e, r->symbol, STT_OBJECT, &b) || b.n != sizeof(number))
		return;
	taf_move(&number, b.at, sizeof(number));
	if (number < BUILD_LEAST)
		return;
	taf_text_init(&t, build, sizeof(build));
	taf_text_char(&t, 'b');
	taf_text_u64(&t, (uint64_t)number);
	add(v, r->package, build, taf_len(build));
}

/* ".../site-packages/mlx/core.cpython-312-darwin.so", ".../mlx/lib/libmlx.so" */
static void note_site(struct search *s, const char *path)
{
	static const char marks[][20] = { "/mlx/core.", "/mlx/lib/libmlx." };

	for (size_t i = 0; i < COUNT(marks) && !s->site[0]; i++) {
		const char *at = taf_find(path, marks[i]);

		if (at && path[0] == '/' && (size_t)(at - path) + 2 < sizeof(s->site)) {
			taf_move(s->site, path, (size_t)(at - path) + 1);
			s->site[at - path + 1] = '\0';
		}
	}
}

/* Row by row, because the first row of a package counts, in whatever object it is. */
static void walk(void *ctx)
{
	struct search *s = ctx;
	struct taf_elf e;

	for (struct link_map *m = taf_elf_first(); m; m = m->l_next) {
		if (m->l_name)
			note_site(s, m->l_name);
		if (m == taf_elf_self() || !taf_elf_of(m, &e))
			continue;
		if (rows[s->row].how == HOW_TEXT)
			take_text(s->v, &e, &rows[s->row]);
		else
			take_build(s->v, &e, &rows[s->row]);
	}
}

/* ---- dist-info ---------------------------------------------------------------- */

/* "mlx_lm-0.31.3.dist-info" */
static void note_entry(struct taf_versions *v, const char *entry)
{
	static const char tail[] = ".dist-info";
	size_t end = taf_len(entry);

	if (!taf_ends(entry, tail))
		return;
	end -= sizeof(tail) - 1;
	for (size_t i = 0; i < COUNT(dists); i++) {
		size_t n = taf_len(dists[i].name);

		if (taf_starts(entry, dists[i].name) && entry[n] == '-' && end > n + 1)
			add(v, dists[i].package, entry + n + 1, end - n - 1);
	}
}

static void take_dists(const char *site, struct taf_versions *v)
{
	int fd = taf_sys_open(site, TAF_O_READ | TAF_O_DIR);
	char *buf = fd >= 0 ? taf_sys_map(32768) : NULL;
	int64_t n = 0;

	for (uint64_t seen = 0; buf && seen < LISTED_MAX; seen += (uint64_t)n) {
		n = taf_sys_getdents(fd, buf, 32768);
		if (n <= 0)
			break;
		for (int64_t at = 0; at < n;) {
			const struct taf_dirent *d = (const void *)(buf + at);

			note_entry(v, d->name);
			at += d->len;
		}
	}
	if (buf)
		taf_sys_unmap(buf, 32768);
	if (fd >= 0)
		taf_sys_close(fd);
}

void taf_versions_read(struct taf_versions *v)
{
	struct search s = { .v = v };

	v->n = 0;
	for (s.row = 0; s.row < COUNT(rows); s.row++)
		taf_elf_locked(walk, &s);
	if (s.site[0])
		take_dists(s.site, v);
}
