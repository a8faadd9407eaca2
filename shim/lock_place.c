/* SPDX-License-Identifier: MIT */
#include "lock_place.h"

#include <errno.h>
#include <sys/stat.h>

#include "state.h"
#include "sys_lock.h"

#define SHARED "/run/taffrail"
#define TRIES 40
#define TRY_MS 1

/* Which variable says what is visible, and what its devices are called. */
static const struct {
	char variable[24], family[8];
} families[] = {
	{ "CUDA_VISIBLE_DEVICES", "cuda" },	 { "HIP_VISIBLE_DEVICES", "hip" },
	{ "ROCR_VISIBLE_DEVICES", "rocr" },	 { "GPU_DEVICE_ORDINAL", "hip" },
	{ "GGML_VK_VISIBLE_DEVICES", "vulkan" }, { "ZE_AFFINITY_MASK", "ze" },
};

static bool is_device_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-';
}

void taf_lock_device(char *const *env, char out[TAF_LOCK_DEVICE])
{
	struct taf_text t;

	taf_text_init(&t, out, TAF_LOCK_DEVICE);
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		const char *value = taf_env(env, families[i].variable), *p = value;

		while (p && is_device_char(*p))
			p++;
		if (!value || !*value || *value == '-' || *p)
			continue;
		taf_text_put(&t, families[i].family);
		taf_text_char(&t, '-');
		taf_text_put(&t, value);
		break;
	}
	if (t.is_cut)
		out[0] = '\0';
}

/* Root's, so that nobody else can take it away, and sticky, so that nobody can
 * take away what is in it. */
static bool is_shared(const char *dir, struct taf_stat *st)
{
	return !taf_sys_stat(dir, st) && S_ISDIR(st->mode) && !st->uid && (st->mode & S_ISVTX) &&
	       (st->mode & S_IWOTH);
}

static int find_own(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why)
{
	const char *runtime = taf_env(env, "XDG_RUNTIME_DIR");
	char state[TAF_PATH_MAX];
	struct taf_stat st;
	int err;

	if (runtime && runtime[0] == '/' && !taf_sys_stat(runtime, &st) && S_ISDIR(st.mode) &&
	    st.uid == taf_sys_uid())
		return taf_dir_join(out, runtime, "taffrail/lock");
	err = taf_dir_find(env, state, why);
	return err ? err : taf_dir_join(out, state, "lock");
}

/* What the folder lets others do, its files do as well. */
static uint32_t mode_in(const char *dir)
{
	struct taf_stat st;
	uint32_t mode = S_IRUSR | S_IWUSR;

	if (taf_sys_stat(dir, &st))
		return mode;
	if (st.mode & S_IWGRP)
		mode |= S_IRGRP | S_IWGRP;
	if (st.mode & S_IWOTH)
		mode |= S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
	return mode;
}

static int place_path(const struct taf_rules *rules, struct taf_lock_place *p, struct taf_text *why)
{
	const char *base = taf_base(rules->lock_path);
	struct taf_text t;

	if (rules->lock_path[0] != '/' || !*base) {
		if (why)
			taf_text_put(why, "lock.path must name a file, with an absolute path, when "
					  "lock.scope is path");
		return -EINVAL;
	}
	p->is_path = true;
	taf_copy(p->stem, rules->lock_path, sizeof(p->stem));
	taf_text_init(&t, p->dir, sizeof(p->dir));
	taf_text_put_n(&t, rules->lock_path, (size_t)(base - rules->lock_path));
	p->mode = mode_in(p->dir);
	p->is_per_user = !(p->mode & S_IWOTH) && !(p->mode & S_IWGRP);
	return 0;
}

static int place_dir(const struct taf_rules *rules, char *const *env, const char *device,
		     struct taf_lock_place *p, struct taf_text *why)
{
	struct taf_stat st;
	struct taf_text t;
	int err = 0;

	if (is_shared(SHARED, &st)) {
		taf_copy(p->dir, SHARED, sizeof(p->dir));
	} else {
		p->is_per_user = true;
		err = find_own(env, p->dir, why);
	}
	p->is_device = rules->lock_scope == TAF_SCOPE_DEVICE && device[0];
	taf_text_init(&t, p->stem, sizeof(p->stem));
	taf_text_put(&t, p->dir);
	taf_text_char(&t, '/');
	if (p->is_device) {
		taf_text_put(&t, device);
		taf_text_char(&t, '.');
	}
	return err ? err : t.is_cut ? -ENAMETOOLONG : 0;
}

int taf_lock_place_look(const struct taf_rules *rules, char *const *env, const char *device,
			struct taf_lock_place *place, struct taf_text *why)
{
	int err;

