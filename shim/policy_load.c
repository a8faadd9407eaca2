/* SPDX-License-Identifier: MIT */
#include "policy_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>

#include "elfmap.h"
#include "life.h"
#include "real.h"
#include "state.h"

#define TEXT_MAX (1u << 20)

typedef int companion_fn(const char *path, struct taf_policy *out, size_t size, uint32_t version,
			 void (*tell)(void *ctx, const char *line), void *ctx);

/* One loading: what is read, what came out, and what was wrong. */
struct loading {
	struct taf_policy *policy; /* mapped for as long as it lasts */
	struct taf_loaded *out;
	struct taf_text *why;
};

static void complain(void *ctx, const char *line)
{
	struct taf_text *why = ctx;

	if (why->used)
		taf_text_put(why, "; ");
	taf_text_put(why, line);
}

static void complain_of(struct loading *l, const char *what, const char *path, const char *then)
{
	char buf[640];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, path);
	taf_text_put(&t, ": ");
	taf_text_put(&t, what);
	taf_text_put(&t, then);
	complain(l->why, buf);
}

static bool exists(const char *path)
{
	int fd = taf_sys_open_any(path);

	if (fd >= 0)
		taf_sys_close(fd);
	return fd >= 0 || fd == -EACCES;
}

static bool try_path(char out[512], const char *dir, const char *file)
{
	struct taf_text t;

	taf_text_init(&t, out, 512);
	taf_text_put(&t, dir ? dir : "");
	taf_text_put(&t, file);
	if (dir && dir[0] == '/' && !t.is_cut && exists(out))
		return true;
	out[0] = '\0';
	return false;
}

/* The file, or "". */
static void find_file(char out[512])
{
	const char *given = taf_env(taf_env_now, "TAFFRAIL_POLICY");
	const char *xdg = taf_env(taf_env_now, "XDG_CONFIG_HOME");

	if (given && given[0] == '/') {
		taf_copy(out, given, 512);
		return;
	}
	if (xdg && xdg[0]
		    ? try_path(out, xdg, "/taffrail/policy.json")
		    : try_path(out, taf_env(taf_env_now, "HOME"), "/.config/taffrail/policy.json"))
		return;
	try_path(out, "/etc", "/taffrail/policy.json");
}

/* Reads and hashes the text; 0 or -errno. */
static int hash_file(const char *path, char sha256[TAF_SHA256_HEX])
{
	char *text = taf_sys_map(TEXT_MAX + 1);
	int fd = taf_sys_open_any(path);
	int64_t n = 0, got = 1;

	if (fd < 0 || !text)
		n = fd < 0 ? fd : -ENOMEM;
	while (n >= 0 && got > 0 && n <= TEXT_MAX) {
		got = taf_sys_read(fd, text + n, TEXT_MAX + 1 - (size_t)n);
		n = got < 0 ? got : n + got;
	}
	if (n > TEXT_MAX)
		n = -EFBIG;
	if (n >= 0)
		taf_sha256_hex(text, (size_t)n, sha256);
	if (fd >= 0)
		taf_sys_close(fd);
	if (text)
		taf_sys_unmap(text, TEXT_MAX + 1);
	return n < 0 ? (int)n : 0;
}

/* A plain file that nobody else can have written; why not, or NULL. */
static const char *distrust(int fd)
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
	return st.size == sizeof(struct taf_policy) ? NULL
						    : "is no compiled policy of this version";
}

/* False when there is none; a complaint when there is one that cannot be used. */
static bool take_blob(struct loading *l, const char *path)
{
	char buf[160];
	struct taf_text why;
	int fd = taf_sys_open(path, TAF_O_READ);
	const char *no;
	int64_t n = -1;

	if (fd < 0)
		return false;
	no = distrust(fd);
	if (!no)
		n = taf_sys_read(fd, l->policy, sizeof(*l->policy));
	taf_sys_close(fd);
	taf_text_init(&why, buf, sizeof(buf));
	if (n >= 0 && taf_policy_is_valid(l->policy, (size_t)n, &why)) {
		l->out->from = TAF_LOADED_BLOB;
		return true;
	}
	complain_of(l,
		    no	     ? no
		    : buf[0] ? buf
			     : "cannot be read",
		    path, "; the file is compiled again");
	return false;
}

