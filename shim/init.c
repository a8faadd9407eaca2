/* SPDX-License-Identifier: MIT */
/* init.c -- the first and the last code of ours that runs in a process.
 *
 * The constructor runs before every other one (-z initfirst), when environ is
 * still NULL and no libc state is ready: it keeps its three arguments, looks
 * for the off switch, and arms.  It opens nothing, allocates nothing, starts
 * nothing.  The destructor runs before every other one, after exit handlers;
 * runtimes may be gone by then, so it only closes the log. */
#include "../policy/text.h"
#include "elfmap.h"
#include "exit.h"
#include "life.h"
#include "real.h"
#include "sites.h"
#include "sites_text.h"
#include "state.h"

/* The kernel's argument area is the program's to write into (setproctitle), long
 * before it uses an engine: what we shall need is copied, once, before main. */
#define ROOM 12288
#define ENTRIES 32
#define WORDS 64

/* Written by the constructor, read-only after. The room comes last: it is rarely full, and
 * pages that are not touched cost nothing. */
static struct {
	char *entries[ENTRIES + 1];
	char *words[WORDS + 1];
	size_t used; /* of room */
	char room[ROOM];
} kept;

static bool is_needed(const char *entry)
{
	static const char names[][20] = { "TAFFRAIL", "LD_PRELOAD=",	  "HOME=",
					  "XDG_",     "STATE_DIRECTORY=", "LLAMA_ARG_" };

	/* Read where it is, once: it can be larger than the room. */
	if (taf_starts(entry, TAF_SITES_VAR "="))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (taf_starts(entry, names[i]))
			return true;
	return false;
}

/* NULL when it does not fit, which only a hostile environment brings about. */
static char *keep(const char *s)
{
	char *to = kept.room + kept.used;
	size_t n = taf_len(s) + 1;

	if (n > ROOM - kept.used)
		return NULL;
	taf_move(to, s, n);
	kept.used += n;
	return to;
}

/* A relative state directory is from where the program starts, wherever it goes later. */
static char *keep_state(const char *entry)
{
	static const char name[] = "TAFFRAIL_STATE=";
	const char *path = entry + sizeof(name) - 1;
	size_t before = kept.used;
	struct taf_text t;
	char *to = kept.room + kept.used;

	if (!taf_starts(entry, name) || !*path || *path == '/' || ROOM - kept.used < sizeof(name))
		return keep(entry);
	taf_text_init(&t, to, ROOM - kept.used);
	taf_text_put(&t, name);
	if (t.is_cut || taf_sys_cwd(to + t.used, ROOM - kept.used - t.used))
		return keep(entry);
	t.used = taf_len(to);
	taf_text_char(&t, '/');
	taf_text_put(&t, path);
	kept.used = before + t.used + 1;
	return t.is_cut ? NULL : to;
}

static void keep_env(char **envp)
{
	size_t n = 0;

	for (; envp && *envp && n < ENTRIES; envp++) {
		kept.entries[n] = is_needed(*envp) ? keep_state(*envp) : NULL;
		n += kept.entries[n] != NULL;
	}
	kept.entries[n] = NULL;
	taf_env_now = kept.entries;
}

static void keep_argv(int argc, char **argv)
{
	int n = 0;

	for (; n < argc && n < WORDS && argv[n] && (kept.words[n] = keep(argv[n])); n++)
		;
	kept.words[n] = NULL;
	taf_argc = n;
	taf_argv = kept.words;
}

/* Another copy of us stands in front: preloaded from elsewhere, or preloaded where this one
 * is opened as a layer. One of us counts; the other one hands on. */
static bool is_second(void)
{
	struct link_map *m = taf_elf_first(), *self = taf_elf_self();
	struct taf_elf e;

	for (; m && self && m != self; m = m->l_next)
		if (taf_elf_of(m, &e) && taf_elf_symbol(&e, "taffrail_vulkan_layer", NULL))
			return true;
	return false;
}

__attribute__((constructor)) static void taf_init(int argc, char **argv, char **envp)
{
	uint32_t cold = TAF_COLD;
	bool is_off;

	keep_env(envp);
	keep_argv(argc, argv);
	taf_elf_init();
	taf_real_init();
	is_off = taf_env_is_off(taf_env_now) || is_second();
	if (!is_off)
		taf_sites_init(envp);
	atomic_compare_exchange_strong(&taf_life.state, &cold,
				       is_off ? (uint32_t)TAF_OFF : (uint32_t)TAF_ARMED);
	taf_is_booted = true;
}

__attribute__((destructor)) static void taf_fini(void)
{
	taf_exit_destructor();
}
