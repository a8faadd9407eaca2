/* SPDX-License-Identifier: MIT */
#include "classify.h"

#include "klog.h"
#include "letter.h"
#include "ledger.h"
#include "match.h"
#include "rules.h"
#include "text.h"

enum hint {
#define HINT(NAME, word, text) HINT_##NAME,
#include "classes.def"
};

enum severity {
#define SEVERITY(NAME, word, level, hint, text) SEVERITY_##NAME,
#include "classes.def"
};

enum class {
#define CLASS(name, severity, source) CLASS_##name,
#include "classes.def"
	CLASS_COUNT
};

/* Arrays, not pointers: a table of pointers costs the preloaded object a relocation each. */
static const struct hint_row {
	char word[16], text[56];
} hints[] = {
#define HINT(NAME, word, text) { word, text },
#include "classes.def"
};

static const struct severity_row {
	char word[20], text[52];
	uint8_t level, hint;
} severities[] = {
#define SEVERITY(NAME, word, level, hint, text) { word, text, TAF_SEVERITY_##level, HINT_##hint },
#include "classes.def"
};

static const struct class_row {
	char name[39];
	uint8_t severity;
} classes[] = {
#define CLASS(name, severity, source) { #name, SEVERITY_##severity },
#include "classes.def"
};

static const struct match_row {
	char rule[63];
	uint8_t class;
} matches[] = {
#define MATCH(class, rule) { rule, CLASS_##class },
#include "classes.def"
};

static const struct signature_row {
	char name[24], rule[63];
	uint8_t class;
} signatures[] = {
#define SIGNATURE(name, class, rule) { #name, rule, CLASS_##class },
#include "classes.def"
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static void fill(struct taf_error_class *found, unsigned class)
{
	const struct class_row *c = &classes[class];
	const struct severity_row *s = &severities[c->severity];

	*found = (struct taf_error_class){
		.name = c->name,
		.severity = s->word,
		.meaning = s->text,
		.hint = hints[s->hint].word,
		.advice = hints[s->hint].text,
		.level = s->level,
		.is_panic = s->level == TAF_SEVERITY_PANIC,
	};
}

static bool is_panic(unsigned class)
{
	return severities[classes[class].severity].level == TAF_SEVERITY_PANIC;
}

static bool classify(const struct taf_matched *m, bool only_panics, struct taf_error_class *found)
{
	for (size_t i = 0; i < COUNT(matches); i++)
		if ((!only_panics || is_panic(matches[i].class)) &&
		    taf_match_in(matches[i].rule, m, NULL)) {
			fill(found, matches[i].class);
			return true;
		}
	return false;
}

static const struct signature_row *signature_of(const struct taf_matched *m)
{
	for (size_t i = 0; i < COUNT(signatures); i++)
		if (taf_match_in(signatures[i].rule, m, NULL))
			return &signatures[i];
	return NULL;
}

bool taf_classify(const char *text, size_t n, struct taf_error_class *found)
{
	struct taf_matched m;

	taf_match_prepare(&m, text, n);
	return classify(&m, false, found);
}

const char *taf_signature(const char *text, size_t n)
{
	const struct signature_row *s;
	struct taf_matched m;

	taf_match_prepare(&m, text, n);
	s = signature_of(&m);
	return s ? s->name : NULL;
}

bool taf_classify_panic(const char *text, size_t n, struct taf_error_class *found)
{
	const struct signature_row *s;
	struct taf_matched m;

	taf_match_prepare(&m, text, n);
	if (classify(&m, true, found))
		return true;
	s = signature_of(&m);
	if (!s || !is_panic(s->class))
		return false;
	fill(found, s->class);
	return true;
}

bool taf_class_named(const char *name, struct taf_error_class *found)
{
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		if (taf_same(classes[i].name, name)) {
			fill(found, i);
			return true;
		}
	return false;
}

const char *taf_class_advised(const char *name, const char *msg)
{
	struct taf_error_class c;

	if (!taf_class_named(name, &c) || !taf_starts(msg, c.advice))
		return NULL;
	return taf_starts(msg + taf_len(c.advice), ": ") ? c.advice : NULL;
}

bool taf_class_is_remark(const char *name)
{
	struct taf_error_class known;

	return taf_class_named(name, &known) && known.level < TAF_SEVERITY_PROCESS;
}

/* Of an Xid, by its number alone or behind "xid_". */
static bool is_xid(const char *name)
{
	const char *p = taf_starts(name, "xid_") ? name + 4 : name;
	size_t n = 0;

	while (taf_is_digit(p[n]))
		n++;
	return n && n <= 4 && !p[n] && p[0] != '0';
}

/* The i-th name of a class, "" behind the last one. */
static const char *name_at(unsigned i)
{
	static const char others[][15] = {
		"SIGABRT",	 "SIGSEGV",    "SIGBUS",	"dirty_boot",
		"unknown_panic", /* of the past */
		"abort",	 "ggml_abort", "out_of_memory", "compute_failed", /* of the hooks */
	};

	if (i < CLASS_COUNT)
		return classes[i].name;
	i -= CLASS_COUNT;
	return i < COUNT(others) ? others[i] : taf_klog_class(i - COUNT(others));
}

bool taf_class_is_known(const char *name, struct taf_text *near)
{
	uint32_t best = 2 + (uint32_t)taf_len(name) / 6, d;
	const char *nearest = NULL, *known;

	if (is_xid(name))
		return true;
	for (unsigned i = 0; *(known = name_at(i)); i++) {
		d = taf_rule_distance(name, known);
		if (!d)
			return true;
		if (d > best || (d == best && nearest))
			continue;
		best = d;
		nearest = known;
	}
	if (nearest && near)
		taf_text_put(near, nearest);
	return false;
}

const char *taf_severity_name(uint8_t severity)
{
	static const char names[][8] = {
		[TAF_SEVERITY_NONE] = "none",	    [TAF_SEVERITY_NOTE] = "note",
		[TAF_SEVERITY_PROCESS] = "process", [TAF_SEVERITY_DEVICE] = "device",
		[TAF_SEVERITY_MACHINE] = "machine", [TAF_SEVERITY_PANIC] = "panic",
	};

	return severity < COUNT(names) ? names[severity] : "?";
}

uint8_t taf_class_severity(const struct taf_rules *rules, const char *class, uint8_t builtin)
{
	const struct taf_class_list *list = &rules->cooldown_classes;
	const char *number = taf_starts(class, "xid_") ? class + 4 : class;

	for (uint32_t i = 0; i < list->n; i++)
		if (taf_same(list->at[i].name, class) || taf_same(list->at[i].name, number))
			return (uint8_t)list->at[i].severity;
	return builtin;
}
