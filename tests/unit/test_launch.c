/* SPDX-License-Identifier: MIT */
/* test_launch.c -- finding the program as execvp does, what a preload can do
 * there, and the environment that it gets.  Files lie in a folder of their own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../cli/launch.h"
#include "../../cli/vars.h"
#include "../../cli/verbs.h"

static char folder[] = "/tmp/taf-launch.XXXXXX";
static struct taf_target target;

static void put(const char *name, const void *bytes, size_t n, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text), 0755);
}

/* A program without code: header, and a loader if one is named. */
static void put_elf(const char *name, unsigned char class, const char *loader)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph;
		char loader[64];
	} file;

	memset(&file, 0, sizeof(file));
	memcpy(file.eh.e_ident, ELFMAG, SELFMAG);
	file.eh.e_ident[EI_CLASS] = class;
	file.eh.e_type = ET_DYN;
#if defined(__aarch64__)
	file.eh.e_machine = EM_AARCH64;
#else
	file.eh.e_machine = EM_X86_64;
#endif
	file.eh.e_phoff = offsetof(__typeof__(file), ph);
	file.eh.e_phentsize = sizeof(Elf64_Phdr);
	file.eh.e_phnum = 1;
	file.ph.p_type = loader ? PT_INTERP : PT_LOAD;
	file.ph.p_offset = offsetof(__typeof__(file), loader);
	if (loader) {
		file.ph.p_filesz = strlen(loader) + 1;
		strcpy(file.loader, loader);
	}
	put(name, &file, sizeof(file), 0755);
}

static int enter(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) || mkdir("a", 0700) || mkdir("b", 0700))
		return -1;
	return 0;
}

