/* SPDX-License-Identifier: MIT */
#include "thrown.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/text.h"

/* Who threw, and what: "GNUC" or "CLNG", "C++", 0 or 1. With 1 it is an exception that is
 * thrown again, by pointer: GNU's has that in the place of the type, LLVM's before it. */
#define GNU 0x474e5543u
#define LLVM 0x434c4e47u
#define OBJECT 0x432b2b00u
#define POINTER 0x432b2b01u

#define UNWINDER_BYTES 32 /* of struct _Unwind_Exception */
#define TYPE_WORDS 10 /* from the type to the unwinder's part */
#define NAME_BIT (1ull << 63) /* on Apple's arm64: the name is not unique */
#define WHAT 2 /* behind two destructors */

/* Each has what() at that place, and does nothing there but give out its text. */
static const char standard[][28] = {
	"St9exception",
	"St9bad_alloc",
	"St20bad_array_new_length",
	"St11logic_error",
	"St12domain_error",
	"St16invalid_argument",
	"St12length_error",
	"St12out_of_range",
	"St13runtime_error",
	"St11range_error",
	"St14overflow_error",
	"St15underflow_error",
	"St12system_error",
	"St12future_error",
	"St17bad_function_call",
	"St18bad_variant_access",
	"St19bad_optional_access",
	"St8bad_cast",
	"NSt3__112system_errorE",
};

static const void *word(const void *at, ptrdiff_t i)
{
	const void *p;

	__builtin_memcpy(&p, (const char *)at + i * (ptrdiff_t)sizeof(p), sizeof(p));
	return p;
}

static const void *object_of(const void *exception)
{
	uint64_t what;

	__builtin_memcpy(&what, exception, sizeof(what));
	if (what >> 32 != GNU && what >> 32 != LLVM)
		return NULL;
	if ((uint32_t)what == OBJECT)
		return (const char *)exception + UNWINDER_BYTES;
	if ((uint32_t)what != POINTER)
		return NULL;
	return word(exception, what >> 32 == LLVM ? -TYPE_WORDS - 1 : -TYPE_WORDS);
}

/* Of its object. */
static const char *type_of(const void *object)
{
	const void *type = word((const char *)object - UNWINDER_BYTES, -TYPE_WORDS);
	union {
		const void *p;
		uint64_t n;
		const char *s;
	} name = { .p = type ? word(type, 1) : NULL };

	name.n &= ~NAME_BIT;
	return name.s;
}

static bool is_standard(const char *type)
{
	for (size_t i = 0; type && i < sizeof(standard) / sizeof(*standard); i++)
		if (taf_same(type, standard[i]))
			return true;
	return false;
}

const char *taf_thrown_type(const void *exception)
{
	const void *object = exception ? object_of(exception) : NULL;

	return object ? type_of(object) : NULL;
}

const char *taf_thrown_text(const void *exception)
{
	const void *object = exception ? object_of(exception) : NULL;
	union {
		const void *p;
		const char *(*what)(const void *object);
	} u;

	if (!object || !is_standard(type_of(object)))
		return NULL;
	u.p = word(word(object, 0), WHAT);
	return u.what(object);
}
