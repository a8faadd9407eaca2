/* SPDX-License-Identifier: MIT */
#include "cgroup.h"

#include "../policy/text.h"
#include "memory_text.h"
#include "sys_file.h"

#define LEVELS_MAX 32
/* The first version rounds "no limit" down to a page. */
#define NO_LIMIT (UINT64_MAX / 4)

static const char old[] = "/sys/fs/cgroup/memory";
/* Beside the first version the unified hierarchy lies a folder deeper. */
static const char beside[] = "/sys/fs/cgroup/unified";
static const char alone[] = "/sys/fs/cgroup";

static const char leaves[2][3][24] = {
	{ "/memory.max", "/memory.high", "/memory.current" },
	{ "/memory.limit_in_bytes", "", "/memory.usage_in_bytes" },
};

static bool is_there(const char *root, const char *path)
{
	char full[TAF_PATH_MAX];
	struct taf_text t;
	struct taf_stat st;

	taf_text_init(&t, full, sizeof(full));
	taf_text_put(&t, root);
	taf_text_put(&t, path);
	return !t.is_cut && !taf_sys_stat(full, &st);
}

bool taf_cgroup_find(struct taf_cgroup *g, const char *root, const char *text)
{
	g->root = root;
	g->level = 0;
	g->is_old = taf_cgroup_path(text, "memory", g->path, sizeof(g->path));
	g->mount = g->is_old ? old : is_there(root, beside) ? beside : alone;
	return g->is_old || taf_cgroup_path(text, "", g->path, sizeof(g->path));
}

bool taf_cgroup_up(struct taf_cgroup *g)
{
	return ++g->level < LEVELS_MAX && taf_cgroup_parent(g->path);
}

static bool read_leaf(const struct taf_cgroup *g, const char *leaf, char *buf, size_t room)
{
	char full[TAF_PATH_MAX + 256];
	struct taf_text t;

	taf_text_init(&t, full, sizeof(full));
	taf_text_put(&t, g->root);
	taf_text_put(&t, g->mount);
	taf_text_put(&t, g->path);
	taf_text_put(&t, leaf);
	return !t.is_cut && taf_sys_text(full, buf, room) > 0;
}

bool taf_cgroup_amount_of(const struct taf_cgroup *g, enum taf_cgroup_what what, uint64_t *v)
{
	const char *leaf = leaves[g->is_old][what];
	char text[32];

	if (!leaf[0] || !read_leaf(g, leaf, text, sizeof(text)) || !taf_cgroup_amount(text, v))
		return false;
	if (what != TAF_CGROUP_USED && *v >= NO_LIMIT)
		*v = UINT64_MAX;
	return true;
}

uint64_t taf_cgroup_idle(const struct taf_cgroup *g, char *buf, size_t room)
{
	uint64_t idle = 0;

	/* In the first version only these count the groups below as well. */
	if (read_leaf(g, "/memory.stat", buf, room))
		taf_cgroup_stat(buf, g->is_old ? "total_inactive_file" : "inactive_file", &idle);
	return idle;
}
