/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../shim/lock_place.h"
#include "jsonout.h"
#include "policy_find.h"
#include "show.h"
#include "tell.h"
#include "verbs.h"

#define ID_WIDTH 14
#define LINE_MAX_BYTES 4096

static bool join(const struct taf_host_look *l, const char *path, char full[PATH_MAX])
{
	return (size_t)snprintf(full, PATH_MAX, "%s%s", l->root, path) < PATH_MAX;
}

const char *taf_host_line(const struct taf_host_look *l, const char *path, char *buf, size_t room)
{
	char full[PATH_MAX];
	FILE *file = join(l, path, full) ? fopen(full, "re") : NULL;

	buf[0] = '\0';
	if (!file)
		return buf;
	if (!fgets(buf, (int)room, file))
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	fclose(file);
	return buf;
}

bool taf_host_has(const struct taf_host_look *l, const char *path, bool *can_read)
{
	char full[PATH_MAX];
	struct stat st;
	bool has = join(l, path, full) && !stat(full, &st);

	if (can_read)
		*can_read = has && !access(full, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK);
	return has;
}

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

static void read_policy(struct taf_host_look *l)
{
	static struct taf_policy file;
	static struct taf_policy_found found;
	struct taf_policy_ask ask = { .file = l->policy, .tell = say_mistake };

	taf_policy_find(&ask, &file, &found);
	l->rules = found.rules;
	taf_findings_add(&l->findings, found.n_bad ? TAF_SORT_PROBLEM : TAF_SORT_OK, "policy",
			 found.n_bad ? "%s has %d mistake%s; see taffrail check" : "%s",
			 *found.path ? found.path : "built-in", found.n_bad,
			 found.n_bad == 1 ? "" : "s");
	taf_policy_found_free(&found);
}

/* The state directory, as doctor without --host looks at it: what it warns of is a problem here. */
static void look_state(struct taf_host_look *l)
{
	size_t from = l->findings.n;

	if (*l->root)
		return;
	taf_doctor_places(&l->findings);
	for (size_t i = from; i < l->findings.n; i++)
		if (l->findings.all[i].sort == TAF_SORT_WARN ||
		    l->findings.all[i].sort == TAF_SORT_BAD)
			l->findings.all[i].sort = TAF_SORT_PROBLEM;
}

static void look_lock(struct taf_host_look *l)
{
	struct taf_lock_place place;
	char buf[256];
	struct taf_text why;

	if (*l->root)
		return;
	taf_text_init(&why, buf, sizeof(buf));
	if (taf_lock_place_look(&l->rules, environ, "", &place, &why))
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "lock-dir",
				 "the lock has no place and holds nobody back: %s", buf);
	else if (access(place.dir, W_OK | X_OK) && place.is_path)
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "lock-dir",
				 "%s cannot be used for lock.path, so the lock holds nobody back: "
				 "%s",
				 place.dir, strerror(errno));
	else if (place.is_per_user && !place.is_path)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "lock-dir",
				 "%s is this user's: runs of other users do not see its lock; for "
				 "one of all, a file in /etc/tmpfiles.d with the line \"d "
				 "/run/taffrail 1777 root root\"",
				 place.dir);
	else
		taf_findings_add(&l->findings, TAF_SORT_OK, "lock-dir", "%s, for all users",
				 place.dir);
}

static void print_finding(const struct taf_finding *one)
{
	static const char *const colours[TAF_SORT_COUNT] = {
		[TAF_SORT_OK] = "\033[32m", [TAF_SORT_PROBLEM] = "\033[31m"
	};
	const char *colour = taf_show_has_colour(stdout) ? colours[one->sort] : NULL;

	printf("  %s%-7s%s %-*s ", colour ? colour : "", taf_sort_name(one->sort),
	       colour ? "\033[0m" : "", ID_WIDTH, one->id);
	taf_show_text(stdout, one->text, LINE_MAX_BYTES);
	putchar('\n');
}

static void print(const struct taf_host_look *l)
{
	unsigned problems = taf_findings_count(&l->findings, TAF_SORT_PROBLEM);
	unsigned notes = taf_findings_count(&l->findings, TAF_SORT_NOTE);

	fputs(*l->root ? "the machine under " : "this machine", stdout);
	taf_show_text(stdout, l->root, LINE_MAX_BYTES);
	puts(", as the guard sees it");
	for (size_t i = 0; i < l->findings.n; i++)
		print_finding(&l->findings.all[i]);
	printf("  %u problem%s, %u note%s\n", problems, problems == 1 ? "" : "s", notes,
	       notes == 1 ? "" : "s");
}

static void put_known(struct taf_json *j, const char *key, uint64_t v)
{
	if (v == TAF_HOST_UNKNOWN || v == TAF_HOST_NO_LIMIT)
		taf_json_null(j, key);
	else
		taf_json_u64(j, key, v);
}

/* The same keys as in the start record of a session. */
static void put_facts(struct taf_json *j, const struct taf_host *h)
{
	taf_json_open(j, "host", '{');
	taf_json_text(j, "kernel", *h->kernel ? h->kernel : NULL);
	taf_json_text(j, "driver", *h->driver ? h->driver : NULL);
	if (h->has_swaps)
		taf_json_u64(j, "swap", h->swap);
	else
		taf_json_null(j, "swap");
	put_known(j, "limit", h->limit);
	taf_json_text(j, "unit", *h->unit ? h->unit : NULL);
	put_known(j, "stop_ms", h->has_grace ? h->grace.ms : 0);
	taf_json_close(j);
}

static void print_json(const struct taf_host_look *l)
{
	unsigned problems = taf_findings_count(&l->findings, TAF_SORT_PROBLEM);
	unsigned notes = taf_findings_count(&l->findings, TAF_SORT_NOTE);
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "verdict", problems ? "problems" : notes ? "notes" : "ok");
	taf_json_u64(&j, "problems", problems);
	taf_json_u64(&j, "notes", notes);
	put_facts(&j, &l->host);
	taf_json_u64(&j, "exit_deadline_ms", l->rules.exit_deadline_ms);
	taf_json_u64(&j, "drain_deadline_ms", l->rules.drain_deadline_ms);
	taf_findings_put(&j, &l->findings);
	taf_json_close(&j);
	taf_json_end(&j);
}

static int check_root(const char *root)
{
	struct stat st;

	if (!*root || (!stat(root, &st) && S_ISDIR(st.st_mode)))
		return TAF_EXIT_OK;
	taf_tell("doctor: --root %s: %s", root, strerror(stat(root, &st) ? errno : ENOTDIR));
	return TAF_EXIT_USAGE;
}

int taf_host_doctor(struct taf_host_look *l)
{
	int status = check_root(l->root);

	if (status)
		return status;
	taf_host_read(&l->host, l->root);
	read_policy(l);
	taf_host_machine(l);
	taf_host_memory(l);
	taf_host_evidence(l);
	look_state(l);
	look_lock(l);
	taf_host_stop(l);
	for (size_t i = 0; i < l->n_units; i++)
		if (!taf_host_unit(l, l->units[i]))
			status = TAF_EXIT_USAGE;
	if (!status) {
		if (l->is_json)
			print_json(l);
		else
			print(l);
		if (taf_findings_count(&l->findings, TAF_SORT_PROBLEM))
			status = TAF_EXIT_FAILED;
	}
	if (l->findings.is_short)
		status = TAF_EXIT_INTERNAL;
	taf_findings_close(&l->findings);
	return status;
}
