/* SPDX-License-Identifier: MIT */
#include "say.h"

#include "sys.h"

#define ROOM 512 /* POSIX writes this much to a pipe in one piece */

void taf_say(const struct taf_text *line)
{
	char buf[ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf) - 1); /* one more for the end of the line */
	taf_text_put(&t, "taffrail: ");
	for (size_t i = 0; i < line->used; i++) {
		unsigned char c = (unsigned char)line->start[i];

		taf_text_char(&t, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	buf[t.used] = '\n';
	taf_sys_write(2, buf, t.used + 1);
}
