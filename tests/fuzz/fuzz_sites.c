/* SPDX-License-Identifier: MIT */
/* fuzz_sites.c -- call sites: the variable that a process reads, and the program that is
 * searched for them.
 *
 * The bytes are read as the variable, and as a program; whatever is said of a program
 * must be what a process can read. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cli/sites.h"
#include "../../shim/sites_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number of sites, or -1 where the text is not believed. */
static long read_text(const char *value)
{
	struct taf_sites_text t;
	struct taf_sites_row r;
	uint64_t site, before;
	long n = 0;

	if (!taf_sites_begin(&t, value))
		return -1;
	while (taf_sites_row(&t, &r)) {
		before = 0;
		for (unsigned i = 0; taf_sites_site(&r, &site); i++, n++) {
			if (i >= r.n_sites || (i && site <= before))
				abort();
			before = site;
		}
	}
	return t.fault ? -1 : n;
}

static void read_program(const uint8_t *data, size_t size)
{
	struct taf_object o;
	struct taf_sites s;
	char path[40], *text;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!taf_object_open(path, &o)) {
		if (!taf_sites_scan(&o, &s)) {
			text = taf_sites_text(&s);
			if (text && read_text(text) != (long)s.sites)
				abort();
			free(text);
		}
		taf_sites_close(&s);
		taf_object_close(&o);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;
	char *text;

	if (taf_libelf_open(&why)) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	read_text(text);
	free(text);
	read_program(data, size);
	return 0;
}
