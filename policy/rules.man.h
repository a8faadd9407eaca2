/* SPDX-License-Identifier: MIT */
/* rules.man.h -- turns rules.def into the list of settings of taffrail-policy(5).
 *
 *   cc -E -P -include policy/rules.man.h -x c policy/rules.def
 *
 * prints one line a row, a call of the macro Rule that the page defines:
 *
 *   .Rule NOW BOOL "drain.post_sync" "off" "" "" "synchronize after a generation"
 */
#define WORD(set, name, word)
#define SET(name, words)
#define RULE(type, field, path, dflt, min, max, since, text) .Rule since type path dflt min max text
