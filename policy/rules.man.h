/* SPDX-License-Identifier: MIT */
/* rules.man.h -- turns rules.def into the list of settings of taffrail-policy(5).
 *
 *   cc -E -P -include policy/rules.man.h -x c policy/rules.def
 *
 * prints a line a row, in the language of the page, which defines the macros
 * Words and Rule, and a string T<type> for every type that is no SET:
 *
 *   .Words MODE "enforce" "observe" "off"
 *   .Rule MODE "mode" "enforce" "off" "" "" "act on the rules, ..."
 *   .Rule MS "exit.deadline" "3s" "" "1ms" "10m" "the longest ..."
 *
 * The fourth is the last word that a row takes, behind it comes a range: each
 * where there is one.
 */
#define WORD(set, name, word) word
#define SET(name, words) .Words name words

/* PICK(RANGED_MS, WORDED, ) is RANGED, PICK(RANGED_MODE, WORDED, ) is WORDED. */
#define PICK(...) SECOND(__VA_ARGS__)
#define SECOND(first, second, ...) second
#define RANGED_MS ~, RANGED
#define RANGED_SIZE ~, RANGED
#define RANGED_PCT ~, RANGED
#define RANGED_INT ~, RANGED
#define RANGED_SINT ~, RANGED
#define RANGED(min, max) "" min max
#define NONE ""
#define WORDED(min, max) max NONE NONE

#define RULE(type, field, path, dflt, min, max, text) \
	.Rule type path dflt PICK(RANGED_##type, WORDED, )(min, max) text
