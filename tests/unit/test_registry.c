/* SPDX-License-Identifier: MIT */
/* test_registry.c -- the registry that comes along, other ones, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../cli/config_registry.h"

static const struct taf_registry *builtin(void)
{
	return (const void *)taf_registry_builtin;
}

static struct taf_registry *room;
static char told[8192];

static int setup(void **state)
{
	(void)state;
	room = calloc(1, TAF_REGISTRY_MAX);
	return !room;
}

static int teardown(void **state)
{
	(void)state;
	free(room);
	return 0;
}

static void tell(void *ctx, const char *line)
{
	(void)ctx;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s\n", line);
}

/* Compiles that text into room; the complaints are in told. */
static int load(const char *json)
{
	static const char path[] = "registry.json";
	FILE *f = fopen(path, "w");
	int err;

	assert_non_null(f);
	fputs(json, f);
	assert_int_equal(fclose(f), 0);
	told[0] = '\0';
	err = taffrail_registry_load(path, room, TAF_REGISTRY_VERSION, tell, NULL);
	unlink(path);
	return err;
}

static const struct taf_reg_model *model(const char *id)
{
	const struct taf_reg_model *m = taf_registry_find(builtin(), id);

	assert_non_null(m);
	return m;
}

static void test_builtin_is_sound(void **state)
{
	const struct taf_reg_release *v;
	enum taf_reg_table table;
	uint32_t row;
	char buf[256];
	struct taf_text why;

	(void)state;
	taf_text_init(&why, buf, sizeof(buf));
	assert_true(taf_registry_is_valid(builtin(), builtin()->bytes, &why));
	assert_true(taf_registry_agrees(builtin(), &why, &table, &row));
	assert_int_equal(taf_registry_rows(builtin(), TAF_REG_MODEL), 11);
	for (uint32_t i = 0; (v = taf_registry_row(builtin(), TAF_REG_RELEASE, i)); i++)
		if (!TAF_REG_COUNT(v->sources))
			fail_msg("an entry without a source");
}

static void test_models(void **state)
{
	const struct taf_reg_model *gemma = model("mlx-community/gemma-4-31b-it-8bit");
	const struct taf_reg_model *vl = model("mlx-community/qwen3-vl-2b-instruct@0123");

	(void)state;
	assert_int_equal(gemma->tier, TAF_TIER_PANIC);
	assert_string_equal(taf_registry_text(builtin(), gemma->safe),
			    "mlx-community/gemma-4-26b-a4b-it-4bit");
	assert_ptr_equal(model("gemma-4-31b-it-8bit"), gemma);
	assert_ptr_equal(model("mlx-community/Gemma-4-31B-it-8bit"), gemma);
	/* re-quantised, another organisation, a name inside another */
	assert_null(taf_registry_find(builtin(), "mlx-community/gemma-4-31b-it-4bit"));
	assert_null(taf_registry_find(builtin(), "unsloth/gemma-4-31b-it-8bit"));
	assert_null(taf_registry_find(builtin(), "gemma-4-31b-it-8bit-x"));
	assert_null(taf_registry_find(builtin(), "gemma-4"));
	assert_null(taf_registry_find(builtin(), ""));
	assert_null(taf_registry_find(builtin(), NULL));
	assert_null(taf_registry_literal(builtin(), "gemma-4-31b-it-8bit"));
	assert_null(taf_registry_literal(builtin(), NULL));
	/* by GPU */
	assert_true(taf_registry_hits(builtin(), vl, "M5"));
	assert_false(taf_registry_hits(builtin(), vl, "M1"));
	assert_false(taf_registry_hits(builtin(), vl, "sm_90"));
	assert_true(taf_registry_hits(builtin(), vl, NULL));
	assert_true(taf_registry_hits(builtin(), vl, "unknown"));
}

static bool is_hit(const char *package, const char *version)
{
	uint32_t i = 0;

	return taf_registry_release(builtin(), package, version, &i);
}

