/* SPDX-License-Identifier: MIT */
#include "policy_load.h"

#include <errno.h>

#include "compiled.h"
#include "elfmap.h"
#include "life.h"
#include "state.h"
#include "table.h"

typedef int companion_fn(const char *path, struct taf_policy *out, size_t size, uint32_t version,
			 void (*tell)(void *ctx, const char *line), void *ctx);

/* Too big for a stack. */
struct room {
	struct taf_policy policy;
	char argv[2048];
	char env[32768];
};

/* One loading: what is read, what came out, and what was wrong. */
struct loading {
	struct taf_policy *policy; /* mapped for as long as it lasts */
	struct taf_loaded *out;
	struct taf_text *why;
};

/* ggml is llama.cpp's, whisper.cpp's or stable-diffusion.cpp's, and is often called before them. */
static bool is_over_ggml(enum taf_engine e)
{
	return e == TAF_ENGINE_LLAMA || e == TAF_ENGINE_WHISPER || e == TAF_ENGINE_SD;
}

static bool defines_load(const struct taf_elf *e, const struct taf_table *t)
{
	struct taf_elf_bytes b;

	for (int i = 0; i < t->n_rows; i++)
		if (t->rows[i].kind == TAF_LOAD &&
		    taf_elf_bytes(e, taf_row_name(t, i), STT_FUNC, &b))
			return true;
	return false;
}

static void look_locked(void *ctx)
{
	enum taf_engine *found = ctx;
	struct taf_elf e;

	for (struct link_map *m = taf_elf_first(); m; m = m->l_next) {
		if (m == taf_elf_self() || !taf_elf_of(m, &e))
			continue;
		for (int t = 0; t < taf_table_count; t++)
			if (is_over_ggml(taf_tables[t]->engine) &&
			    defines_load(&e, taf_tables[t])) {
				*found = taf_tables[t]->engine;
				return;
			}
	}
}

/* Whose policy it is to be, where ggml is what was called first. */
static enum taf_engine engine_over(enum taf_engine engine)
{
	if (engine == TAF_ENGINE_GGML)
		taf_elf_locked(look_locked, &engine);
	return engine;
}

static bool try_path(char out[512], const char *dir, const char *file)
{
	struct taf_text t;

	taf_text_init(&t, out, 512);
	taf_text_put(&t, dir ? dir : "");
	taf_text_put(&t, file);
	if (dir && dir[0] == '/' && !t.is_cut && taf_compiled_exists(out))
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
	no = taf_compiled_distrust(fd, TAF_POLICY_LEAST, TAF_POLICY_MOST);
	if (!no)
		n = taf_sys_read(fd, l->policy, sizeof(*l->policy));
	taf_sys_close(fd);
	taf_text_init(&why, buf, sizeof(buf));
	if (n >= 0 && taf_policy_is_valid(l->policy, (size_t)n, &why)) {
		l->out->from = TAF_LOADED_BLOB;
		return true;
	}
	taf_complain_of(l->why, path,
			no	 ? no
			: buf[0] ? buf
				 : "cannot be read",
			"; the file is compiled again");
	return false;
}

static bool take_blob_of_text(struct loading *l)
{
	char path[TAF_PATH_MAX];

	return taf_compiled_path("policy", l->out->sha256, path) && take_blob(l, path) &&
	       taf_same(l->policy->sha256, l->out->sha256);
}

static bool take_companion(struct loading *l)
{
	char path[TAF_PATH_MAX];
	union {
		void *p;
		companion_fn *load;
	} u = { .p = taf_compiled_companion("taffrail_policy_load", path) };
	int err;

	if (!u.p) {
		taf_complain_of(l->why, path, "cannot be opened (is libcjson installed?)",
				"; the built-in policy is in force");
		return false;
	}
	err = u.load(l->out->path, l->policy, sizeof(*l->policy), TAF_POLICY_VERSION, taf_complain,
		     l->why);
	if (err) {
		/* For a text that is no JSON the companion has said where and why. */
		if (err != -EINVAL)
			taf_complain_of(l->why, l->out->path, "cannot be used", "");
		taf_complain(l->why, "the built-in policy is in force");
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
	err = taf_compiled_hash(l->out->path, l->out->sha256);
	if (!err)
		return take_blob_of_text(l) || take_companion(l);
	if (blob && blob[0] == '/' && take_blob(l, blob)) {
		taf_copy(l->out->sha256, l->policy->sha256, sizeof(l->out->sha256));
		return true;
	}
	taf_complain_of(l->why, l->out->path, err == -ENOENT ? "does not exist" : "cannot be read",
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

/* Of what the kernel still has: as far as there is room. */
static void read_env(struct room *room, struct taf_start *start)
{
	int fd = taf_sys_open_any("/proc/self/environ");
	int64_t n = fd < 0 ? 0 : taf_sys_read(fd, room->env, sizeof(room->env) - 1);

	if (fd >= 0)
		taf_sys_close(fd);
	if (n <= 0)
		return;
	room->env[n] = '\0';
	start->block = room->env;
	start->block_bytes = (size_t)n + 1;
}

void taf_policy_load(enum taf_engine engine, struct taf_rules *rules, struct taf_loaded *loaded,
		     struct taf_text *why)
{
	struct room *room = taf_sys_map(sizeof(*room));
	struct taf_start start = { .exe = taf_exe(),
				   .argc = taf_argc,
				   .argv = (const char *const *)taf_argv,
				   .env = (const char *const *)taf_env_now };
	struct taf_who who = { taf_exe(), "", taf_engine_name(engine_over(engine)), &start };
	uint8_t origin[TAF_RULE_COUNT] = { TAF_FROM_BUILTIN };
	struct loading l = { room ? &room->policy : NULL, loaded, why };
	const char *set = taf_env(taf_env_now, "TAFFRAIL_SET");

	taf_zero(loaded, sizeof(*loaded));
	taf_rules_default(rules);
	if (l.policy) {
		read_env(room, &start);
		if (!take_file(&l))
			taf_policy_builtin(l.policy);
		join_argv(room->argv, sizeof(room->argv));
		who.argv = room->argv;
		taf_policy_for(l.policy, &who, rules, origin);
		loaded->n_bad = (int)l.policy->n_bad;
		/* The file as a whole is the mistake then. */
		if (loaded->path[0] && loaded->from == TAF_LOADED_BUILTIN)
			loaded->n_bad = 1;
	}
	loaded->program = taf_app_of(&start, who.engine);
	loaded->guess = taf_role_guess(&start);
	if (room)
		taf_sys_unmap(room, sizeof(*room));
	if (set)
		loaded->n_bad += taf_rules_set_many(rules, set, origin, why);
	taf_app_give(loaded->program, rules, origin);
}
