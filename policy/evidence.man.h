/* SPDX-License-Identifier: MIT */
/* evidence.man.h -- turns classes.def, xid.def or klog.def into a table of taffrail-evidence(7).
 *
 *   cc -E -P -include policy/evidence.man.h -x c policy/klog.def
 *
 * prints a line a row, in the language of the page, which defines the macros
 * Severity, Class, Xid, Advice, Means, Line and the strings A<action> and L<level>.
 */
#define SEVERITY(NAME, word, level, hint, text) .Severity word level hint text
#define CLASS(name, severity, source) .Class name severity source
#define XID(first, last, action, text) .Xid first last action text
#define ADVICE(NAME, text) .Advice NAME text
#define MEANS(class, text, advice) .Means class text advice
#define LINE(class, level, effect, rule, source) .Line class level effect rule source
