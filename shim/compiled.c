/* SPDX-License-Identifier: MIT */
#include "compiled.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>

#include "elfmap.h"
#include "life.h"
#include "real.h"

bool taf_compiled_exists(const char *path)
{
	int fd = taf_sys_open_any(path);

	if (fd >= 0)
		taf_sys_close(fd);
	return fd >= 0 || fd == -EACCES;
}

int taf_compiled_hash(const char *path, char sha256[TAF_SHA256_HEX])
{
	char *text = taf_sys_map(TAF_COMPILED_TEXT + 1);
	int fd = taf_sys_open_any(path);
	int64_t n = 0, got = 1;

	if (fd < 0 || !text)
		n = fd < 0 ? fd : -ENOMEM;
	while (n >= 0 && got > 0 && n <= TAF_COMPILED_TEXT) {
		got = taf_sys_read(fd, text + n, TAF_COMPILED_TEXT + 1 - (size_t)n);
		n = got < 0 ? got : n + got;
	}
	if (n > TAF_COMPILED_TEXT)
		n = -EFBIG;
	if (n >= 0)
		taf_sha256_hex(text, (size_t)n, sha256);
	if (fd >= 0)
		taf_sys_close(fd);
	if (text)
		taf_sys_unmap(text, TAF_COMPILED_TEXT + 1);
	return n < 0 ? (int)n : 0;
}

bool taf_compiled_path(const char *what, const char *sha256, char path[TAF_PATH_MAX])
{
	char dir[TAF_PATH_MAX];
	struct taf_text t;

	if (taf_dir_find(taf_env_now, dir, NULL))
		return false;
	taf_text_init(&t, path, TAF_PATH_MAX);
	taf_text_put(&t, dir);
	taf_text_char(&t, '/');
	taf_text_put(&t, what);
	taf_text_char(&t, '/');
	taf_text_put(&t, sha256);
	taf_text_put(&t, ".bin");
	return !t.is_cut;
}

const char *taf_compiled_distrust(int fd, uint64_t least, uint64_t most)
{
	struct taf_stat st;

	if (taf_sys_fstat(fd, &st))
		return "cannot be read";
	if (!S_ISREG(st.mode))
		return "is no plain file";
	if (st.uid != taf_sys_uid() && st.uid != 0)
		return "belongs to another user";
	if (st.mode & (S_IWGRP | S_IWOTH))
		return "others may write into it";
	return st.size >= least && st.size <= most ? NULL : "has not the size of such a file";
}

void *taf_compiled_companion(const char *name, char path[TAF_PATH_MAX])
{
	struct link_map *self = taf_elf_self();
	struct taf_text t;
	union {
		taf_fn f;
		void *(*open)(const char *, int);
		void *(*sym)(void *, const char *);
	} dl = { .f = taf_real_libc("dlopen") };
	void *handle;

	taf_text_init(&t, path, TAF_PATH_MAX);
	if (!self || !self->l_name || self->l_name[0] != '/')
		return NULL;
	taf_text_put_n(&t, self->l_name, (size_t)(taf_base(self->l_name) - self->l_name));
	taf_text_put(&t, "libtaffrail-json.so");
	if (!dl.f || t.is_cut || !taf_compiled_exists(path))
		return NULL;
	handle = dl.open(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	dl.f = taf_real_libc("dlsym");
	return handle && dl.f ? dl.sym(handle, name) : NULL;
}

void taf_complain(void *why, const char *line)
{
	struct taf_text *t = why;

	if (t->used)
		taf_text_put(t, "; ");
	taf_text_put(t, line);
}

void taf_complain_of(struct taf_text *why, const char *path, const char *what, const char *then)
{
	char buf[640];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, path);
	taf_text_put(&t, ": ");
	taf_text_put(&t, what);
	taf_text_put(&t, then);
	taf_complain(why, buf);
}
