/* SPDX-License-Identifier: MIT */
/* load_hints.c -- the words of this process, read once: a program may write over them. */
#include "life.h"
#include "load_size.h"

/* Written once, by the thread that sees the first load. */
static struct taf_model_hints hints;
static _Atomic(uint32_t) hints_are; /* 0 nothing, 1 being read, 2 there */

const struct taf_model_hints *taf_load_hints(void)
{
	static const struct taf_model_hints none;
	uint32_t nothing = 0;

	if (atomic_compare_exchange_strong(&hints_are, &nothing, 1)) {
		taf_model_hint_argv(taf_argc, taf_argv, &hints);
		taf_model_hint_env(taf_env_now, &hints);
		atomic_store(&hints_are, 2);
	}
	return atomic_load(&hints_are) == 2 ? &hints : &none;
}

void taf_load_hints_forget(void)
{
	uint32_t reading = 1;

	atomic_compare_exchange_strong(&hints_are, &reading, 0);
}
