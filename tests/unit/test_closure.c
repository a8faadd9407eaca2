/* SPDX-License-Identifier: MIT */
/* test_closure.c -- the loader's search, and damaged files.
 *
 * The programs and libraries are made by sketch.h.  Without libelf the tests
 * are skipped.
 */
#include "sketch.h"

static void need_libelf(void)
{
	const char *why;

	if (taf_libelf_open(&why)) {
		print_message("%s\n", why);
		skip();
	}
}

static struct taf_closure found;

static void walk(const struct taf_closure_how *how)
{
	assert_int_equal(taf_closure_walk(in_top("exe"), how, &found), 0);
}

/* Where name was found, relative to top; "" when it is lost, "-" when nobody asked. */
static const char *where(const char *name)
{
	for (size_t i = 1; i < found.n; i++)
		if (!strcmp(found.libs[i].name, name))
			return found.libs[i].path + strlen(top) + 1;
	for (size_t i = 0; i < found.n_lost; i++)
		if (!strcmp(found.lost[i].name, name))
			return "";
	return "-";
}

static void origin_is_expanded(void **state)
{
	(void)state;
	need_libelf();
	FRESH("lib", "both");
	MAKE("exe", .needed = { "liba.so", "libb.so", "libc1.so" },
	     .runpath = "$ORIGIN/lib:${ORIGIN}/both:$ORIGINS");
	MAKE("lib/liba.so", .needed = { "libdeep.so" }, .runpath = "$ORIGIN/../both");
	MAKE("both/libb.so", .needed = { NULL });
	MAKE("both/libdeep.so", .needed = { "liba.so" });
	walk(&(struct taf_closure_how){ .default_dirs = "/nowhere" });
	assert_string_equal(where("liba.so"), "lib/liba.so");
	assert_string_equal(where("libb.so"), "both/libb.so");
	assert_string_equal(where("libdeep.so"), "lib/../both/libdeep.so");
	assert_string_equal(where("libc1.so"), "");
	assert_int_equal(found.n, 4);
	assert_int_equal(found.n_lost, 1);
	assert_int_equal(found.lost[0].by, 0);
	taf_closure_close(&found);
}

static void rpath_is_inherited_runpath_is_not(void **state)
{
	(void)state;
	need_libelf();
	FRESH("one");
	MAKE("exe", .needed = { "liba.so" }, .rpath = "$ORIGIN/one");
	MAKE("one/liba.so", .needed = { "libb.so" });
	MAKE("one/libb.so", .needed = { NULL });
	walk(&(struct taf_closure_how){ .default_dirs = "/nowhere" });
	assert_string_equal(where("libb.so"), "one/libb.so");
	taf_closure_close(&found);
	MAKE("exe", .needed = { "liba.so" }, .runpath = "$ORIGIN/one");
	walk(&(struct taf_closure_how){ .default_dirs = "/nowhere" });
	assert_string_equal(where("liba.so"), "one/liba.so");
	assert_string_equal(where("libb.so"), "");
	taf_closure_close(&found);
	/* A RUNPATH of its own turns every RPATH off. */
	MAKE("exe", .needed = { "liba.so" }, .rpath = "$ORIGIN/one");
	MAKE("one/liba.so", .needed = { "libb.so" }, .runpath = "/nowhere");
	walk(&(struct taf_closure_how){ .default_dirs = "/nowhere" });
	assert_string_equal(where("libb.so"), "");
	taf_closure_close(&found);
}

static void order_is_the_loaders(void **state)
{
	struct taf_closure_how how = { .default_dirs = "/nowhere" };
	char by_env[512], by_default[512];

	(void)state;
	need_libelf();
	FRESH("rpath", "env", "runpath", "default");
	for (int i = 0; i < 4; i++) {
		static const char *const places[] = { "rpath", "env", "runpath", "default" };
		char name[64];

		snprintf(name, sizeof(name), "%s/liba.so", places[i]);
		MAKE(name, .needed = { NULL });
	}
	snprintf(by_env, sizeof(by_env), "%s", in_top("env"));
	snprintf(by_default, sizeof(by_default), "%s", in_top("default"));
	how.library_path = by_env;
	MAKE("exe", .needed = { "liba.so" }, .rpath = "$ORIGIN/rpath");
	walk(&how);
	assert_string_equal(where("liba.so"), "rpath/liba.so");
	taf_closure_close(&found);
	MAKE("exe", .needed = { "liba.so" }, .runpath = "$ORIGIN/runpath");
	walk(&how);
	assert_string_equal(where("liba.so"), "env/liba.so");
	taf_closure_close(&found);
	how.library_path = NULL;
	how.default_dirs = by_default;
	walk(&how);
	assert_string_equal(where("liba.so"), "runpath/liba.so");
	taf_closure_close(&found);
	MAKE("exe", .needed = { "liba.so" });
	walk(&how);
	assert_string_equal(where("liba.so"), "default/liba.so");
	taf_closure_close(&found);
	MAKE("exe", .needed = { "liba.so" }, .flags_1 = DF_1_NODEFLIB);
	walk(&how);
	assert_string_equal(where("liba.so"), "");
	taf_closure_close(&found);
}

