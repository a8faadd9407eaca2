/* SPDX-License-Identifier: MIT */
/* test_mapped.c -- whether a file is mapped, by name, by another name, by none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../shim/mapped.h"

#define NAME "a file with blanks"
#define LINK "a link"

static void test_mapped(void **state)
{
	int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *p;

	(void)state;
	assert_int_equal(write(fd, "text", 4), 4);
	unlink(LINK);
	assert_int_equal(symlink(NAME, LINK), 0);
	assert_false(taf_mapped(NAME));
	p = mmap(NULL, 4, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	close(fd);
	assert_true(taf_mapped(NAME));
	assert_true(taf_mapped(LINK));
	assert_true(taf_mapped("/proc/self/exe"));
	munmap(p, 4);
	assert_false(taf_mapped(NAME));
}

/* Nobody can tell: it may be. */
static void test_unknown(void **state)
{
	(void)state;
	assert_true(taf_mapped("no such file"));
}

/* In a folder of its own. */
static int enter(void **state)
{
	static char folder[] = "/tmp/test_mapped.XXXXXX";

	*state = mkdtemp(folder);
	return *state && !chdir(folder) ? 0 : -1;
}

static int leave(void **state)
{
	unlink(NAME);
	unlink(LINK);
	return chdir("/") || rmdir(*state) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
