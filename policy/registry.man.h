/* SPDX-License-Identifier: MIT */
/* registry.man.h -- turns registry.def into the list of keys of taffrail-registry(5).
 *
 *   cc -E -P -include policy/registry.man.h -x c policy/registry.def
 *
 * prints a line a row, in the language of the page, which defines the macros
 * Words, Table and Column and a string T<kind> for every kind that is no word:
 *
 *   .Words TIER "none|degradation|abort|panic|"
 *   .Table "MODEL" "models"
 *   .Column TIER "tier" NEED
 */
#define WORDS(KIND, words) \
	.Words KIND \
	words
#define TABLE(NAME, name, section) .Table #NAME section
#define COLUMN(kind, field, key, need) .Column kind key need
#define MODEL COLUMN
#define CLASS COLUMN
#define RUN COLUMN
#define RELEASE COLUMN
#define WORKLOAD COLUMN
#define HARDWARE COLUMN
#define LINE(kind, field, key, need)
