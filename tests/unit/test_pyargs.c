/* SPDX-License-Identifier: MIT */
/* test_pyargs.c -- what a command line of Python will run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/pyargs.h"

static const struct {
	const char *words;
	const char *module, *script;
	const char *flags; /* c: -c, e: ignores the environment, s: no site, u: no
			    * folder of the user, t: only tells */
	const char *next;
} table[] = {
	{ "python3", NULL, NULL, "", NULL },
	{ "python3 -", NULL, "-", "", NULL },
	{ "python3 a.py -m pip", NULL, "a.py", "", "-m" },
	{ "python3 -m pip install", "pip", NULL, "", "install" },
	{ "python3 -u -m pip install", "pip", NULL, "", "install" },
	{ "python3 -mpip install", "pip", NULL, "", "install" },
	{ "python3 -Bum pip install", "pip", NULL, "", "install" },
	{ "python3 -X dev -W error -m pip", "pip", NULL, "", NULL },
	{ "python3 -Xdev -Werror -m pip", "pip", NULL, "", NULL },
	{ "python3 -bX m -m pip", "pip", NULL, "", NULL },
	{ "python3 --check-hash-based-pycs always a.py x", NULL, "a.py", "", "x" },
	{ "python3 -c pass -m pip", NULL, NULL, "c", "-m" },
	{ "python3 -cpass -m pip", NULL, NULL, "c", "-m" },
	{ "python3 -Ic pass", NULL, NULL, "ceu", NULL },
	{ "python3 -I -S a.py", NULL, "a.py", "esu", NULL },
	{ "python3 -sES -m venv d", "venv", NULL, "esu", "d" },
	{ "python3 -V", NULL, NULL, "t", NULL },
	{ "python3 --version", NULL, NULL, "t", NULL },
	{ "python3 --help-all", NULL, NULL, "t", NULL },
	{ "python3 -- -a.py x", NULL, "-a.py", "", "x" },
	{ "python3 -m", NULL, NULL, "", NULL },
	{ "python3 -c", NULL, NULL, "", NULL },
	{ "python3 -X", NULL, NULL, "", NULL },
	{ "python3 --", NULL, NULL, "", NULL },
	{ "", NULL, NULL, "", NULL },
};

static void same(const char *words, const char *wanted, const char *got)
{
	if (!wanted != !got || (wanted && strcmp(wanted, got) != 0))
		fail_msg("%s: %s, not %s", words, got ? got : "nothing",
			 wanted ? wanted : "nothing");
}

static void rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *argv[12] = { NULL }, *flags = table[i].flags;
		struct taf_pyargs a;
		char text[128];
		int argc = 0;

		strcpy(text, table[i].words);
		for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
			argv[argc++] = w;
		taf_pyargs_read(argc, argv, &a);
		same(table[i].words, table[i].module, a.module);
		same(table[i].words, table[i].script, a.script);
		if (a.has_command != !!strchr(flags, 'c') ||
		    a.ignores_env != !!strchr(flags, 'e') || a.skips_user != !!strchr(flags, 'u') ||
		    a.skips_site != !!strchr(flags, 's') || a.only_tells != !!strchr(flags, 't'))
			fail_msg("%s: flags", table[i].words);
		if (a.module || a.script || a.has_command)
			same(table[i].words, table[i].next, a.next < argc ? argv[a.next] : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
