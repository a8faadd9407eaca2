/* SPDX-License-Identifier: MIT */
#include "tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_ROOM 2048

void taf_tell(const char *format, ...)
{
	static const char head[] = "taffrail: ";
	char line[LINE_ROOM];
	size_t used = sizeof(head) - 1;
	va_list args;
	int n;

	memcpy(line, head, used);
	va_start(args, format);
	n = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	used += strlen(line + used);
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return; /* nobody listens, and there is no other place to say it */
}