static bool take_blob_of_text(struct loading *l)
{
	char dir[TAF_PATH_MAX], path[TAF_PATH_MAX];
	struct taf_text t;

	if (taf_dir_find(taf_env_now, dir, NULL))
		return false;
	taf_text_init(&t, path, sizeof(path));
	taf_text_put(&t, dir);
	taf_text_put(&t, "/policy/");
	taf_text_put(&t, l->out->sha256);
	taf_text_put(&t, ".bin");
	return !t.is_cut && take_blob(l, path) && taf_same(l->policy->sha256, l->out->sha256);
}

static companion_fn *open_companion(char path[TAF_PATH_MAX])
{
	struct link_map *self = taf_elf_self();
	struct taf_text t;
	union {
		taf_fn f;
		void *(*open)(const char *, int);
		void *(*sym)(void *, const char *);
	} dl = { .f = taf_real_libc("dlopen") };
	union {
		void *p;
		companion_fn *f;
	} u;
	void *handle;

	taf_text_init(&t, path, TAF_PATH_MAX);
	if (!self || !self->l_name || self->l_name[0] != '/')
		return NULL;
	taf_text_put_n(&t, self->l_name, (size_t)(taf_base(self->l_name) - self->l_name));
	taf_text_put(&t, "libtaffrail-json.so");
	if (!dl.f || t.is_cut || !exists(path))
		return NULL;
	handle = dl.open(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	dl.f = taf_real_libc("dlsym");
	u.p = handle && dl.f ? dl.sym(handle, "taffrail_policy_load") : NULL;
	return u.f;
}

static bool take_companion(struct loading *l)
{
	char path[TAF_PATH_MAX];
	companion_fn *load = open_companion(path);
	int err;

	if (!load) {
		complain_of(l, "cannot be opened (is libcjson installed?)", path,
			    "; the built-in policy is in force");
		return false;
	}
	err = load(l->out->path, l->policy, sizeof(*l->policy), TAF_POLICY_VERSION, complain,
		   l->why);
	if (err) {
		/* For a text that is no JSON the companion has said where and why. */
		if (err != -EINVAL)
			complain_of(l, "cannot be used", l->out->path, "");
		complain(l->why, "the built-in policy is in force");
		return false;
	}
	l->out->from = TAF_LOADED_COMPANION;
	return true;
}

static bool take_file(struct loading *l)
{
	const char *blob = taf_env(taf_env_now, "TAFFRAIL_BLOB");
	int err;

	find_file(l->out->path);
	if (!l->out->path[0])
		return false;
	err = hash_file(l->out->path, l->out->sha256);
	if (!err)
		return take_blob_of_text(l) || take_companion(l);
	if (blob && blob[0] == '/' && take_blob(l, blob)) {
		taf_copy(l->out->sha256, l->policy->sha256, sizeof(l->out->sha256));
		return true;
	}
	complain_of(l, err == -ENOENT ? "does not exist" : "cannot be read", l->out->path,
		    "; the built-in policy is in force");
	return false;
}

static void join_argv(char *out, size_t room)
{
	struct taf_text t;

	taf_text_init(&t, out, room);
	for (int i = 0; i < taf_argc && taf_argv[i]; i++) {
		if (i)
			taf_text_char(&t, ' ');
		taf_text_put(&t, taf_argv[i]);
	}
}

void taf_policy_load(enum taf_engine engine, struct taf_rules *rules, struct taf_loaded *loaded,
		     struct taf_text *why)
{
	char argv[2048];
	struct taf_who who = { taf_exe(), argv, taf_engine_name(engine) };
	struct loading l = { taf_sys_map(sizeof(struct taf_policy)), loaded, why };
	const char *set = taf_env(taf_env_now, "TAFFRAIL_SET");

	taf_zero(loaded, sizeof(*loaded));
	taf_rules_default(rules);
	if (l.policy) {
		if (!take_file(&l))
			taf_policy_builtin(l.policy);
		join_argv(argv, sizeof(argv));
		taf_policy_for(l.policy, &who, rules, NULL);
		loaded->n_bad = (int)l.policy->n_bad;
		taf_sys_unmap(l.policy, sizeof(struct taf_policy));
	}
	if (set)
		loaded->n_bad += taf_rules_set_many(rules, set, NULL, why);
}
