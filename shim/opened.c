/* SPDX-License-Identifier: MIT */
#include "opened.h"

#include "../policy/text.h"
#include "scratch.h"
#include "sys.h"

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

void taf_opened_look(struct taf_opened *o, const struct taf_opened_ask *ask)
{
	struct look *l = taf_scratch_take(sizeof(*l));

	o->n = o->models = 0;
	if (!l)
		return;
	taf_zero(l->files, sizeof(l->files));
	for (uint32_t i = 0; i < TAF_MODEL_SETS; i++)
		if (taf_model_set(i, &l->set) && !l->set.is_read && !ask->is_left_out(l->set.path))
			find_file(&l->files[i], l->set.path);
	mark_all(l);
	for (uint32_t i = 0; i < TAF_MODEL_SETS; i++) {
		if (!l->files[i].is_open || !taf_model_set(i, &l->set))
			continue;
		if (!o->n++)
			taf_copy(o->path, l->set.path, sizeof(o->path));
		o->models += ask->is_model(l->set.path);
	}
	taf_scratch_give(l);
}
