/* SPDX-License-Identifier: MIT */
/* list.h -- settings that hold several entries, in fixed room.
 *
 *   ENV       NAME=value          a variable of the program
 *   FAMILIES  match:floor:settle  a glob on model ids, and two durations
 *   NO_CLEAR  engine:versions     an engine and a version specifier
 *   CLASSES   name:severity       an error class or Xid, and 0 to 5
 *   NAMES     name                metal-guard, or an absolute path
 *
 * As one text a list is its entries with commas between; a comma or backslash
 * inside an entry is escaped by a backslash.  The empty list is "none".  Every
 * entry begins with its name, by which it is found, so that adding one of the
 * same name replaces it (of NO_CLEAR, of the same name and versions); the order is
 * that of adding.
 */
#ifndef TAF_LIST_H
#define TAF_LIST_H

#include "text.h"

enum taf_list_kind {
	TAF_LIST_ENV,
	TAF_LIST_FAMILIES,
	TAF_LIST_NO_CLEAR,
	TAF_LIST_CLASSES,
	TAF_LIST_NAMES,
};

#define TAF_NAME_ROOM 64
#define TAF_ENTRY_ROOM 256 /* one entry as text */
#define TAF_ENV_ROOM 32 /* entries of env.set */

struct taf_env_list {
	uint32_t n;
	struct taf_env {
		char name[TAF_NAME_ROOM];
		char value[128];
	} at[TAF_ENV_ROOM];
};

struct taf_family_list {
	uint32_t n;
	struct taf_family {
		char name[TAF_NAME_ROOM]; /* glob */
		uint32_t floor_ms, settle_ms;
	} at[16];
};

struct taf_no_clear_list {
	uint32_t n;
	struct taf_no_clear {
		char name[TAF_NAME_ROOM]; /* engine */
		char versions[TAF_NAME_ROOM];
	} at[8];
};

struct taf_class_list {
	uint32_t n;
	struct taf_class {
		char name[TAF_NAME_ROOM];
		uint32_t severity;
	} at[32];
};

struct taf_name_list {
	uint32_t n;
	struct taf_name {
		char name[128];
	} at[8];
};

/* Adds one entry, unescaped. 0, -EINVAL, or -ERANGE (full, or too long), and
 * then the list is as before. */
int taf_list_add(void *list, enum taf_list_kind kind, const char *entry, struct taf_text *why);
/* Replaces the list by that text, wholly or not at all. */
int taf_list_set(void *list, enum taf_list_kind kind, const char *text, struct taf_text *why);
void taf_list_show(const void *list, enum taf_list_kind kind, struct taf_text *out);
/* Adds the entries of from, which win. */
void taf_list_merge(void *list, enum taf_list_kind kind, const void *from);
/* False when a count, a text or a severity is none that taf_list_add could have
 * written: of a list that comes from a file. */
bool taf_list_is_whole(const void *list, enum taf_list_kind kind);
/* "NAME=value,...": the form of one entry. */
const char *taf_list_form(enum taf_list_kind kind);

#endif