static void strangers_are_passed_over(void **state)
{
	struct taf_closure_how how = { .default_dirs = "/nowhere" };
	char list[1200];

	(void)state;
	need_libelf();
	FRESH("other", "junk", "good");
	MAKE("other/liba.so", .machine = EM_S390);
	MAKE("junk/liba.so", .type = ET_EXEC);
	put_file(in_top("junk/libb.so"), "no library", 10);
	assert_int_equal(mkdir(in_top("other/libb.so"), 0700), 0);
	MAKE("good/liba.so", .needed = { NULL });
	MAKE("good/libb.so", .needed = { NULL });
	MAKE("exe", .needed = { "liba.so", "libb.so" });
	snprintf(list, sizeof(list), "%s:%s;%s", in_top("other"), in_top("junk"), in_top("good"));
	how.library_path = list;
	walk(&how);
	assert_string_equal(where("liba.so"), "good/liba.so");
	assert_string_equal(where("libb.so"), "good/libb.so");
	taf_closure_close(&found);
}

static void one_object_is_seen_once(void **state)
{
	char deep[300];

	(void)state;
	need_libelf();
	FRESH("lib");
	snprintf(deep, sizeof(deep), "%s/lib/libreal.so", top);
	MAKE("exe", .needed = { "liba.so", "libalias.so", "libreal.so.1", deep },
	     .runpath = "$ORIGIN/lib");
	MAKE("lib/liba.so", .needed = { "liba.so", "libreal.so.1" }, .runpath = "$ORIGIN");
	MAKE("lib/libreal.so", .soname = "libreal.so.1");
	assert_int_equal(symlink("libreal.so", in_top("lib/libalias.so")), 0);
	walk(&(struct taf_closure_how){ .default_dirs = "/nowhere" });
	assert_int_equal(found.n, 3);
	assert_int_equal(found.n_lost, 0);
	assert_string_equal(where("libalias.so"), "lib/libalias.so");
	taf_closure_close(&found);
}

static void count_visit(void *ctx, struct taf_lib *lib, size_t index)
{
	unsigned *visits = ctx;

	assert_non_null(lib->object.elf);
	assert_true(index == 0 || lib->object.type == ET_DYN);
	(*visits)++;
}

static bool count_symbol(void *ctx, const struct taf_symbol *s)
{
	unsigned *seen = ctx;

	*seen |= !strcmp(s->name, "llama_decode") && !s->is_defined ? 1u : 0;
	*seen |= !strcmp(s->name, "own_name") && s->is_defined ? 2u : 0;
	return true;
}

static void symbols_need_no_sections(void **state)
{
	struct taf_object o;
	unsigned seen = 0, visits = 0;

	(void)state;
	need_libelf();
	FRESH("lib");
	MAKE("exe", .needed = { "liba.so" }, .runpath = "$ORIGIN/lib", .interp = "/lib/ld.so",
	     .flags_1 = DF_1_PIE | DF_1_NOW);
	MAKE("lib/liba.so", .needed = { NULL });
	walk(&(struct taf_closure_how){ .visit = count_visit, .ctx = &visits });
	taf_closure_close(&found);
	assert_int_equal(visits, 2);
	assert_int_equal(taf_object_open(in_top("exe"), &o), 0);
	assert_int_equal(taf_object_symbols(&o, TAF_SYMS_DYNAMIC, count_symbol, &seen), 2);
	assert_int_equal(seen, 3);
	assert_int_equal(taf_object_symbols(&o, TAF_SYMS_STATIC, count_symbol, &seen), 0);
	assert_string_equal(o.interp, "/lib/ld.so");
	assert_true(o.is_pie && o.is_now && o.has_dynamic && !o.is_symbolic && !o.is_go);
	taf_object_close(&o);
}

static void refuses(const char *what, const void *data, size_t n)
{
	struct taf_object o;

	put_file(in_top("bad"), data, n);
	if (!taf_object_open(in_top("bad"), &o))
		fail_msg("%s was taken for a sound file", what);
	assert_true(o.fault[0]);
}

