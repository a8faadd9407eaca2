/* SPDX-License-Identifier: MIT */
#include "classify.h"

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

bool taf_classify(const char *text, size_t n, struct taf_error_class *found)
{
	for (size_t i = 0; i < COUNT(matches); i++)
		if (taf_match(matches[i].rule, text, n, NULL)) {
			fill(found, matches[i].class);
			return true;
		}
	return false;
}

static const struct signature_row *signature_of(const char *text, size_t n)
{
	for (size_t i = 0; i < COUNT(signatures); i++)
		if (taf_match(signatures[i].rule, text, n, NULL))
			return &signatures[i];
	return NULL;
}

const char *taf_signature(const char *text, size_t n)
{
	const struct signature_row *s = signature_of(text, n);

	return s ? s->name : NULL;
}

bool taf_classify_panic(const char *text, size_t n, struct taf_error_class *found)
{
	const struct signature_row *s;

	if (taf_classify(text, n, found) && found->is_panic)
		return true;
	s = signature_of(text, n);
	if (!s)
		return false;
	fill(found, s->class);
	return found->is_panic;
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
