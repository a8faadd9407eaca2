/* SPDX-License-Identifier: MIT */
/* test_sha256.c -- the vectors of FIPS 180-4, and every length round a block's end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/sha256.h"

static void vectors(void **state)
{
	static const struct {
		const char *text, *digest;
	} known[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
		  "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};
	char hex[TAF_SHA256_HEX];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		taf_sha256_hex(known[i].text, strlen(known[i].text), hex);
		assert_string_equal(hex, known[i].digest);
	}
}

static void a_million(void **state)
{
	static char text[1000000];
	char hex[TAF_SHA256_HEX];

	(void)state;
	memset(text, 'a', sizeof(text));
	taf_sha256_hex(text, sizeof(text), hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The digest of the digests of 0..199 bytes of 'a', computed by another implementation. */
static void lengths(void **state)
{
	uint8_t all[200][TAF_SHA256_BYTES];
	char text[200], hex[TAF_SHA256_HEX];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t n = 0; n < 200; n++)
		taf_sha256(text, n, all[n]);
	taf_sha256_hex(all, sizeof(all), hex);
	assert_string_equal(hex,
			    "752c007f38611cfbf5fa42cb1cea3d8e086491c844d0cc4defd632cb81423506");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(a_million),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
