/* SPDX-License-Identifier: MIT */
#include "host.h"

#include "../policy/text.h"
#include "cgroup.h"
#include "memory_text.h"
#include "scratch.h"
#include "sys_file.h"

#define TEXT_MAX 4096 /* of a file, in the guest */

/* Folders of units, systemd.unit(5); what generators make has no stop time. */
static const char system_dirs[][32] = {
	"/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient",      "/etc/systemd/system",
	"/run/systemd/system",	       "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
};
static const char user_dirs[][32] = {
	"/etc/systemd/user",
	"/run/systemd/user",
	"/usr/local/lib/systemd/user",
	"/usr/lib/systemd/user",
};

/* Drivers that say their version, of those that matter here. */
static const char drivers[][8] = { "nvidia", "amdgpu", "i915", "xe" };

const char *taf_host_unit_dir(unsigned i, bool is_user)
{
	if (is_user)
		return i < sizeof(user_dirs) / sizeof(*user_dirs) ? user_dirs[i] : NULL;
	return i < sizeof(system_dirs) / sizeof(*system_dirs) ? system_dirs[i] : NULL;
}

static bool put_full(char full[TAF_PATH_MAX], const char *root, const char *path)
{
	struct taf_text t;

	taf_text_init(&t, full, TAF_PATH_MAX);
	taf_text_put(&t, root);
	taf_text_put(&t, path);
	return !t.is_cut;
}

static int64_t read_file(const char *root, const char *path, char *buf, size_t room)
{
	char full[TAF_PATH_MAX];

	buf[0] = '\0';
	return put_full(full, root, path) ? taf_sys_text(full, buf, room) : -1;
}

/* The file's first line goes to out. */
static bool first_line(const char *root, const char *path, char *out, size_t room)
{
	int64_t n = read_file(root, path, out, room);

	for (char *p = out; *p; p++)
		if (*p == '\n')
			*p = '\0';
	return n > 0 && *out;
}

static void read_driver(struct taf_host *h, const char *root)
{
	char path[48], version[56];
	struct taf_text t;

	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++) {
		taf_text_init(&t, path, sizeof(path));
		taf_text_put(&t, "/sys/module/");
		taf_text_put(&t, drivers[i]);
		taf_text_put(&t, "/version");
		if (!first_line(root, path, version, sizeof(version)))
			continue;
		taf_text_init(&t, h->driver, sizeof(h->driver));
		taf_text_put(&t, drivers[i]);
		taf_text_char(&t, ' ');
		taf_text_put(&t, version);
		return;
	}
}

/* "Filename Type Size Used Priority", one line a space, sizes in KiB. */
static void read_swaps(struct taf_host *h, const char *root)
{
	char *text = taf_scratch_take(TEXT_MAX);
	const char *p = text;
	uint64_t kib;

	h->has_swaps = text && read_file(root, "/proc/swaps", text, TEXT_MAX) > 0;
	while (text && (p = taf_find(p, "\n")) && *++p) {
		for (int field = 0; field < 2; field++) {
			while (*p && *p != '\n' && *p != ' ' && *p != '\t')
				p++;
			while (*p == ' ' || *p == '\t')
				p++;
		}
		if (taf_read_u64(p, NULL, &kib) && kib < UINT64_MAX / 2048)
			h->swap += kib * 1024;
	}
	taf_scratch_give(text);
}

/* The least of the group and of those above it. */
static uint64_t least_limit(struct taf_cgroup *g)
{
	uint64_t least = TAF_HOST_UNKNOWN, v;

	do {
		if (taf_cgroup_amount_of(g, TAF_CGROUP_MAX, &v) && (!least || v < least))
			least = v ? v : 1;
	} while (taf_cgroup_up(g));
	return least;
}

/* Where systemd still has a hierarchy of its own, that one names the unit. */
static void read_cgroup(struct taf_host *h, const char *root)
{
	struct taf_cgroup g;
	char *buf = taf_scratch_take(TEXT_MAX);

	if (!buf)
		return;
	read_file(root, "/proc/self/cgroup", buf, TEXT_MAX);
	if (!taf_cgroup_path(buf, "name=systemd", h->cgroup, sizeof(h->cgroup)))
		taf_cgroup_path(buf, "", h->cgroup, sizeof(h->cgroup));
	if (taf_cgroup_find(&g, root, buf))
		h->limit = least_limit(&g);
	taf_scratch_give(buf);
}

/* One component of the path, the last known unit in unit. */
static bool is_unit_word(const char *word, bool was_unit, char *unit, size_t room)
{
	if (taf_ends(word, ".scope"))
		return false;
	return taf_ends(word, ".service") ? taf_copy(unit, word, room) : was_unit;
}

