/* SPDX-License-Identifier: MIT */
/* classify.h -- what a text of an engine, a driver or a kernel means.
 *
 * All who read such texts use these functions and so the one table,
 * classes.def: `taffrail classify`, the panic files, the report.  The text is
 * any bytes of any length; the time is linear in it.
 */
#ifndef TAF_CLASSIFY_H
#define TAF_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taf_rules;
struct taf_text;

/* Strings of the table: they stay. */
struct taf_error_class {
	const char *name; /* "iogpu_prepare_count_underflow" */
	const char *severity; /* "kernel_panic" */
	const char *meaning; /* of the severity, for people */
	const char *hint; /* "wait_lockout" */
	const char *advice; /* of the hint, for people */
	uint8_t level; /* enum taf_severity */
	bool is_panic;
};

/* The first row that fits; false when none does. */
bool taf_classify(const char *text, size_t n, struct taf_error_class *found);
/* The kind of panic by its own wording, "prepare_count_underflow"; NULL: none is known. */
const char *taf_signature(const char *text, size_t n);
/* Of the text of a kernel panic: its class if that is one of panics, else the
 * class of its signature if that is. */
bool taf_classify_panic(const char *text, size_t n, struct taf_error_class *found);
/* The class of that name. */
bool taf_class_named(const char *name, struct taf_error_class *found);
/* The advice of that class where msg, of an error's record, begins with it and ": "; or NULL. */
const char *taf_class_advised(const char *name, const char *msg);
/* An error of that class ends nobody: it is the answer to a request that was wrong. */
bool taf_class_is_remark(const char *name);
/* Whether an event can be of that class: of classes.def, klog.def, a crash, a number of
 * an Xid ("79", "xid_79"). If not, the nearest one goes to near, when there is any. */
bool taf_class_is_known(const char *name, struct taf_text *near);
/* "none" "note" "process" "device" "machine" "panic": how far harm of that severity reaches. */
const char *taf_severity_name(uint8_t severity);
/* The severity that cooldown.classes gives to class, by its name, or for
 * "xid_79" by "79" as well; else builtin. */
uint8_t taf_class_severity(const struct taf_rules *rules, const char *class, uint8_t builtin);

#endif
