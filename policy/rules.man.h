/* SPDX-License-Identifier: MIT */
/* rules.man.h -- turns rules.def into the list of settings of taffrail-policy(5).
 *
 *   cc -E -P -include policy/rules.man.h -x c policy/rules.def
 *
 * prints a line a row, in the language of the page, which defines the macros
 * RuleNOW and RuleLATER and a string T<type> for every type that is no SET:
 *
 *   .ds TMODE one of "enforce" "observe" "off"
 *   .RuleNOW MODE "mode" "enforce" "enforce" "off" "act on the rules, ..."
 */
#define WORD(set, name, word) word
#define SET(name, words) .ds T##name one of words
#define RULE(type, field, path, dflt, min, max, since, text) \
	.Rule##since type path dflt min max text