static void damage_is_named(void **state)
{
	struct sketch k = { .needed = { "liba.so" }, .interp = "/lib/ld.so" };
	struct image m;

	(void)state;
	need_libelf();
	FRESH("x");
	refuses("nothing", "", 0);
	refuses("text", "hello, this is no program", 25);
	fill(&m, &k);
	refuses("half a file", &m, sizeof(m) / 2);
	m.head.e_phnum = 0xfffe;
	refuses("a huge program header table", &m, sizeof(m));
	fill(&m, &k);
	m.head.e_phoff = UINT64_MAX - 8;
	refuses("program headers behind the end", &m, sizeof(m));
	fill(&m, &k);
	m.segments[1].p_filesz = UINT64_MAX / 2;
	refuses("a huge dynamic segment", &m, sizeof(m));
	fill(&m, &k);
	m.segments[2].p_offset = sizeof(m) - 2;
	refuses("a loader's name behind the end", &m, sizeof(m));
	fill(&m, &k);
	m.dynamic[0].d_un.d_val = sizeof(m.strings) + 5;
	refuses("a name behind the strings", &m, sizeof(m));
	fill(&m, &k);
	memset(m.strings, 'x', sizeof(m.strings));
	refuses("strings without an end", &m, sizeof(m));
	fill(&m, &k);
	m.segments[0].p_filesz = m.segments[0].p_memsz = UINT64_MAX - 3;
	refuses("a segment of 16 EiB", &m, sizeof(m));
}

static void try_bytes(const void *data, size_t n)
{
	struct taf_closure_how how = { .default_dirs = "/nowhere" };
	struct taf_object o;
	unsigned seen = 0;

	put_file(in_top("bad"), data, n);
	if (!taf_object_open(in_top("bad"), &o)) {
		taf_object_symbols(&o, TAF_SYMS_DYNAMIC, count_symbol, &seen);
		taf_object_symbols(&o, TAF_SYMS_STATIC, count_symbol, &seen);
		taf_object_close(&o);
	}
	taf_closure_walk(in_top("bad"), &how, &found);
	taf_closure_close(&found);
}

static void damage_never_crashes(void **state)
{
	struct sketch k = { .needed = { "liba.so" }, .interp = "/lib/ld.so", .rpath = "$ORIGIN" };
	struct image m;
	unsigned char *bytes = (unsigned char *)&m;

	(void)state;
	need_libelf();
	FRESH("x");
	fill(&m, &k);
	for (size_t n = 0; n < sizeof(m); n += n < 700 ? 1 : 97)
		try_bytes(&m, n);
	srand(20261121);
	for (int i = 0; i < 3000; i++) {
		fill(&m, &k);
		for (int flips = 1 + rand() % 4; flips; flips--)
			bytes[(size_t)rand() % offsetof(struct image, strings)] =
				(unsigned char)rand();
		try_bytes(&m, sizeof(m));
	}
}

static void cache_comes_before_default(void **state)
{
	struct cache_entry e = { "liba.so", NULL, FLAGS, 0 };
	struct taf_closure_how how = { .cache = NULL };
	struct cache_file f;
	struct taf_ldcache c;
	char path[300], by_default[512];

	(void)state;
	need_libelf();
	FRESH("cached", "default");
	MAKE("cached/liba.so", .needed = { NULL });
	MAKE("default/liba.so", .needed = { NULL });
	MAKE("exe", .needed = { "liba.so" });
	snprintf(path, sizeof(path), "%s/cached/liba.so", top);
	e.path = path;
	make_cache(&f, &e, 1, false);
	assert_int_equal(open_cache(&f, &c), 0);
	how.cache = &c;
	snprintf(by_default, sizeof(by_default), "%s", in_top("default"));
	how.default_dirs = by_default;
	walk(&how);
	assert_string_equal(where("liba.so"), "cached/liba.so");
	taf_closure_close(&found);
	unlink(path);
	walk(&how);
	assert_string_equal(where("liba.so"), "default/liba.so");
	taf_closure_close(&found);
	taf_ldcache_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origin_is_expanded),
		cmocka_unit_test(rpath_is_inherited_runpath_is_not),
		cmocka_unit_test(order_is_the_loaders),
		cmocka_unit_test(strangers_are_passed_over),
		cmocka_unit_test(one_object_is_seen_once),
		cmocka_unit_test(symbols_need_no_sections),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(damage_never_crashes),
		cmocka_unit_test(cache_comes_before_default),
	};

	return cmocka_run_group_tests(tests, taf_sketch_begin, taf_sketch_end);
}
