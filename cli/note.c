/* SPDX-License-Identifier: MIT */
/* note.c -- `taffrail note TEXT [KEY=VALUE...]`: a remark from outside.
 *
 * It is a session of its own, role "note", with one NOTE record that is on disk
 * before the verb ends; the reader puts it where its time says.  No session of
 * a guest is written to.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../policy/text.h"
#include "note.h"
#include "option.h"
#include "sessions.h"
#include "state_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define TEXT_MAX 2000
#define SEGMENT_BYTES (64u * 1024)
#define RING_BYTES (256u * 1024)

struct note {
	const char *run, *state;
	char text[TEXT_MAX];
};

static bool is_run_id(const char *s)
{
	return strlen(s) == 16 && strspn(s, "0123456789abcdef") == 16;
}

/* 0 or an exit status. The index of the first word is left in *at. */
static int read_options(int argc, char **argv, struct note *n, int *at)
{
	const char *value;
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if ((value = taf_option(argv, &i, "--run"))) {
			if (!is_run_id(value))
				return taf_usage_wrong("note",
						       "--run wants 16 hexadecimal digits, "
						       "not \"%s\"",
						       value);
			n->run = value;
		} else if ((value = taf_option(argv, &i, "--state"))) {
			if (!*value)
				return taf_usage_wrong("note", "--state wants a directory");
			n->state = value;
		} else {
			return taf_usage_wrong("note", "%s \"%s\"", taf_option_wrong(argv[i]),
					       argv[i]);
		}
	}
	*at = i;
	return 0;
}

/* KEY=VALUE, without a blank in KEY. */
static bool is_pair(const char *word)
{
	size_t n = strcspn(word, "= ");

	return n && word[n] == '=';
}

/* TEXT and the pairs after it, as one text. */
static int read_words(int argc, char **argv, struct note *n)
{
	struct taf_text t;

	if (argc < 1 || !argv[0][0])
		return taf_usage_wrong("note", "a TEXT is missing");
	taf_text_init(&t, n->text, sizeof(n->text));
	taf_text_put(&t, argv[0]);
	for (int i = 1; i < argc; i++) {
		if (!is_pair(argv[i]))
			return taf_usage_wrong("note",
					       "after TEXT comes KEY=VALUE, not \"%s\"; put a "
					       "TEXT of several words between quotes",
					       argv[i]);
		taf_text_char(&t, ' ');
		taf_text_put(&t, argv[i]);
	}
	if (t.is_cut)
		return taf_usage_wrong("note", "the text is longer than %d bytes", TEXT_MAX - 1);
	return 0;
}

/* The run to join: the one named, else the newest, else a new one. */
static void choose_run(const struct note *n, const char *crumbs, char run[17])
{
	struct taf_trail *newest = NULL;
	struct taf_trails trails;
	struct taf_world world;
	uint64_t random = 0;
	struct taf_text t;

	if (n->run) {
		taf_copy(run, n->run, 17);
		return;
	}
	run[0] = '\0';
	taf_world_now(&world);
	if (!taf_trails_scan(&trails, crumbs, &world)) {
		newest = taf_trails_newest(&trails, false);
		if (newest && is_run_id(newest->run))
			taf_copy(run, newest->run, 17);
		taf_trails_free(&trails);
	}
	if (run[0])
		return;
	taf_sys_random(&random, sizeof(random));
	taf_text_init(&t, run, 17);
	taf_text_hex(&t, random, 16);
}

/* 0, or the exit status of a run that left nothing there. */
static int check_run(const struct note *n, const struct taf_state_dir *dir)
{
	char crumbs[TAF_PATH_MAX];
	struct taf_trails trails;
	struct taf_world world;
	bool is_there = false;

	if (!n->run)
		return 0;
	taf_state_sub(dir, "crumbs", crumbs, sizeof(crumbs));
	taf_world_now(&world);
	if (!taf_trails_scan(&trails, crumbs, &world)) {
		for (size_t i = 0; i < trails.n; i++)
			is_there = is_there || !strcmp(trails.list[i].run, n->run);
		taf_trails_free(&trails);
	}
	if (is_there)
		return 0;
	taf_tell("note: nothing is written: there is no run %s in %s; see: taffrail report --all",
		 n->run, dir->path);
	return TAF_EXIT_FAILED;
}

static int write_note(const struct note *n, const struct taf_state_dir *dir)
{
	static const char head[] = ",\"role\":\"note\",\"v\":1,\"shim\":\"" TAF_VERSION "\"";
	struct taf_session s = { .pid = getpid(),
				 .start = taf_sys_start_ticks(0),
				 .ring_bytes = RING_BYTES,
				 .segment_bytes = SEGMENT_BYTES,
				 .head = head };
	struct taf_rec rec = {
		.kind = TAF_NOTE, .call = "note", .msg = n->text, .keep = TAF_KEEP_SYNC
	};
	int err;

	taf_state_sub(dir, "crumbs", s.dir, sizeof(s.dir));
	if (!s.dir[0])
		return -ENAMETOOLONG;
	err = taf_sys_boot_id(s.boot);
	if (err)
		return err;
	choose_run(n, s.dir, s.run);
	err = taf_crumb_open(&s);
	if (err)
		return err;
	if (!taf_crumb(&rec))
		err = -EIO;
	taf_crumb_close();
	return err;
}

int taf_note_leave(const char *run, const char *state, const char *text)
{
	struct note note = { .run = run, .state = state };
	struct taf_state_dir dir;
	char why[PATH_MAX + 160];
	int err = taf_state_find(state, &dir);

	taf_copy(note.text, text, sizeof(note.text));
	if (!err && !taf_state_check(&dir, why, sizeof(why)))
		err = -EACCES;
	if (!err)
		err = taf_state_make(&dir);
	return err ? err : write_note(&note, &dir);
}

int taf_verb_note(int argc, char **argv)
{
	struct taf_state_dir dir;
	struct note note = { 0 };
	char why[PATH_MAX + 160];
	int at = 0, err;

	err = read_options(argc, argv, &note, &at);
	if (!err)
		err = read_words(argc - at, argv + at, &note);
	if (err)
		return err;
	err = taf_state_find(note.state, &dir);
	if (err) {
		taf_tell("note: there is no place for the state directory: set TAFFRAIL_STATE");
		return TAF_EXIT_INTERNAL;
	}
	if (!taf_state_check(&dir, why, sizeof(why))) {
		taf_tell("note: nothing is written: %s", why);
		return TAF_EXIT_INTERNAL;
	}
	err = check_run(&note, &dir);
	if (err)
		return err;
	err = taf_state_make(&dir);
	if (!err)
		err = write_note(&note, &dir);
	if (!err)
		return TAF_EXIT_OK;
	taf_tell("note: cannot write into %s: %s", dir.path, strerror(-err));
	return TAF_EXIT_INTERNAL;
}