static void test_versions(void **state)
{
	(void)state;
	assert_true(is_hit("mlx", "0.31.2"));
	assert_true(is_hit("mlx", "0.31.1.dev20260301+abc"));
	assert_false(is_hit("mlx", "0.32.2"));
	assert_false(is_hit("mlx-lm", "0.31.4"));
	assert_true(is_hit("omlx", "0.2.21"));
	assert_true(is_hit("omlx", "0.2.23"));
	assert_false(is_hit("omlx", "0.2.20"));
	assert_true(is_hit("llama.cpp", "b9000"));
	assert_false(is_hit("llama.cpp", "b10500"));
	assert_false(is_hit("llama.cpp", "0.5.0"));
	assert_non_null(taf_registry_workload(builtin(), "mlx_lm_continuous_batching"));
	assert_null(taf_registry_workload(builtin(), "nothing"));
	assert_null(taf_registry_workload(builtin(), NULL));
}

static void test_hardware(void **state)
{
	const uint64_t gb =
		1ull << 30; /* a machine of "16 GB" has a little less than 16 of these */
	const struct taf_reg_hardware *h = taf_registry_hardware(builtin(), 16 * gb);

	(void)state;
	assert_string_equal(taf_registry_text(builtin(), h->name), "low");
	assert_int_equal(h->growth_gb_min, 500);
	h = taf_registry_hardware(builtin(), 16 * gb + 1);
	assert_string_equal(taf_registry_text(builtin(), h->name), "mid");
	h = taf_registry_hardware(builtin(), 500 * gb);
	assert_string_equal(taf_registry_text(builtin(), h->name), "high");
}

#define VERSION_ROW(spec, use) \
	"{\"package\": \"p\", \"spec\": \"" spec "\", \"severity\": \"high\", \"topic\": \"t\", " \
	"\"recommendation\": \"r\", \"use\": \"" use "\", \"sources\": [\"s\"]}"
#define MODEL_ROW(id, more) \
	"{\"id\": \"" id \
	"\", \"tier\": \"abort\", \"error_classes\": [], \"recommendation\": \"r\", " \
	"\"sources\": [\"s\"]" more "}"

