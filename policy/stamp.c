/* SPDX-License-Identifier: MIT */
#include "stamp.h"

#include "text.h"

uint64_t taf_moment_age_ms(const struct taf_moment *then, const struct taf_moment *now)
{
	uint64_t age;

	if (!taf_moment_is_set(then))
		return UINT64_MAX;
	if (then->boot && then->boot == now->boot)
		return now->boot_ms > then->boot_ms ? now->boot_ms - then->boot_ms : 0;
	age = now->utc_ms > then->utc_ms ? now->utc_ms - then->utc_ms : 0;
	if (then->boot && now->boot && age < now->boot_ms)
		age = now->boot_ms;
	return age;
}

uint64_t taf_moment_youngest_ms(const struct taf_moment *a, const struct taf_moment *b,
				const struct taf_moment *now)
{
	uint64_t x = taf_moment_age_ms(a, now), y = taf_moment_age_ms(b, now);

	return x < y ? x : y;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint64_t taf_boot_key(const char *boot_id)
{
	uint64_t key = 0;
	int n = 0;

	for (; boot_id && *boot_id && n < 16; boot_id++) {
		int d = digit(*boot_id);

		if (*boot_id == '-')
			continue;
		if (d < 0)
			return 0;
		key = key << 4 | (unsigned)d;
		n++;
	}
	return n == 16 ? key : 0;
}
