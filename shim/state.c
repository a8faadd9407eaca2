/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <errno.h>
#include <sys/stat.h>

#include "life.h"
#include "sys.h"

/* What the constructor writes lies here (life.h), and not beside what only an active
 * process touches: a page more costs every start (START_SRC of the Makefile). */
bool taf_is_booted;
char **taf_env_now;
int taf_argc;
char **taf_argv;

static int refuse(struct taf_text *why, const char *path, const char *what, int err)
{
	if (why) {
		taf_text_put(why, path);
		taf_text_put(why, what);
	}
	return err;
}

/* In words, what a system call said. */
static const char *reason(int err)
{
	switch (-err) {
	case EACCES:
	case EPERM: return ": permission denied";
	case EROFS: return ": the file system is read-only";
	case ENOSPC: return ": no space left on the device";
	case EDQUOT: return ": the disk quota is used up";
	case ENOENT: return ": there is no such directory";
	case ENOTDIR: return ": is not a directory, or below something that is none";
	case ELOOP: return ": is a symbolic link; name the directory itself";
	case ENAMETOOLONG: return ": the name is too long";
	case EMFILE:
	case ENFILE: return ": too many open files";
	default: return ": cannot be used";
	}
}

const char *taf_env(char *const *env, const char *name)
{
	size_t n = taf_len(name);

	for (; env && *env; env++)
		if (taf_same_n(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

bool taf_env_is_on(char *const *env, const char *name)
{
	const char *value = taf_env(env, name);

	return value && value[0] && !taf_same(value, "0");
}

/* ASCII letters in any case. */
static bool is_word(const char *s, const char *word)
{
	while (*s && (*s | 0x20) == *word) {
		s++;
		word++;
	}
	return !*s && !*word;
}

bool taf_env_is_off(char *const *env)
{
	static const char words[][6] = { "off", "no", "false" };
	const char *value = taf_env(env, "TAFFRAIL");

	for (size_t i = 0; value && i < sizeof(words) / sizeof(*words); i++)
		if (is_word(value, words[i]))
			return true;
	return value && taf_same(value, "0");
}

int taf_dir_join(char out[TAF_PATH_MAX], const char *dir, const char *leaf)
{
	struct taf_text t;
	size_t n = taf_len(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	taf_text_init(&t, out, TAF_PATH_MAX);
	taf_text_put_n(&t, dir, n);
	if (*leaf && !(n == 1 && dir[0] == '/'))
		taf_text_char(&t, '/');
	taf_text_put(&t, leaf);
	if (!t.is_cut)
		return 0;
	out[0] = '\0';
	return -ENAMETOOLONG;
}

/* An absolute path out of the environment, or NULL. */
static const char *absolute(char *const *env, const char *name)
{
	const char *v = taf_env(env, name);

	return v && v[0] == '/' ? v : NULL;
}

/* A relative one is from here. */
static int from_here(const char *asked, char out[TAF_PATH_MAX], struct taf_text *why)
{
	char here[TAF_PATH_MAX];
	int err = taf_sys_cwd(here, sizeof(here));

	err = err ? err : taf_dir_join(out, here, asked);
	for (size_t n = taf_len(out); !err && n > 1 && out[n - 1] == '/'; n--)
		out[n - 1] = '\0';
	return err ? refuse(why, "TAFFRAIL_STATE is relative, and the current directory",
			    reason(err), err)
		   : 0;
}

int taf_dir_find(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why)
{
	const char *asked = taf_env(env, "TAFFRAIL_STATE"),
		   *systemd = taf_env(env, "STATE_DIRECTORY");
	const char *dir = NULL, *leaf = "";
	int err;

	out[0] = '\0';
	if (asked && *asked) {
		if (*asked != '/')
			return from_here(asked, out, why);
		dir = asked;
	} else if (taf_sys_uid() == 0 || (systemd && *systemd)) {
		dir = "/var/lib/taffrail";
	} else if ((dir = absolute(env, "XDG_STATE_HOME"))) {
		leaf = "taffrail";
	} else if ((dir = absolute(env, "HOME"))) {
		leaf = ".local/state/taffrail";
	} else {
		return refuse(why, "HOME", " is not set: name a directory in TAFFRAIL_STATE",
			      -ENOENT);
	}
	err = taf_dir_join(out, dir, leaf);
	return err ? refuse(why, dir, reason(err), err) : 0;
}

int taf_dir_check(const char *path, struct taf_text *why)
{
	struct taf_stat st;
	int err, fd = taf_sys_open(path, TAF_O_READ | TAF_O_DIR);

	if (fd < 0) {
		/* The kernel says "not a directory" of a link, too. */
		if (fd == -ENOTDIR && !taf_sys_stat(path, &st) && S_ISLNK(st.mode))
			fd = -ELOOP;
		return refuse(why, path, reason(fd), fd);
	}
	err = taf_sys_fstat(fd, &st);
	taf_sys_close(fd);
	if (err)
		return refuse(why, path, reason(err), err);
	if (st.uid != taf_sys_uid())
		return refuse(why, path, ": belongs to another user", -EPERM);
	if (st.mode & (S_IWGRP | S_IWOTH))
		return refuse(why, path, ": others may write into it; chmod go-w makes it safe",
			      -EPERM);
	return 0;
}

/* Makes every directory on the way; the first that cannot be made ends it. */
static int make_parents(const char *path)
{
	char part[TAF_PATH_MAX];
	struct taf_stat st;
	int err = 0;

	if (!taf_copy(part, path, sizeof(part)))
		return -ENAMETOOLONG;
	for (size_t i = 1; part[i] && !err; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		/* Asked first: on a read-only system mkdir says EROFS of what is there. */
		err = taf_sys_stat(part, &st) ? taf_sys_mkdir(part) : 0;
		err = err == -EEXIST ? 0 : err;
		part[i] = '/';
	}
	return err;
}

int taf_dir_make(const char *path, struct taf_text *why)
{
	struct taf_stat st;
	int err = taf_sys_stat(path, &st);

	if (err == -ENOENT) {
		err = make_parents(path);
		err = err ? err : taf_sys_mkdir(path);
		if (err && err != -EEXIST)
			return refuse(why, path, reason(err), err);
	}
	return taf_dir_check(path, why);
}

int taf_dir_state(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why)
{
	static const char *const leaves[] = { "crumbs", "policy" };
	char sub[TAF_PATH_MAX];
	int err = taf_dir_find(env, out, why);

	if (!err)
		err = taf_dir_make(out, why);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves) && !err; i++) {
		err = taf_dir_join(sub, out, leaves[i]);
		err = err ? refuse(why, out, reason(err), err) : taf_dir_make(sub, why);
	}
	return err;
}

/* Names a directory of ours: then it is the login session's own tmpfs. */
static bool is_runtime_dir(const char *path)
{
	struct taf_stat st;

	return path && !taf_sys_stat(path, &st) && S_ISDIR(st.mode) && st.uid == taf_sys_uid();
}

int taf_dir_ring(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why)
{
	const char *runtime = absolute(env, "XDG_RUNTIME_DIR");
	struct taf_text t;
	int err = 0;

	if (is_runtime_dir(runtime)) {
		err = taf_dir_join(out, runtime, "taffrail");
	} else {
		taf_text_init(&t, out, TAF_PATH_MAX);
		taf_text_put(&t, "/dev/shm/taffrail-");
		taf_text_u64(&t, taf_sys_uid());
	}
	err = err ? refuse(why, runtime, reason(err), err) : taf_dir_make(out, why);
	if (err)
		out[0] = '\0';
	return err;
}
