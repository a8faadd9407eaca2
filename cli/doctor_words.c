/* SPDX-License-Identifier: MIT */
/* doctor_words.c -- from the words of a command to the program that runs.
 *
 * A script gives way to its interpreter as the kernel does it (one optional
 * argument, the script's path behind it), env to the command behind its
 * options (-S split as env splits it), nohup and its like to theirs, a text file
 * without "#!" to /bin/sh as execvp does it.  The search itself is the one of `run` (launch.h).
 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "tell.h"
#include "verbs.h"

#define HEAD_ROOM 256 /* what the kernel reads of a script */
#define STEPS_MAX 8
#define WORDS_MAX 4096

/* Puts a copy of s in place of the word at. */
static int replace(struct taf_words *w, size_t at, const char *s, size_t n)
{
	free(w->words[at]);
	w->words[at] = strndup(s, n);
	return w->words[at] ? 0 : -ENOMEM;
}

/* Makes room for one word before at. */
static int insert(struct taf_words *w, size_t at, const char *s, size_t n)
{
	char **more;

	if (w->n >= WORDS_MAX)
		return -E2BIG;
	more = realloc(w->words, (w->n + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->words = more;
	memmove(more + at + 1, more + at, (w->n - at) * sizeof(*more));
	more[at] = NULL;
	more[++w->n] = NULL;
	return replace(w, at, s, n);
}

static void cut(struct taf_words *w, size_t at)
{
	free(w->words[at]);
	memmove(w->words + at, w->words + at + 1, (w->n - at - 1) * sizeof(*w->words));
	w->words[--w->n] = NULL;
}

static void pass(struct taf_words *w, const char *path)
{
	if (w->n_via < TAF_VIA_MAX && (w->via[w->n_via] = strdup(path)))
		w->n_via++;
}

static size_t read_head(const char *path, char head[HEAD_ROOM + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, head, HEAD_ROOM);

	if (fd >= 0)
		close(fd);
	head[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* [script, args] becomes [interpreter, its argument, path of the script, args]. */
static int follow_script(struct taf_words *w, char *head)
{
	const char *name, *arg;
	size_t n_name, n_arg;
	int err;

	head[strcspn(head, "\n")] = '\0';
	name = head + 2 + strspn(head + 2, " \t");
	n_name = strcspn(name, " \t");
	arg = name + n_name + strspn(name + n_name, " \t");
	n_arg = strlen(arg);
	while (n_arg && (arg[n_arg - 1] == ' ' || arg[n_arg - 1] == '\t'))
		n_arg--;
	if (!n_name)
		return -ENOEXEC;
	w->is_script = true;
	pass(w, w->target.path);
	err = replace(w, 0, w->target.path, strlen(w->target.path));
	if (!err && n_arg)
		err = insert(w, 0, arg, n_arg);
	return err ? err : insert(w, 0, name, n_name);
}

/* Puts the words of an env -S string before at, split at blanks, quotes kept together. */
static int split(struct taf_words *w, size_t at, const char *s)
{
	char *word = malloc(strlen(s) + 1);
	size_t n = 0;
	char quote = 0;
	bool is_open = false;
	int err = word ? 0 : -ENOMEM;

	for (; !err; s++) {
		bool is_blank = *s == ' ' || *s == '\t' || *s == '\n';

		if (!*s || (is_blank && !quote)) {
			if (is_open)
				err = insert(w, at++, word, n);
			is_open = false;
			n = 0;
			if (!*s)
				break;
			continue;
		}
		is_open = true;
		if (quote ? *s == quote : *s == '"' || *s == '\'') {
			quote = quote ? 0 : *s;
			continue;
		}
		if (*s == '\\' && s[1] && quote != '\'')
			s++;
		word[n++] = *s;
	}
	free(word);
	return err;
}

/* The text of a short option that takes one: "-uNAME", or the next word. *used counts that. */
static const char *value(const struct taf_words *w, size_t at, const char *rest, size_t *used)
{
	if (*rest)
		return rest;
	if (at + 1 >= w->n)
		return "";
	(*used)++;
	return w->words[at + 1];
}

/* One option of env at word 1. Returns how many words to drop, 0: no option; -errno. */
static int env_option(struct taf_words *w)
{
	const char *s = w->words[1], *text;
	size_t used = 1;
	int err;

	if (!strcmp(s, "--"))
		return 1;
	if (!strcmp(s, "-") || !strcmp(s, "--ignore-environment")) {
		w->is_env_cleared = true;
		return 1;
	}
	if (!strncmp(s, "--split-string=", 15) ||
	    (s[0] == '-' && strcspn(s, "S") < strspn(s, "-ivS0"))) {
		text = s[1] == '-' ? s + 15 : value(w, 1, s + strcspn(s, "S") + 1, &used);
		w->is_env_cleared |= s[1] != '-' && memchr(s, 'i', strcspn(s, "S"));
		err = split(w, 1 + used, text);
		return err ? err : (int)used;
	}
	if (!strncmp(s, "--unset=", 8) || (s[0] == '-' && s[1] == 'u')) {
		text = s[1] == '-' ? s + 8 : value(w, 1, s + 2, &used);
		w->is_env_cleared |= !strcmp(text, "LD_PRELOAD");
		return (int)used;
	}
	if (s[0] == '-' && s[1] == 'C')
		value(w, 1, s + 2, &used);
	else if (s[0] == '-' && s[1] != '-')
		w->is_env_cleared |= strchr(s, 'i') != NULL;
	else if (s[0] != '-' && strchr(s, '='))
		w->is_env_cleared |= !strncmp(s, "LD_PRELOAD=", 11);
	else if (s[0] != '-')
		return 0;
	return (int)used;
}

/* [env, options, A=b, command, args] becomes [command, args]; 1 when there is a command. */
static int follow_env(struct taf_words *w)
{
	while (w->n > 1) {
		int used = env_option(w);

		if (used < 0)
			return used;
		if (!used)
			break;
		for (; used && w->n > 1; used--)
			cut(w, 1);
	}
	if (w->n < 2)
		return 0;
	pass(w, w->target.path);
	cut(w, 0);
	return 1;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Programs that become the command behind their options. */
static const struct wrapper {
	const char *name;
	const char *valued; /* options of one letter with a value */
	size_t n_words; /* before the command */
} wrappers[] = {
	{ "nohup", "", 0 },	{ "nice", "n", 0 },	{ "setsid", "", 0 },
	{ "stdbuf", "ioe", 0 }, { "timeout", "ks", 1 },
};

/* Where the command is among the words; 0: there is none, or an option is not known. */
static size_t find_wrapped(const struct taf_words *w, const struct wrapper *p)
{
	size_t at = 1;

	for (; at < w->n && w->words[at][0] == '-'; at++) {
		const char *s = w->words[at];

		if (!strcmp(s, "--")) {
			at++;
			break;
		}
		if (s[1] == '-' && !strchr(s, '='))
			return 0;
		at += s[1] && !s[2] && strchr(p->valued, s[1]);
	}
	at += p->n_words;
	return at < w->n ? at : 0;
}

/* [nice, options, command, args] becomes [command, args]; 1 when there is a command. */
static int follow_wrapper(struct taf_words *w, const char *name)
{
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
		size_t at = strcmp(name, wrappers[i].name) ? 0 : find_wrapped(w, &wrappers[i]);

		if (!at)
			continue;
		pass(w, w->target.path);
		while (at--)
			cut(w, 0);
		return 1;
	}
	return 0;
}

/* One step on. 1: look again, 0: arrived, -errno. */
static int step(struct taf_words *w)
{
	char head[HEAD_ROOM + 1];
	size_t n = read_head(w->target.path, head);
	int err;

	if (n >= 2 && head[0] == '#' && head[1] == '!') {
		err = follow_script(w, head);
		return err ? err : 1;
	}
	if (n >= 4 && !memcmp(head, "\177ELF", 4))
		return strcmp(base(w->target.path), "env") ? follow_wrapper(w, base(w->target.path))
							   : follow_env(w);
	if (!n)
		return 0;
	if (memchr(head, '\0', n))
		return -ENOEXEC;
	w->is_script = true;
	pass(w, w->target.path);
	err = replace(w, 0, w->target.path, strlen(w->target.path));
	if (!err)
		err = insert(w, 0, "/bin/sh", 7);
	return err ? err : 1;
}

int taf_words_follow(struct taf_words *w, int argc, char **argv)
{
	int err = 0, more = 1;

	for (int i = 0; i < argc && !err; i++)
		err = insert(w, w->n, argv[i], strlen(argv[i]));
	for (int i = 0; !err && more > 0; i++) {
		err = i < STEPS_MAX ? taf_launch_find(w->words[0], &w->target) : -ELOOP;
		if (err)
			break;
		more = step(w);
		err = more < 0 ? more : 0;
	}
	if (err == -ENOMEM) {
		taf_tell("doctor: out of memory");
		return TAF_EXIT_INTERNAL;
	}
	return err ? taf_launch_failed(w->n ? w->words[0] : "", &w->target, err) : 0;
}

void taf_words_close(struct taf_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->words[i]);
	for (size_t i = 0; i < w->n_via; i++)
		free(w->via[i]);
	free(w->words);
	w->words = NULL;
	w->n = w->n_via = 0;
}
