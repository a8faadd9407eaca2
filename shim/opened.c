/* SPDX-License-Identifier: MIT */
#include "opened.h"

#include "../policy/text.h"
#include "scratch.h"
#include "sys.h"

#define TRIES 3

struct file {
	uint64_t dev, ino; /* 0 0: none */
	bool is_open;
};

struct look {
	struct file files[TAF_MODEL_SETS]; /* of the sets, in their order */
	struct taf_model_set set; /* at hand */
	_Alignas(struct taf_dirent) uint8_t names[1024];
};

static void find_file(struct file *f, const char *path)
{
	struct taf_stat st;
	int fd = taf_sys_open_any(path);

	if (fd < 0)
		return;
	if (!taf_sys_fstat(fd, &st)) {
		f->dev = st.dev;
		f->ino = st.ino;
	}
	taf_sys_close(fd);
}

static void mark(struct look *l, const char *name)
{
	struct taf_stat st;
	const char *end;
	uint64_t fd;

	if (!taf_read_u64(name, &end, &fd) || *end || fd > INT32_MAX || taf_sys_fstat((int)fd, &st))
		return;
	for (int i = 0; i < TAF_MODEL_SETS; i++)
		if (l->files[i].ino == st.ino && l->files[i].dev == st.dev)
			l->files[i].is_open = true;
}

static void mark_all(struct look *l)
{
	int fd = taf_sys_open_any("/proc/self/fd");
	int64_t n;

	if (fd < 0)
		return;
	while ((n = taf_sys_getdents(fd, l->names, sizeof(l->names))) > 0)
		for (int64_t at = 0; at < n;) {
			const struct taf_dirent *d = (const void *)(l->names + at);

			mark(l, d->name);
			at += d->len;
		}
	taf_sys_close(fd);
}

/* The i-th set is that whose file was looked for: another one may have its place by now. */
static bool is_still(struct look *l, uint32_t i)
{
	struct file now = { 0 };

	if (!taf_model_set(i, &l->set) || l->set.is_read)
		return false;
	find_file(&now, l->set.path);
	return now.ino == l->files[i].ino && now.dev == l->files[i].dev;
}

/* False: a set changed meanwhile, and is left out. */
static bool look_once(struct look *l, struct taf_opened *o, const struct taf_opened_ask *ask)
{
	bool is_whole = true;

	o->n = o->models = 0;
	taf_zero(l->files, sizeof(l->files));
	for (uint32_t i = 0; i < TAF_MODEL_SETS; i++)
		if (taf_model_set(i, &l->set) && !l->set.is_read && !ask->is_left_out(l->set.path))
			find_file(&l->files[i], l->set.path);
	mark_all(l);
	for (uint32_t i = 0; i < TAF_MODEL_SETS; i++) {
		if (!l->files[i].is_open)
			continue;
		if (!is_still(l, i)) {
			is_whole = false;
			continue;
		}
		if (!o->n++)
			taf_copy(o->path, l->set.path, sizeof(o->path));
		o->models += ask->is_model(l->set.path);
	}
	return is_whole;
}

void taf_opened_look(struct taf_opened *o, const struct taf_opened_ask *ask)
{
	struct look *l = taf_scratch_take(sizeof(*l));

	o->n = o->models = 0;
	for (int i = 0; l && i < TRIES && !look_once(l, o, ask); i++)
		;
	taf_scratch_give(l);
}
