/* SPDX-License-Identifier: MIT */
/* host_stop.c -- how long a supervisor waits between a stop and the kill.
 *
 * A program that is killed inside a drain leaves its device in the state that the
 * drain was to prevent, so that time must hold exit.deadline and drain.deadline
 * together.  systemd is asked for the unit that we run in, or would; where it
 * cannot be asked its files are read, drop-ins included.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "launch.h"
#include "show.h"
#include "tell.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define SERVICES_MAX 64
#define DROP_INS_MAX 64
#define ASK_MS 2000
#define SHOWN_MAX 512

/* What is being judged. */
struct stop {
	const char *who; /* "unit llm.service", "compose.yml:8: service llm" */
	const char *key; /* the key that changes it */
	struct taf_grace grace;
};

static uint64_t needed_ms(const struct taf_host_look *l)
{
	return (uint64_t)l->rules.exit_deadline_ms + l->rules.drain_deadline_ms;
}

static void judge(struct taf_host_look *l, const struct stop *s)
{
	char have[32], need[32];
	uint64_t ms = needed_ms(l);
	const struct taf_grace *g = &s->grace;

	taf_show_ms(need, sizeof(need), ms * 1000);
	if (g->is_bad)
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "stop",
				 "%s: the value of %s is none; write as in %s%" PRIu64 "s", s->who,
				 s->key, "", ms / 1000 + 1);
	if (g->ms == TAF_GRACE_NEVER) {
		taf_findings_add(&l->findings, TAF_SORT_OK, "stop", "%s is stopped and not killed",
				 s->who);
		return;
	}
	taf_show_ms(have, sizeof(have), g->ms < UINT64_MAX / 1000 ? g->ms * 1000 : UINT64_MAX);
	if (g->ms < ms)
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "stop",
				 "%s is killed %s after a stop%s, and exit.deadline with "
				 "drain.deadline may take %s; set %s to at least %" PRIu64 "s",
				 s->who, have, g->line || g->is_bad ? "" : " (by default)", need,
				 s->key, (ms + 999) / 1000);
	else
		taf_findings_add(&l->findings, TAF_SORT_OK, "stop",
				 "%s is killed %s after a stop%s, and a drain at the end may take "
				 "%s",
				 s->who, have, g->line ? "" : " (by default)", need);
	if (g->ms < UINT64_MAX / 1000)
		taf_host_waits(l, s->who, s->key, g->ms);
	if (g->is_merged)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "stop",
				 "%s takes settings from elsewhere, which were not followed",
				 s->who);
}

/* At most FILE_MAX_BYTES of a plain file, malloc'd; NULL and errno. */
static char *read_file(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(FILE_MAX_BYTES);
	ssize_t got = 1;
	struct stat st;

	*n = 0;
	if (text && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		got = -1;
	}
	while (text && got > 0 && *n < FILE_MAX_BYTES) {
		got = read(fd, text + *n, FILE_MAX_BYTES - *n);
		*n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void add_unit_file(const char *path, struct taf_grace *g)
{
	size_t n;
	char *text = read_file(path, &n);

	if (text)
		taf_grace_unit(text, n, g);
	free(text);
}

static int is_conf(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && !strcmp(e->d_name + n - 5, ".conf");
}

/* The drop-ins of one folder, in the order of their names. */
static void add_drop_ins(const char *dir, struct taf_grace *g)
{
	struct dirent **all = NULL;
	int n = scandir(dir, &all, is_conf, alphasort);
	char path[PATH_MAX];

	for (int i = 0; i < n; i++) {
		if (i < DROP_INS_MAX && (size_t)snprintf(path, sizeof(path), "%s/%s", dir,
							 all[i]->d_name) < sizeof(path))
			add_unit_file(path, g);
		free(all[i]);
	}
	free(all);
}

/* The unit's first file, then what is put over it, from the weakest folder on. */
static bool read_unit_files(const struct taf_host_look *l, const char *unit, struct taf_grace *g)
{
	bool is_user = l->host.is_user_unit;
	char path[PATH_MAX];
	const char *dir;
	unsigned n = 0;

	for (; (dir = taf_host_unit_dir(n, is_user)); n++) {
		snprintf(path, sizeof(path), "%s%s/%s", l->root, dir, unit);
		if (!g->is_unit)
			add_unit_file(path, g);
	}
	while (n-- > 0) {
		snprintf(path, sizeof(path), "%s%s/%s.d", l->root, taf_host_unit_dir(n, is_user),
			 unit);
		add_drop_ins(path, g);
	}
	return g->is_unit;
}

/* The text behind "name=" in what systemctl printed, up to the end of its line. */
static const char *shown(char *text, const char *name)
{
	size_t n = strlen(name);

	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, n) && line[n] == '=')
			return line + n + 1;
	}
	return NULL;
}