static void test_own(void **state)
{
	const struct taf_reg_model *m;

	(void)state;
	assert_int_equal(load("{ // remarks are allowed\n\"_note\": 1, \"models\": [" MODEL_ROW(
				 "Org/Foo-4bit", ", \"_x\": 1") "]}"),
			 0);
	assert_string_equal(told, "");
	assert_true(taf_registry_is_valid(room, room->bytes, NULL));
	m = taf_registry_find(room, "org/foo-4bit");
	assert_non_null(m);
	assert_true(taf_registry_hits(room, m, "M1")); /* it has no classes: whole */
	assert_int_equal(load("{}"), 0);
	assert_int_equal(taf_registry_rows(room, TAF_REG_MODEL), 0);
	assert_null(taf_registry_hardware(room, 1));
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *json, *line;
	} rows[] = {
		{ "[]", "registry.json:1:1: such a file is an object" },
		{ "{\"models\": {}}", "registry.json:1:12: models: it is no list of entries" },
		{ "{\"models\": [1]}", "registry.json:1:13: it is no entry" },
		{ "{\"modles\": []}",
		  "modles: there is no such key; write one of models, versions" },
		{ "{\"models\": [], \"models\": []}", "given before in line 1" },
		{ "{\"models\": [{\"idd\": 1}]}",
		  "idd: there is no such key; write one of id, tier" },
		{ "{\"models\": [{}]}", "registry.json:1:13: this entry has no \"id\"; add it" },
		{ "{\"models\": [{\"id\": 1}]}", "id: it is no text" },
		{ "{\"models\": [{\"id\": \"\"}]}", "id: it says nothing" },
		{ "{\"models\": [{\"tier\": \"worse\"}]}", "tier: \"worse\"" },
		{ "{\"models\": [{\"sources\": [1]}]}", "it is no text" },
		{ "{\"models\": [{\"sources\": \"s\"}]}", "sources: it is no list" },
		{ "{\"versions\": [{\"spec\": \"0.1\"}]}", "spec: \"0.1\" begins with none of ==" },
		{ "{\"versions\": [{\"use\": \"x\"}]}", "use: it is no version" },
		{ "{\"versions\": [{\"block\": 1}]}", "block: it is neither; write true or false" },
		{ "{\"hardware_tiers\": [{\"warn_pct\": -1}]}", "warn_pct: it is no number" },
		{ "{\"hardware_tiers\": [{\"warn_pct\": 1e30}]}", "warn_pct: it is no number" },
		{ "{\"models\": [", "registry.json:1:13:" },
		/* contradictions */
		{ "{\"versions\": [" VERSION_ROW("<2", "1.9") "]}",
		  "registry.json:1:15: it advises 1.9, which falls under <2" },
		{ "{\"versions\": [" VERSION_ROW("==1", "2") ",\n" VERSION_ROW("==2", "3") "]}",
		  "registry.json:1:15: it advises 2, which falls under ==2" },
		{ "{\"models\": [" MODEL_ROW(
			  "a/b", ", \"safe_alternative\": \"a/C\"") ",\n" MODEL_ROW("a/c", "") "]}",
		  "a/C is no safe_alternative" },
		{ "{\"models\": [" MODEL_ROW("a/b", "") ",\n" MODEL_ROW("a/B", "") "]}",
		  "registry.json:2:1: a/B is listed twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (load(rows[i].json) != -22 || !strstr(told, rows[i].line))
			fail_msg("%s: %s", rows[i].json, told);
	assert_int_equal(
		taffrail_registry_load("none.json", room, TAF_REGISTRY_VERSION, tell, NULL), -2);
	assert_int_equal(taffrail_registry_load("none.json", room, 0, tell, NULL), -71);
}

/* Every byte changed, and every length: never believed. */
static void test_damage(void **state)
{
	uint32_t n = builtin()->bytes;
	unsigned char *bytes = (unsigned char *)room;

	(void)state;
	memcpy(bytes, builtin(), n);
	for (uint32_t i = 0; i < n; i++) {
		bytes[i] ^= 0x41;
		if (taf_registry_is_valid(room, n, NULL))
			fail_msg("byte %u", i);
		bytes[i] ^= 0x41;
		i += i > 400 ? 96 : 0;
	}
	assert_true(taf_registry_is_valid(room, n, NULL));
	assert_false(taf_registry_is_valid(room, n - 8, NULL));
	assert_false(taf_registry_is_valid(room, n + 8, NULL));
	assert_false(taf_registry_is_valid(room, 8, NULL));
}

/* Sealed by somebody who meant it: offsets that lead out of it. */
static void test_hostile(void **state)
{
	uint32_t n = builtin()->bytes, *cell;

	(void)state;
	for (uint32_t t = 0; t < TAF_REG_TABLES; t++)
		for (uint32_t i = 0; i < taf_reg_form((enum taf_reg_table)t)->n; i++) {
			uint8_t kind = taf_reg_form((enum taf_reg_table)t)->columns[i].kind;

			if (kind == TAF_REG_NUM_KIND)
				continue;
			memcpy(room, builtin(), n);
			cell = (void *)((char *)room + room->table[t].at);
			cell[i] = 0xffffffff;
			taf_registry_seal(room);
			if (taf_registry_is_valid(room, n, NULL))
				fail_msg("table %u column %u", t, i);
		}
	memcpy(room, builtin(), n);
	room->table[TAF_REG_MODEL].n = 0x10000000;
	taf_registry_seal(room);
	assert_false(taf_registry_is_valid(room, n, NULL));
	memcpy(room, builtin(), n);
	room->texts_n += 8;
	taf_registry_seal(room);
	assert_false(taf_registry_is_valid(room, n, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin_is_sound),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_hardware),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
