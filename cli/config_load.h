/* SPDX-License-Identifier: MIT */
/* config_load.h -- what the parts of the companion share: one file being read. */
#ifndef TAF_CONFIG_LOAD_H
#define TAF_CONFIG_LOAD_H

#include <cjson/cJSON.h>

#include "config.h"
#include "config_scan.h"

#define TAF_LINE_ROOM 1024
#define TAF_PATH_TEXT 160 /* a setting's path, as far as it is shown */

struct taf_load {
	const char *file;
	struct taf_policy *out;
	struct taf_profile *profile; /* whose settings are read; NULL: those of the file */
	taf_tell_fn *tell;
	void *ctx;
	bool is_quiet; /* the mistakes were told before */
	uint32_t *n_bad; /* mistakes so far */
	struct taf_scan scan;
};

/* A value of the tree and its place in scan.at. */
struct taf_node {
	const cJSON *json;
	uint32_t at;
};

/* The values inside n, one after the other; false at the end. kid->json is NULL at first. */
bool taf_node_next(const struct taf_load *l, const struct taf_node *n, struct taf_node *kid);
size_t taf_node_key(const struct taf_load *l, const struct taf_node *n); /* offset of its key */
size_t taf_node_value(const struct taf_load *l, const struct taf_node *n);
/* The number as written. */
void taf_node_number(const struct taf_load *l, const struct taf_node *n, char *buf, size_t room);

/* One mistake at an offset of the text. why ends with what to do. */
void taf_load_complain(struct taf_load *l, size_t offset, const char *path, const char *why);
/* One mistake of the whole file. */
void taf_load_refuse(struct taf_load *l, const char *why);
/* Complains and returns true when a key like kid's stands before it in n. */
bool taf_load_is_twice(struct taf_load *l, const struct taf_node *n, const struct taf_node *kid,
		       const char *path);
/* Complains that key is none of the words. */
void taf_load_no_key(struct taf_load *l, const struct taf_node *kid, const char *path,
		     const char *words);

/* The text of l->file; *text is malloc'd, with a NUL behind it. 0, or -errno after a complaint. */
int taf_load_read(struct taf_load *l, char **text, size_t *n);
/* Scans and parses l->scan.text; *tree is the caller's. 0, or -errno after a complaint. */
int taf_load_parse(struct taf_load *l, cJSON **tree);

/* config_set.c: the setting that is row rule gets the value at n. */
void taf_load_set(struct taf_load *l, const struct taf_node *n, int rule);
/* config.c: all settings inside n. */
void taf_load_settings(struct taf_load *l, const struct taf_node *n);
/* config_profile.c */
void taf_load_profiles(struct taf_load *l, const struct taf_node *n);

#endif