	taf_zero(place, sizeof(*place));
	if (rules->lock_scope == TAF_SCOPE_PATH)
		return place_path(rules, place, why);
	err = place_dir(rules, env, device, place, why);
	place->mode = mode_in(place->dir);
	return err;
}

/* What we make in somebody's folder they could not use, nor take away. */
static int check_parent(const char *dir, struct taf_text *why)
{
	char parent[TAF_PATH_MAX];
	struct taf_stat st;
	size_t n = taf_len(dir);

	while (n > 1 && dir[n - 1] != '/')
		n--;
	taf_copy(parent, dir, sizeof(parent));
	parent[n > 1 ? n - 1 : n] = '\0';
	if (taf_sys_stat(parent, &st) || st.uid == taf_sys_uid())
		return 0;
	if (why) {
		taf_text_put(why, parent);
		taf_text_put(why, ": belongs to another user, so no lock is made there");
	}
	return -EPERM;
}

int taf_lock_place(const struct taf_rules *rules, char *const *env, const char *device,
		   struct taf_lock_place *place, struct taf_text *why)
{
	int err = taf_lock_place_look(rules, env, device, place, why);

	if (!err && !place->is_path && place->is_per_user) {
		err = check_parent(place->dir, why);
		err = err ? err : taf_dir_make(place->dir, why);
		place->mode = mode_in(place->dir);
	}
	return err;
}

int taf_lock_path(const struct taf_lock_place *place, enum taf_lock_file what, uint32_t slot,
		  char out[TAF_PATH_MAX])
{
	static const char once[][8] = { [TAF_LOCK_GUARD] = "guard", [TAF_LOCK_QUEUE] = "queue" };
	struct taf_text t;

	taf_text_init(&t, out, TAF_PATH_MAX);
	taf_text_put(&t, place->stem);
	if (what == TAF_LOCK_GUARD || what == TAF_LOCK_QUEUE) {
		taf_text_put(&t, place->is_path ? "." : "");
		taf_text_put(&t, once[what]);
	} else {
		if (!place->is_path)
			taf_text_put(&t, "slot-");
		else if (slot > 1)
			taf_text_char(&t, '.');
		if (!place->is_path || slot > 1)
			taf_text_u64(&t, slot);
		taf_text_put(&t, what == TAF_LOCK_HOLDER ? ".json" : "");
	}
	return t.is_cut ? -ENAMETOOLONG : 0;
}

/* lock.path itself is the user's file, of which we ask nothing but a lock. */
static bool is_theirs(const struct taf_lock_place *place, enum taf_lock_file what, uint32_t slot)
{
	return place->is_path && what == TAF_LOCK_SLOT && slot == 1;
}

static int check(int fd, bool is_ours, uint32_t mode)
{
	struct taf_stat st;
	int err = taf_sys_fstat(fd, &st);

	if (err)
		return err;
	if (!S_ISREG(st.mode))
		return -ENOTSUP;
	if (is_ours && st.nlink != 1)
		return -EMLINK;
	/* Whoever made it may have been killed before it was open to others. */
	if (is_ours && st.uid == taf_sys_uid() && (st.mode & mode) != mode)
		taf_sys_fchmod(fd, mode);
	return 0;
}

static int make(const char *path, uint32_t mode)
{
	int fd = taf_sys_open(path, TAF_O_RDWR | TAF_O_CREATE);

	/* The mask of the process has cut the mode. */
	if (fd >= 0 && mode != (S_IRUSR | S_IWUSR))
		taf_sys_fchmod(fd, mode);
	return fd;
}

static int open_once(const char *path, enum taf_lock_file what)
{
	int fd = taf_sys_open(path, TAF_O_RDWR);

	/* To lock a file one need not be able to write it. */
	return fd == -EACCES && what == TAF_LOCK_SLOT ? taf_sys_open(path, TAF_O_READ) : fd;
}

int taf_lock_open(const struct taf_lock_place *place, enum taf_lock_file what, uint32_t slot,
		  bool makes)
{
	char path[TAF_PATH_MAX];
	int fd = taf_lock_path(place, what, slot, path), err;

	if (fd)
		return fd;
	for (int i = 0; i < TRIES; i++) {
		fd = open_once(path, what);
		if (fd == -ENOENT && makes)
			fd = make(path, place->mode);
		/* Another one is making it this moment, and has not opened it to others. */
		if (fd != -EEXIST && (fd != -EACCES || place->is_per_user))
			break;
		taf_sys_sleep_ms(TRY_MS);
	}
	if (fd < 0)
		return fd;
	err = check(fd, !is_theirs(place, what, slot), place->mode);
	if (err)
		taf_sys_close(fd);
	return err ? err : fd;
}