bool taf_host_unit_of(const char *cgroup, char *unit, size_t room, bool *is_user)
{
	bool is_found = false;
	char word[96];

	*unit = '\0';
	*is_user = false;
	for (const char *p = cgroup; *p;) {
		size_t n = 0;

		while (*p == '/')
			p++;
		while (p[n] && p[n] != '/')
			n++;
		if (n < sizeof(word)) {
			taf_move(word, p, n);
			word[n] = '\0';
			*is_user = *is_user || (is_found && taf_starts(unit, "user@"));
			is_found = is_unit_word(word, is_found, unit, room);
		}
		p += n;
	}
	return is_found && !taf_starts(unit, "user@");
}

bool taf_host_template(const char *unit, char *out, size_t room)
{
	const char *at = taf_find(unit, "@");
	struct taf_text t;

	if (!at || at[1] == '.')
		return false;
	taf_text_init(&t, out, room);
	taf_text_put_n(&t, unit, (size_t)(at - unit) + 1);
	taf_text_put(&t, ".service");
	return !t.is_cut;
}

static bool put_path(char path[256], const char *dir, const char *unit, const char *tail)
{
	struct taf_text t;

	taf_text_init(&t, path, 256);
	taf_text_put(&t, dir);
	taf_text_char(&t, '/');
	taf_text_put(&t, unit);
	taf_text_put(&t, tail);
	return !t.is_cut;
}

static bool is_there(const char *root, const char *path)
{
	char full[TAF_PATH_MAX];
	struct taf_stat st;

	return put_full(full, root, path) && !taf_sys_stat(full, &st);
}

/* The first file of that name; its bytes, 0 when there is none. */
static int64_t read_unit(const struct taf_host *h, const char *root, const char *name,
			 char text[TEXT_MAX])
{
	char path[256];
	const char *dir;
	int64_t n = 0;

	for (unsigned i = 0; n <= 0 && (dir = taf_host_unit_dir(i, h->is_user_unit)); i++)
		if (put_path(path, dir, name, ""))
			n = read_file(root, path, text, TEXT_MAX);
	return n > 0 ? n : 0;
}

static bool has_drop_ins(const struct taf_host *h, const char *root, const char *name)
{
	char path[256];
	const char *dir;

	for (unsigned i = 0; (dir = taf_host_unit_dir(i, h->is_user_unit)); i++)
		if (put_path(path, dir, name, ".d") && is_there(root, path))
			return true;
	return false;
}

/* Drop-ins are left to who has the time: with one the stop time is unknown here. */
static void read_grace(struct taf_host *h, const char *root)
{
	char name[96];
	bool is_instance = taf_host_template(h->unit, name, sizeof(name));
	char *text;
	int64_t n;

	if (has_drop_ins(h, root, h->unit) || (is_instance && has_drop_ins(h, root, name)))
		return;
	text = taf_scratch_take(TEXT_MAX);
	n = text ? read_unit(h, root, h->unit, text) : 0;
	if (text && !n && is_instance)
		n = read_unit(h, root, name, text);
	if (n && n < TEXT_MAX - 1) {
		taf_grace_unit_init(&h->grace);
		taf_grace_unit(text, (size_t)n, &h->grace);
		h->has_grace = h->grace.is_unit && !h->grace.is_bad;
	}
	taf_scratch_give(text);
}

void taf_host_read(struct taf_host *h, const char *root)
{
	taf_zero(h, sizeof(*h));
	first_line(root, "/proc/sys/kernel/osrelease", h->kernel, sizeof(h->kernel));
	read_driver(h, root);
	read_swaps(h, root);
	read_cgroup(h, root);
	if (taf_host_unit_of(h->cgroup, h->unit, sizeof(h->unit), &h->is_user_unit))
		read_grace(h, root);
}

static void member(struct taf_text *out, const char *key)
{
	taf_text_put(out, out->start[out->used - 1] == '{' ? "\"" : ",\"");
	taf_text_put(out, key);
	taf_text_put(out, "\":");
}

static void put_text(struct taf_text *out, const char *key, const char *value)
{
	if (!*value)
		return;
	member(out, key);
	taf_text_json(out, value, 96);
}

static void put_number(struct taf_text *out, const char *key, uint64_t value)
{
	member(out, key);
	taf_text_u64(out, value);
}

void taf_host_put(const struct taf_host *h, struct taf_text *out)
{
	taf_text_put(out, ",\"host\":{");
	put_text(out, "kernel", h->kernel);
	put_text(out, "driver", h->driver);
	if (h->has_swaps)
		put_number(out, "swap", h->swap);
	if (h->limit && h->limit != TAF_HOST_NO_LIMIT)
		put_number(out, "limit", h->limit);
	put_text(out, "unit", h->unit);
	if (h->has_grace && h->grace.ms != TAF_GRACE_NEVER)
		put_number(out, "stop_ms", h->grace.ms);
	taf_text_char(out, '}');
}