static bool ask_systemd(const struct taf_host_look *l, const char *name, char *unit, uint64_t *ms)
{
	char property[48], show[] = "show", user[] = "--user", system[] = "--system";
	struct taf_child_said said;
	struct taf_target systemctl;
	char *argv[] = { systemctl.path, l->host.is_user_unit ? user : system,
			 show,		 property,
			 unit,		 NULL };
	const char *value;
	bool is_told;

	snprintf(property, sizeof(property), "--property=%s", name);
	if (*l->root || taf_launch_find("systemctl", &systemctl) ||
	    taf_child_ask(argv, SHOWN_MAX, ASK_MS, &said))
		return false;
	value = said.status ? NULL : shown(said.out, name);
	is_told = value && taf_grace_span(value, strcspn(value, "\n"), false, ms);
	taf_child_free(&said);
	return is_told;
}

/* What units have that say nothing: asked, else from its configuration. */
static uint64_t default_ms(const struct taf_host_look *l)
{
	static const char key[] = "DefaultTimeoutStopSec=";
	uint64_t ms = TAF_GRACE_UNIT_MS;
	char path[PATH_MAX], *text, *at;
	size_t n;

	if (ask_systemd(l, "DefaultTimeoutStopUSec", NULL, &ms))
		return ms;
	snprintf(path, sizeof(path), "%s/etc/systemd/system.conf", l->root);
	text = read_file(path, &n);
	at = text ? memmem(text, n, key, sizeof(key) - 1) : NULL;
	if (at && (at == text || at[-1] == '\n')) {
		at += sizeof(key) - 1;
		taf_grace_span(at, strcspn(at, "\n"), false, &ms);
	}
	free(text);
	return ms;
}

static void look_own_unit(struct taf_host_look *l)
{
	struct stop s = { .key = "TimeoutStopSec" };
	char who[128], name[96];

	snprintf(who, sizeof(who), "unit %s", l->host.unit);
	s.who = who;
	taf_grace_unit_init(&s.grace);
	if (ask_systemd(l, "TimeoutStopUSec", l->host.unit, &s.grace.ms)) {
		s.grace.line = 1;
		judge(l, &s);
	} else if (read_unit_files(l, l->host.unit, &s.grace) ||
		   (taf_host_template(l->host.unit, name, sizeof(name)) &&
		    read_unit_files(l, name, &s.grace))) {
		if (!s.grace.line)
			s.grace.ms = default_ms(l);
		judge(l, &s);
	} else {
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "stop",
				 "%s: its stop time is unknown; give its file by --unit", who);
	}
}

static void look_container(struct taf_host_look *l)
{
	bool is_pod = getenv("KUBERNETES_SERVICE_HOST") && !*l->root;
	struct stop s = { .who = is_pod ? "this pod" : "this container",
			  .key = is_pod ? "terminationGracePeriodSeconds"
					: "stop_grace_period or --stop-timeout",
			  .grace = { .ms = is_pod ? 30000 : TAF_GRACE_COMPOSE_MS } };

	judge(l, &s);
}

