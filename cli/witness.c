/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../shim/crumb.h"
#include "tell.h"

#define TREE_MAX 512
#define SECOND_LOOK_MS 9000
#define SUSPECT_MS 1000
#define LINE_ROOM (PATH_MAX + 128)
/* An environment is seldom larger, and the words looked for stand early or not at all. */
#define ENV_ROOM (256 * 1024)
/* Libraries that are read for their names: seldom more than one. */
#define READS_MAX 8

struct tree {
	int32_t pids[TREE_MAX];
	size_t n;
};

struct family {
	int32_t pid, parent;
};

/* What the maps of a process say. */
struct seen {
	bool has_guard, has_model;
	char engine[64], model[128];
	char mlx[PATH_MAX]; /* "": none */
};

static const char *const engine_names[] = {
	"libllama",    "libggml",   "libmlx",	 "libcuda.so",	 "libcudart",
	"libamdhip64", "libOpenCL", "libvulkan", "libze_loader",
};

static int32_t parent_of(int32_t pid)
{
	char path[32], text[512], *end;
	int parent = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* Every process and its parent; the caller frees. */
static struct family *all_processes(size_t *count)
{
	struct family *list = NULL, *more;
	size_t room = 0, n = 0;
	struct dirent *d;
	DIR *proc = opendir("/proc");

	while (proc && (d = readdir(proc))) {
		int32_t pid = (int32_t)strtol(d->d_name, NULL, 10);

		if (pid <= 0)
			continue;
		if (n == room) {
			more = realloc(list, (room * 2 + 256) * sizeof(*list));
			if (!more)
				break;
			list = more;
			room = room * 2 + 256;
		}
		list[n].pid = pid;
		list[n++].parent = parent_of(pid);
	}
	if (proc)
		closedir(proc);
	*count = n;
	return list;
}

static void find_tree(struct tree *t, int32_t root)
{
	size_t n;
	struct family *all = all_processes(&n);

	t->pids[0] = root;
	t->n = 1;
	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < n && t->n < TREE_MAX; j++)
			if (all[j].parent == t->pids[i])
				t->pids[t->n++] = all[j].pid;
	free(all);
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && !strcmp(s + n - m, tail);
}

static void see_name(const char *name, struct seen *s)
{
	if (!strcmp(name, "libtaffrail.so"))
		s->has_guard = true;
	if (ends_with(name, ".gguf") || ends_with(name, ".safetensors")) {
		s->has_model = true;
		snprintf(s->model, sizeof(s->model), "%.*s", (int)sizeof(s->model) - 1, name);
	}
	if (s->engine[0] || !strstr(name, ".so"))
		return;
	for (size_t i = 0; i < sizeof(engine_names) / sizeof(*engine_names); i++)
		if (!strncmp(name, engine_names[i], strlen(engine_names[i])))
			snprintf(s->engine, sizeof(s->engine), "%.*s", (int)sizeof(s->engine) - 1,
				 name);
}

/* That of C calls the other one, and has its functions only where it was built into it. */
static void see_mlx(const char *path, const char *name, struct seen *s)
{
	if (!strncmp(name, "libmlx", strlen("libmlx")) && strstr(name, ".so") &&
	    (!s->mlx[0] || strstr(s->mlx, "/libmlxc")))
		snprintf(s->mlx, sizeof(s->mlx), "%s", path);
}

/* False when the maps cannot be read: gone, or somebody else's. */
static bool look_at(int32_t pid, struct seen *s)
{
	char path[32], line[LINE_ROOM], *name;
	FILE *f;

	memset(s, 0, sizeof(*s));
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strchr(line, '/'))
			continue;
		name = strrchr(line, '/') + 1;
		if (ends_with(name, " (deleted)"))
			name[strlen(name) - strlen(" (deleted)")] = '\0';
		else
			see_mlx(strchr(line, '/'), name, s);
		see_name(name, s);
	}
	fclose(f);
	return true;
}

static void name_of(int32_t pid, char *name, size_t room)
{
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	snprintf(name, room, "a process");
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, (int)room, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
}

/* Whether the environment that pid was started with holds word. */
static bool started_with(int32_t pid, const char *word)
{
	char path[32], *text;
	bool is_there = false;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	f = fopen(path, "re");
	text = malloc(ENV_ROOM);
	if (f && text)
		n = fread(text, 1, ENV_ROOM, f);
	if (n)
		is_there = memmem(text, n, word, strlen(word)) != NULL;
	if (f)
		fclose(f);
	free(text);
	return is_there;
}

