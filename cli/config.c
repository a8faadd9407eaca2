/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../policy/value.h"
#include "config_load.h"

bool taf_node_next(const struct taf_load *l, const struct taf_node *n, struct taf_node *kid)
{
	kid->at = kid->json ? l->scan.at[kid->at].next : n->at + 1;
	kid->json = kid->json ? kid->json->next : n->json->child;
	return kid->json && kid->at < l->scan.count;
}

size_t taf_node_key(const struct taf_load *l, const struct taf_node *n)
{
	return l->scan.at[n->at].key;
}

size_t taf_node_value(const struct taf_load *l, const struct taf_node *n)
{
	return l->scan.at[n->at].value;
}

void taf_node_number(const struct taf_load *l, const struct taf_node *n, char *buf, size_t room)
{
	const char *p = l->scan.text + taf_node_value(l, n);
	size_t i = 0;

	for (; i + 1 < room && p[i] && strchr("0123456789+-.eE", p[i]); i++)
		buf[i] = p[i];
	buf[i] = '\0';
}

static void tell(struct taf_load *l, const char *line)
{
	if (l->is_quiet)
		return;
	++*l->n_bad;
	if (l->tell && *l->n_bad <= TAF_CONFIG_TOLD)
		l->tell(l->ctx, line);
	else if (l->tell && *l->n_bad == TAF_CONFIG_TOLD + 1)
		l->tell(l->ctx, "there are more mistakes; correct these first");
}

/* A path may hold keys of the file: nothing of them may steer a terminal. */
static void put_path(struct taf_text *t, const char *path)
{
	char quoted[TAF_PATH_TEXT * 2];
	struct taf_text q;

	taf_text_init(&q, quoted, sizeof(quoted));
	taf_text_json(&q, path, TAF_PATH_TEXT);
	taf_text_put_n(t, quoted + 1, q.used - 1 - (q.start[q.used - 1] == '"'));
}

void taf_load_complain(struct taf_load *l, size_t offset, const char *path, const char *why)
{
	char line[TAF_LINE_ROOM];
	struct taf_text t;

	taf_text_init(&t, line, sizeof(line));
	taf_text_put(&t, l->file);
	taf_text_char(&t, ':');
	taf_scan_where(&l->scan, offset, &t);
	taf_text_put(&t, ": ");
	if (*path) {
		put_path(&t, path);
		taf_text_put(&t, ": ");
	}
	taf_text_put(&t, why);
	tell(l, line);
}

void taf_load_refuse(struct taf_load *l, const char *why)
{
	char line[TAF_LINE_ROOM];
	struct taf_text t;

	taf_text_init(&t, line, sizeof(line));
	taf_text_put(&t, l->file);
	taf_text_put(&t, ": ");
	taf_text_put(&t, why);
	tell(l, line);
}

bool taf_load_is_twice(struct taf_load *l, const struct taf_node *n, const struct taf_node *kid,
		       const char *path)
{
	struct taf_node other = { 0 };
	char why[96];
	struct taf_text t;

	while (taf_node_next(l, n, &other) && other.at != kid->at) {
		if (strcmp(other.json->string, kid->json->string))
			continue;
		taf_text_init(&t, why, sizeof(why));
		taf_text_put(&t, "given before in line ");
		taf_text_u64(&t, taf_scan_line(&l->scan, taf_node_key(l, &other)));
		taf_text_put(&t, "; this one is left out, remove one of them");
		taf_load_complain(l, taf_node_key(l, kid), path, why);
		return true;
	}
	return false;
}

void taf_load_no_key(struct taf_load *l, const struct taf_node *kid, const char *path,
		     const char *words)
{
	char why[192];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	taf_text_put(&t, "there is no such key; write ");
	taf_text_put(&t, words);
	taf_load_complain(l, taf_node_key(l, kid), path, why);
}

static void unknown_key(struct taf_load *l, const struct taf_node *kid, const char *path)
{
	char why[192];
	struct taf_text t;
	size_t used;

	taf_text_init(&t, why, sizeof(why));
	if (strchr(kid->json->string, '.')) {
		taf_text_put(&t, "a key holds no dot; write sections inside each other, as in "
				 "{\"drain\": {\"at_exit\": true}}");
	} else {
		taf_text_put(&t, "there is no such setting; ");
		used = t.used;
		taf_text_put(&t, "did you mean ");
		if (taf_rule_nearest(path, &t)) {
			taf_text_char(&t, '?');
		} else {
			t.used = used;
			taf_text_put(&t, "`taffrail check --effective` lists them all");
		}
	}
	taf_load_complain(l, taf_node_key(l, kid), path, why);
}

static bool is_section(const char *path)
{
	size_t n = strlen(path);

	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const char *known = taf_rule_info(i)->path;

		if (taf_starts(known, path) && known[n] == '.')
			return true;
	}
	return false;
}

struct section {
	const struct taf_node *node;
	const char *path; /* "": the top */
};

static void walk(struct taf_load *l, const struct section *in);