static void look_signals(struct taf_host_look *l)
{
	if (!(l->rules.exit_signals & 1ull << (SIGTERM - 1)))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "stop-signal",
				 "exit.signals does not name TERM: a program that does not catch "
				 "it ends without a drain; set exit.signals to [\"TERM\"]");
	else
		taf_findings_add(&l->findings, TAF_SORT_OK, "stop-signal",
				 "exit.signals names TERM, which supervisors send");
}

static bool is_named(const char *path, const char *ending)
{
	size_t n = strlen(path), k = strlen(ending);

	return n >= k && !strcmp(path + n - k, ending);
}

static void judge_services(struct taf_host_look *l, const char *path, const char *text, size_t n)
{
	static struct taf_grace all[SERVICES_MAX];
	unsigned count = taf_grace_compose(text, n, all, SERVICES_MAX);
	char who[PATH_MAX + 96], service[160];

	if (!count)
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "stop",
				 "%s: no service is found in it; write each on a line of its own "
				 "below \"services:\"",
				 path);
	for (unsigned i = 0; i < count && i < SERVICES_MAX; i++) {
		struct stop s = { .who = who, .key = "stop_grace_period", .grace = all[i] };

		taf_show_safe(service, sizeof(service), all[i].name);
		if (all[i].line)
			snprintf(who, sizeof(who), "%s:%u: service %s", path, all[i].line, service);
		else
			snprintf(who, sizeof(who), "%s: service %s", path, service);
		judge(l, &s);
	}
	if (count > SERVICES_MAX)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "stop",
				 "%s: only the first %u of %u services were looked at", path,
				 SERVICES_MAX, count);
}

/* A unit or a property list. */
static void judge_file(struct taf_host_look *l, const char *path, const char *text, size_t n)
{
	struct stop s = { .key = "ExitTimeOut" };
	char who[PATH_MAX + 32], drop_ins[PATH_MAX];
	bool is_plist = taf_grace_plist(text, n, &s.grace);

	if (!is_plist) {
		s.key = "TimeoutStopSec";
		taf_grace_unit_init(&s.grace);
		taf_grace_unit(text, n, &s.grace);
		snprintf(drop_ins, sizeof(drop_ins), "%s.d", path);
		add_drop_ins(drop_ins, &s.grace);
		if (!s.grace.line)
			s.grace.ms = default_ms(l);
	}
	if (!is_plist && !s.grace.is_unit) {
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "stop", "%s: %s", path,
				 n >= 6 && !memcmp(text, "bplist", 6)
					 ? "a binary property list; plutil -convert xml1 makes a "
					   "text of it"
					 : "neither a unit with [Service], nor a property list, "
					   "nor a compose file (*.yml, *.yaml)");
		return;
	}
	if (s.grace.line)
		snprintf(who, sizeof(who), "%s:%u", path, s.grace.line);
	else
		snprintf(who, sizeof(who), "%s", path);
	s.who = who;
	judge(l, &s);
}

bool taf_host_unit(struct taf_host_look *l, const char *path)
{
	size_t n;
	char *text = read_file(path, &n);

	if (!text) {
		taf_tell("doctor: %s cannot be read: %s", path, strerror(errno));
		return false;
	}
	if (is_named(path, ".yml") || is_named(path, ".yaml"))
		judge_services(l, path, text, n);
	else
		judge_file(l, path, text, n);
	free(text);
	return true;
}

void taf_host_stop(struct taf_host_look *l)
{
	bool is_boxed =
		taf_host_has(l, "/.dockerenv", NULL) || taf_host_has(l, "/run/.containerenv", NULL);

	if (l->host.unit[0])
		look_own_unit(l);
	else if (is_boxed || (!*l->root && getenv("KUBERNETES_SERVICE_HOST")))
		look_container(l);
	else if (!l->n_units)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "stop",
				 "no supervisor is known here; --unit FILE holds a unit, a "
				 "property list or a compose file against the policy");
	look_signals(l);
}
