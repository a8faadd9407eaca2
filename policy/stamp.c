/* SPDX-License-Identifier: MIT */
#include "stamp.h"

#include "text.h"

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