static void tell_unguarded(struct taf_witness *w, int32_t pid, const struct seen *s)
{
	const char *why = "the preload did not reach it: try --set propagate=force";
	char name[32];

	if (started_with(pid, "TAFFRAIL=off"))
		return;
	if (started_with(pid, "libtaffrail.so"))
		why = "its loader did not take the preload; see: taffrail doctor";
	name_of(pid, name, sizeof(name));
	taf_tell("%s (pid %d) has %s loaded but runs unguarded: %s", name, (int)pid, s->engine,
		 why);
	w->has_spoken = true;
}

/* Whether some session file of this process is there. */
static bool has_session(const struct taf_witness *w, int32_t pid)
{
	char boot[TAF_BOOT_ID_LEN + 1] = "", head[96];
	bool is_there = false;
	struct dirent *d;
	DIR *dir;

	taf_sys_boot_id(boot);
	snprintf(head, sizeof(head), "%s-%d-%llu-", boot, (int)pid,
		 (unsigned long long)taf_sys_start_ticks(pid));
	dir = opendir(w->crumbs);
	while (dir && !is_there && (d = readdir(dir)))
		is_there = !strncmp(d->d_name, head, strlen(head));
	if (dir)
		closedir(dir);
	return is_there;
}

/* In a pid namespace of its own, or as another user, it names or places its session otherwise. */
static bool is_comparable(int32_t pid)
{
	struct stat ours, its;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	if (stat("/proc/self/ns/pid", &ours) || stat(path, &its) || ours.st_ino != its.st_ino)
		return false;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return !stat(path, &its) && its.st_uid == geteuid();
}

static void look_for_session(struct taf_witness *w, int32_t pid, const struct seen *s)
{
	char name[32];

	if (!w->crumbs[0] || !is_comparable(pid) || started_with(pid, "TAFFRAIL=off") ||
	    has_session(w, pid))
		return;
	if (w->suspect != pid) {
		if (!w->suspect)
			w->suspect = pid;
		return;
	}
	name_of(pid, name, sizeof(name));
	taf_tell("%s (pid %d) has %s mapped but left no crumb in %s; see: taffrail doctor", name,
		 (int)pid, s->model, w->crumbs);
	w->has_spoken = true;
}

/* What its library of MLX has, once for each library and not for each process. */
static void look_for_names(struct taf_witness *w, int32_t pid, const struct seen *s)
{
	char path[PATH_MAX + 32], name[32];
	struct taf_later *l = &w->later;
	struct stat st;

	if (!s->mlx[0] || l->n || w->reads == READS_MAX)
		return;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, s->mlx);
	if (stat(path, &st) || (w->reads && st.st_dev == w->dev && st.st_ino == w->ino) ||
	    started_with(pid, "TAFFRAIL=off"))
		return;
	if (!w->reads++)
		taf_later_open(l);
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	taf_later_read(l, path, 0);
	if (!l->n)
		return;
	name_of(pid, name, sizeof(name));
	taf_tell("%s (pid %d) has %s loaded, which spells %s%s as no version does that taffrail "
		 "knows: calls of that are not seen; see: taffrail hooks --engine mlx",
		 name, (int)pid, strrchr(s->mlx, '/') + 1, l->plain, l->n > 1 ? " and others" : "");
}

int taf_witness_look(struct taf_witness *w)
{
	int32_t before = w->suspect;
	struct tree tree;
	struct seen s;

	find_tree(&tree, *w->guest);
	for (size_t i = 0; i < tree.n && !w->has_spoken; i++) {
		if (!look_at(tree.pids[i], &s))
			continue;
		if (s.engine[0] && !s.has_guard)
			tell_unguarded(w, tree.pids[i], &s);
		else if (s.has_model && s.has_guard)
			look_for_session(w, tree.pids[i], &s);
		if (s.has_guard)
			look_for_names(w, tree.pids[i], &s);
	}
	if (w->has_spoken)
		return -1;
	if (w->suspect && w->suspect != before)
		return SUSPECT_MS;
	w->suspect = 0;
	return w->looks++ ? -1 : SECOND_LOOK_MS;
}
