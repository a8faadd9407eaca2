/* SPDX-License-Identifier: MIT */
/* rules.h -- the settings: one struct, filled from text, setting by setting.
 *
 * rules.def says what there is.  taf_rules_default gives the built-in policy;
 * taf_rules_set changes one setting and, when the value is bad, keeps the one
 * that was there: one bad value never turns anything off.  The struct is plain
 * data without pointers, so that it can be written to a file, mapped and
 * copied.  Nothing here allocates, and no function has state.
 */
#ifndef TAF_RULES_H
#define TAF_RULES_H

#include "list.h"
#include "text.h"

/* The words: TAF_MODE_ENFORCE, TAF_ON_WAIT... */
#define WORD(set, name, word) TAF_##set##_##name,
#define SET(name, words) enum { words };
#include "rules.def"
#undef WORD

/* An amount is a number of bytes, a share of the device, or none of both. */
enum taf_amount_is {
	TAF_AMOUNT_NONE, /* off; as_asked */
	TAF_AMOUNT_SWALLOW, /* WIRED alone */
	TAF_AMOUNT_BYTES,
	TAF_AMOUNT_PCT,
	TAF_AMOUNT_TIER, /* TIERED alone */
};

struct taf_amount {
	uint32_t is; /* enum taf_amount_is */
	uint32_t pct;
	uint64_t bytes;
};

/* taf_in_<TYPE> is what a row of that type is in struct taf_rules. */
typedef bool taf_in_BOOL;
typedef uint32_t taf_in_MS;
typedef uint64_t taf_in_SIZE;
typedef uint32_t taf_in_PCT;
typedef uint32_t taf_in_INT;
typedef int32_t taf_in_SINT;
typedef struct taf_amount taf_in_AMOUNT;
typedef struct taf_amount taf_in_TIERED;
typedef struct taf_amount taf_in_LIMIT;
typedef struct taf_amount taf_in_WIRED;
typedef char taf_in_TEXT[256];
typedef uint64_t taf_in_SIGNALS; /* bit (number - 1) */
typedef struct taf_env_list taf_in_ENV;
typedef struct taf_family_list taf_in_FAMILIES;
typedef struct taf_no_clear_list taf_in_NO_CLEAR;
typedef struct taf_class_list taf_in_CLASSES;
typedef struct taf_name_list taf_in_NAMES;
#define SET(name, words) typedef uint32_t taf_in_##name;
#include "rules.def"

struct taf_rules {
#define RULE(type, field, path, dflt, min, max, text) taf_in_##type field;
#include "rules.def"
};

enum taf_rule {
#define RULE(type, field, path, dflt, min, max, text) TAF_RULE_##field,
#include "rules.def"
	TAF_RULE_COUNT
};

#define TAF_RULE_WORDS ((TAF_RULE_COUNT + 63) / 64) /* of a bit set of rules */

enum taf_rule_type {
	TAF_TYPE_BOOL,
	TAF_TYPE_MS,
	TAF_TYPE_SIZE,
	TAF_TYPE_PCT,
	TAF_TYPE_INT,
	TAF_TYPE_SINT,
	TAF_TYPE_AMOUNT,
	TAF_TYPE_TIERED,
	TAF_TYPE_LIMIT,
	TAF_TYPE_WIRED,
	TAF_TYPE_TEXT,
	TAF_TYPE_SIGNALS,
	TAF_TYPE_ENV, /* the lists, in the order of enum taf_list_kind */
	TAF_TYPE_FAMILIES,
	TAF_TYPE_NO_CLEAR,
	TAF_TYPE_CLASSES,
	TAF_TYPE_NAMES,
	TAF_TYPE_FIRST_SET, /* from here on one type a set of words */
	TAF_TYPE_BEFORE_SETS = TAF_TYPE_FIRST_SET - 1,
#define SET(name, words) TAF_TYPE_##name,
#include "rules.def"
	TAF_TYPE_COUNT
};

/* Arrays, not pointers: a table of pointers costs the preloaded object a relocation each. */
struct taf_rule_info {
	char path[32];
	char dflt[16]; /* as written in rules.def */
	char min[12], max[12]; /* "": no bound */
	char text[96];
	uint16_t offset, bytes; /* of the member in struct taf_rules */
	uint8_t type; /* enum taf_rule_type */
};

/* Where a value comes from. A profile's is TAF_FROM_PROFILE + its number. */
enum taf_origin {
	TAF_FROM_BUILTIN,
	TAF_FROM_FILE,
	TAF_FROM_ENV, /* TAFFRAIL_SET */
	TAF_FROM_ARG, /* --set */
	TAF_FROM_APP, /* the profile of a known program (app.h) */
	TAF_FROM_PROFILE,
};

/* NULL when there is no such row. */
const struct taf_rule_info *taf_rule_info(int rule);
/* The row of that path, or -1. */
int taf_rule_of(const char *path);
/* The row whose entry path names: "env.set.GGML_X" is in env.set, and *entry
 * points at the name then; else as taf_rule_of, *entry NULL. */
int taf_rule_within(const char *path, const char **entry);
bool taf_rule_is_list(int rule);
bool taf_rule_is_word(int rule);
/* What the row takes, for people: "1ms to 10m", "enforce, observe or off". */
void taf_rule_range(int rule, struct taf_text *out);
/* What to write instead of a number that lacks its unit: it and the likely one ("90ms", in
 * quotes) where the row takes that, else its range. */
void taf_rule_amend(int rule, const char *number, struct taf_text *out);
/* "enforce|observe|off|" of a row that takes words, else "". */
const char *taf_rule_words(int rule);
/* The known path or section that is nearest to path goes to out; false when none is near. */
bool taf_rule_nearest(const char *path, struct taf_text *out);
/* Edits (one byte in, out or changed) from a to b, of which 64 bytes count at least. */
uint32_t taf_rule_distance(const char *a, const char *b);

/* The built-in policy. */
void taf_rules_default(struct taf_rules *r);
void taf_rules_default_one(struct taf_rules *r, int rule);

/* Sets path to value. 0; -ENOENT no such setting, -EINVAL no such value,
 * -ERANGE outside its range: then the setting keeps its value and why (may be
 * NULL) says what is wrong and what to do, without naming path, but for the
 * unknown path itself. A list is set as a whole by its path, and one entry of
 * env.set or cooldown.classes by path.NAME. */
int taf_rules_set(struct taf_rules *r, const char *path, const char *value, struct taf_text *why);
/* Adds one entry to a list setting. */
int taf_rules_add(struct taf_rules *r, int rule, const char *entry, struct taf_text *why);
void taf_rules_clear(struct taf_rules *r, int rule);
/* Takes one setting from another policy; for env.set its entries are added. */
void taf_rules_take(struct taf_rules *r, const struct taf_rules *from, int rule);

/* Sets "a=b;c=d". What is bad is skipped and told as one line each ("path:
 * why"), joined by newlines. origin (may be NULL) gets TAF_FROM_ENV for each row set.
 * Returns the number of bad ones. */
int taf_rules_set_many(struct taf_rules *r, const char *text, uint8_t *origin,
		       struct taf_text *why);

/* False when the value is none that taf_rules_set could have written, whatever
 * its bytes are: of a policy that comes from a file. */
bool taf_rules_is_whole(const struct taf_rules *r, int rule);

/* The value as taf_rules_set reads it. */
void taf_rules_show(const struct taf_rules *r, int rule, struct taf_text *out);

#endif
