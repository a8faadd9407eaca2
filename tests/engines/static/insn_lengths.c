/* SPDX-License-Identifier: MIT */
/* insn_lengths.c -- holds lengths of instructions against what a disassembler says.
 *
 * Reads lines of bytes in hexadecimal, one instruction each, and says how many
 * cli/insn.h takes for longer or shorter; insn.sh makes the lines. */
#include <stdio.h>
#include <string.h>

#include "../../../cli/insn.h"

int main(void)
{
	unsigned long n = 0, wrong = 0;
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		/* What lies behind it in the program is not to matter. */
		unsigned char bytes[32];
		unsigned length = 0, byte;
		struct taf_insn insn;
		int used;

		memset(bytes, 0x90, sizeof(bytes));
		for (const char *s = line; length < 16 && sscanf(s, "%2x%n", &byte, &used) == 1;
		     s += used)
			bytes[length++] = (unsigned char)byte;
		n++;
		if (taf_insn_read(bytes, sizeof(bytes), 0, &insn) != length && wrong++ < 10)
			printf("not %u bytes: %s", length, line);
	}
	printf("%lu instructions, %lu wrong\n", n, wrong);
	return wrong != 0;
}