static void member(struct taf_load *l, const struct section *in, const struct taf_node *kid)
{
	const char *key = kid->json->string;
	struct section inner;
	char path[TAF_PATH_TEXT];
	struct taf_text t;
	int rule;

	taf_text_init(&t, path, sizeof(path));
	taf_text_put(&t, in->path);
	if (*in->path)
		taf_text_char(&t, '.');
	taf_text_put(&t, key);
	if (taf_load_is_twice(l, in->node, kid, path))
		return;
	if (!*in->path && !l->profile && !strcmp(key, "profiles")) {
		taf_load_profiles(l, kid);
		return;
	}
	if (!*in->path && !l->profile && !strcmp(key, "$schema"))
		return;
	rule = strchr(key, '.') ? -1 : taf_rule_of(path);
	inner = (struct section){ kid, path };
	if (rule >= 0)
		taf_load_set(l, kid, rule);
	else if (strchr(key, '.') || !is_section(path))
		unknown_key(l, kid, path);
	else if (!cJSON_IsObject(kid->json))
		taf_load_complain(l, taf_node_value(l, kid), path,
				  "this is a section of settings; write { ... }");
	else
		walk(l, &inner);
}

static void walk(struct taf_load *l, const struct section *in)
{
	struct taf_node kid = { 0 };

	while (taf_node_next(l, in->node, &kid))
		member(l, in, &kid);
}

void taf_load_settings(struct taf_load *l, const struct taf_node *n)
{
	struct section top = { n, "" };

	walk(l, &top);
}

static const char *reason(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR: return "there is no such file; name one that exists";
	case EACCES:
	case EPERM: return "no permission to read it; change its mode or owner";
	case ELOOP: return "its links lead in a circle; name a file";
	case EISDIR: return "it is a folder; name a file";
	case EFBIG: return "it is larger than 1 MiB, which no such file is; name the right one";
	case EBADF: return "it is no plain file; name one";
	default: return "it cannot be read; see whether its disk is well";
	}
}

/* Up to room bytes of fd. Their number, or -errno. */
static ssize_t read_up_to(int fd, char *buf, size_t room)
{
	size_t n = 0;

	while (n < room) {
		ssize_t got = read(fd, buf + n, room - n);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)n;
}

/* All of fd; *text is malloc'd, with a NUL behind it. 0 or -errno. */
static int read_all(int fd, char **text, size_t *n)
{
	char *buf = malloc(TAF_CONFIG_MAX + 2);
	ssize_t got;

	if (!buf)
		return -ENOMEM;
	got = read_up_to(fd, buf, TAF_CONFIG_MAX + 1);
	if (got > TAF_CONFIG_MAX)
		got = -EFBIG;
	if (got < 0) {
		free(buf);
		return (int)got;
	}
	buf[got] = '\0';
	*text = buf;
	*n = (size_t)got;
	return 0;
}

/* Never waits, whatever stands at that path. */
static int read_file(const char *path, char **text, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		err = -EBADF;
	else
		err = read_all(fd, text, n);
	close(fd);
	return err;
}

int taf_load_read(struct taf_load *l, char **text, size_t *n)
{
	int err = read_file(l->file, text, n);

	if (err)
		taf_load_refuse(l, reason(-err));
	return err;
}

int taf_load_parse(struct taf_load *l, cJSON **tree)
{
	if (!taf_scan(&l->scan)) {
		taf_load_complain(l, l->scan.bad, "", l->scan.why);
		return -EINVAL;
	}
	*tree = cJSON_ParseWithLength(l->scan.text, l->scan.n);
	if (!*tree) {
		taf_load_refuse(l, "there is not memory enough to read it");
		return -ENOMEM;
	}
	return 0;
}

static int read_text(struct taf_load *l)
{
	struct taf_node top = { 0 };
	cJSON *tree;
	int err = taf_load_parse(l, &tree);

	if (err)
		return err;
	top.json = tree;
	taf_load_settings(l, &top);
	cJSON_Delete(tree);
	return 0;
}

static int load(struct taf_load *l)
{
	char *text = NULL;
	size_t n = 0;
	int err = taf_load_read(l, &text, &n);

	if (!err) {
		taf_sha256_hex(text, n, l->out->sha256);
		l->scan.text = text;
		l->scan.n = n;
		err = read_text(l);
	}
	free(text);
	return err;
}

int taffrail_policy_load(const char *path, struct taf_policy *out, size_t out_size,
			 uint32_t version, taf_tell_fn *say, void *ctx)
{
	int saved = errno, err = -ENOMEM;
	struct taf_load *l;

	if (out_size != sizeof(*out) || version != TAF_POLICY_VERSION) {
		if (say)
			say(ctx, "libtaffrail-json.so is of another version than what asks it; "
				 "install both from one build");
		return -EPROTO;
	}
	taf_policy_builtin(out);
	taf_copy(out->path, path, sizeof(out->path));
	l = calloc(1, sizeof(*l));
	if (l) {
		l->file = path;
		l->out = out;
		l->n_bad = &out->n_bad;
		l->tell = say;
		l->ctx = ctx;
		err = load(l);
	}
	free(l);
	taf_policy_seal(out);
	errno = saved;
	return err;
}