static int leave(void **state)
{
	static const char *const names[] = { "a/x",
					     "b/x",
					     "x",
					     "s1",
					     "s2",
					     "s3",
					     "s4",
					     "s5",
					     "s6",
					     "s7",
					     "e",
					     "ld-musl-test.so.1",
					     "ld-linux-test.so.2",
					     "ld-other.so" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	rmdir("a");
	rmdir("b");
	return chdir("/") || rmdir(folder);
}

static void finds_like_execvp(void **state)
{
	(void)state;
	put_text("b/x", "#!/bin/sh\n");
	put("a/x", "#!/bin/sh\n", 10, 0644);
	setenv("PATH", "a:b", 1);
	assert_int_equal(taf_launch_find("x", &target), 0);
	assert_string_equal(target.path, "b/x");
	setenv("PATH", "nowhere:a", 1);
	assert_int_equal(taf_launch_find("x", &target), -EACCES);
	setenv("PATH", "nowhere:/dev/null", 1);
	assert_int_equal(taf_launch_find("x", &target), -ENOENT);
	put_text("x", "#!/bin/sh\n");
	setenv("PATH", "nowhere:", 1);
	assert_int_equal(taf_launch_find("x", &target), 0);
	assert_string_equal(target.path, "x");
	unsetenv("PATH");
	assert_int_equal(taf_launch_find("sh", &target), 0);
	assert_string_equal(target.path, "/bin/sh");
}

static void refuses_like_execvp(void **state)
{
	char name[400];

	(void)state;
	setenv("PATH", "a:b", 1);
	assert_int_equal(taf_launch_find("", &target), -ENOENT);
	assert_int_equal(taf_launch_find("./a", &target), -EACCES);
	assert_int_equal(taf_launch_find("./nothing", &target), -ENOENT);
	assert_int_equal(taf_launch_find("a/x/y", &target), -ENOTDIR);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(taf_launch_find(name, &target), -ENAMETOOLONG);
}

static void follows_interpreters(void **state)
{
	char text[32];

	(void)state;
	put_text("s1", "#! /bin/sh -e\nexit\n");
	assert_int_equal(taf_launch_find("./s1", &target), 0);
	assert_true(target.is_script);
	assert_null(target.why);
	put_text("s2", "#!/no/such/thing\n");
	assert_int_equal(taf_launch_find("./s2", &target), -ENOENT);
	assert_string_equal(target.missing, "/no/such/thing");
	put_text("s3", "#!./s3\n");
	assert_int_equal(taf_launch_find("./s3", &target), -ELOOP);
	for (int i = 4; i <= 7; i++) {
		snprintf(text, sizeof(text), "#!./s%d\n", i - 1);
		snprintf(target.path, 4, "s%d", i);
		put_text(target.path, i == 4 ? "#!./s1\n" : text);
	}
	assert_int_equal(taf_launch_find("./s7", &target), 0);
	assert_string_not_equal(target.program, target.path);
	put_text("s2", "#!\n");
	assert_int_equal(taf_launch_find("./s2", &target), 0);
}

static void sees_what_cannot_be_preloaded(void **state)
{
	(void)state;
	put("ld-musl-test.so.1", "", 0, 0755);
	put("ld-linux-test.so.2", "", 0, 0755);
	put("ld-other.so", "", 0, 0755);
	put_elf("e", ELFCLASS64, NULL);
	assert_int_equal(taf_launch_find("./e", &target), 0);
	assert_int_equal(target.reach, TAF_REACH_CHILDREN);
	put_elf("e", ELFCLASS64, "./ld-linux-test.so.2");
	assert_int_equal(taf_launch_find("./e", &target), 0);
	assert_int_equal(target.reach, TAF_REACH_FULL);
	put_elf("e", ELFCLASS64, "./ld-musl-test.so.1");
	assert_int_equal(taf_launch_find("./e", &target), 0);
	assert_int_equal(target.reach, TAF_REACH_NONE);
	put_elf("e", ELFCLASS64, "./ld-other.so");
	assert_int_equal(taf_launch_find("./e", &target), 0);
	assert_int_equal(target.reach, TAF_REACH_NONE);
	put_elf("e", ELFCLASS32, "./ld-linux-test.so.2");
	assert_int_equal(taf_launch_find("./e", &target), 0);
	assert_int_equal(target.reach, TAF_REACH_NONE);
	put_elf("e", ELFCLASS64, "/no/such/loader.so");
	assert_int_equal(taf_launch_find("./e", &target), -ENOENT);
	assert_string_equal(target.missing, "/no/such/loader.so");
}

/* A header cut or bent at any place must be looked at without harm. */
static void survives_bad_headers(void **state)
{
	unsigned char file[256];
	size_t n;
	FILE *f;

	(void)state;
	put_elf("e", ELFCLASS64, "./ld-linux-test.so.2");
	f = fopen("e", "re");
	assert_non_null(f);
	n = fread(file, 1, sizeof(file), f);
	fclose(f);
	for (size_t i = 0; i < n; i++) {
		put("x", file, i, 0755);
		taf_launch_find("./x", &target);
		file[i] ^= 0xff;
		put("x", file, n, 0755);
		taf_launch_find("./x", &target);
		file[i] ^= 0xff;
	}
}

static void explains_by_the_shells_numbers(void **state)
{
	int kept = dup(STDERR_FILENO);

	(void)state;
	assert_true(kept >= 0);
	assert_non_null(freopen("/dev/null", "w", stderr));
	memset(&target, 0, sizeof(target));
	assert_int_equal(taf_launch_failed("x", &target, -ENOENT), TAF_EXIT_NOT_FOUND);
	assert_int_equal(taf_launch_failed("/x", &target, -ENOENT), TAF_EXIT_NOT_FOUND);
	assert_int_equal(taf_launch_failed("x", &target, -EACCES), TAF_EXIT_NOT_EXECUTABLE);
	assert_int_equal(taf_launch_failed("x", NULL, -ENOEXEC), TAF_EXIT_NOT_EXECUTABLE);
	strcpy(target.missing, "/lib/ld");
	assert_int_equal(taf_launch_failed("x", &target, -ENOENT), TAF_EXIT_NOT_EXECUTABLE);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
}

static void preload_of(const char *before, const char *second, const char *wanted)
{
	char entry[256];
	char *env[] = { entry, NULL };
	struct taf_vars vars;
	const char *got;

	snprintf(entry, sizeof(entry), "%s%s",
		 before ? "LD_PRELOAD=" : "A=", before ? before : "b");
	assert_int_equal(taf_vars_init(&vars, env), 0);
	assert_int_equal(taf_vars_preload(&vars, wanted ? "/o/libtaffrail.so" : NULL, second), 0);
	got = taf_vars_get(&vars, "LD_PRELOAD");
	if (wanted)
		assert_string_equal(got, wanted);
	else
		assert_null(got);
	taf_vars_free(&vars);
}

static void preload_is_first_and_once(void **state)
{
	(void)state;
	preload_of(NULL, NULL, "/o/libtaffrail.so");
	preload_of("", NULL, "/o/libtaffrail.so");
	preload_of(" : ", NULL, "/o/libtaffrail.so");
	preload_of("/u/a.so b.so", NULL, "/o/libtaffrail.so:/u/a.so:b.so");
	preload_of("/u/a.so:/old/libtaffrail.so", NULL, "/o/libtaffrail.so:/u/a.so");
	preload_of("/o/libtaffrail.so:/o/libtaffrail-alloc.so:/u/a.so", "/o/libtaffrail-alloc.so",
		   "/o/libtaffrail.so:/o/libtaffrail-alloc.so:/u/a.so");
	preload_of("/u/notlibtaffrail.so", NULL, "/o/libtaffrail.so:/u/notlibtaffrail.so");
	preload_of("/l/libasan.so.8:/u/a.so", NULL, "/l/libasan.so.8:/o/libtaffrail.so:/u/a.so");
	preload_of("/u/a.so:/l/libasan.so.8", NULL, "/o/libtaffrail.so:/u/a.so:/l/libasan.so.8");
	preload_of("/old/libtaffrail.so", NULL, NULL);
	assert_true(taf_vars_can_preload("/a/b.so"));
	assert_false(taf_vars_can_preload("/a b/c.so"));
	assert_false(taf_vars_can_preload("/a:b/c.so"));
	assert_false(taf_vars_can_preload("c.so"));
}

static void variables_keep_their_order(void **state)
{
	char *env[] = { (char[]){ "A=1" }, (char[]){ "B=2" }, (char[]){ "AB=3" }, NULL };
	struct taf_vars vars;
	const char *was;
	char name[16];

	(void)state;
	assert_int_equal(taf_vars_init(&vars, env), 0);
	assert_int_equal(taf_vars_set(&vars, "B", "x=y"), 0);
	assert_int_equal(taf_vars_default(&vars, "A", "9"), 0);
	assert_int_equal(taf_vars_default(&vars, "C", ""), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "N%d", i);
		assert_int_equal(taf_vars_set(&vars, name, name), 0);
	}
	assert_string_equal(vars.list[0], "A=1");
	assert_string_equal(vars.list[1], "B=x=y");
	assert_string_equal(vars.list[2], "AB=3");
	assert_string_equal(taf_vars_get(&vars, "C"), "");
	assert_string_equal(taf_vars_get(&vars, "N99"), "N99");
	assert_null(vars.list[vars.n]);
	taf_vars_drop(&vars, "AB");
	assert_null(taf_vars_get(&vars, "AB"));
	assert_string_equal(env[1], "B=2");
	taf_vars_free(&vars);
	/* A value that is replaced stays readable, since it may be what the new one is made of. */
	assert_int_equal(taf_vars_init(&vars, env), 0);
	assert_int_equal(taf_vars_set(&vars, "A", "was"), 0);
	was = taf_vars_get(&vars, "A");
	assert_int_equal(taf_vars_set(&vars, "A", "is"), 0);
	assert_string_equal(was, "was");
	assert_string_equal(taf_vars_get(&vars, "A"), "is");
	taf_vars_free(&vars);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_like_execvp),
		cmocka_unit_test(refuses_like_execvp),
		cmocka_unit_test(follows_interpreters),
		cmocka_unit_test(sees_what_cannot_be_preloaded),
		cmocka_unit_test(survives_bad_headers),
		cmocka_unit_test(explains_by_the_shells_numbers),
		cmocka_unit_test(preload_is_first_and_once),
		cmocka_unit_test(variables_keep_their_order),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
