/* SPDX-License-Identifier: MIT */
#include "maps.h"

#include "../policy/text.h"
#include "sys_file.h"

#define LIST_BYTES (8u << 20)
#define REST 1000 /* a reading is followed by so many times what it took */

static uint64_t known, known_pages, rest_until_ns;

/* Pages of address space; 0 unknown. */
static uint64_t count_pages(void)
{
	char buf[64];
	int fd = taf_sys_open_any("/proc/self/statm");
	int64_t got = fd < 0 ? 0 : taf_sys_read(fd, buf, sizeof(buf) - 1);
	uint64_t pages = 0;

	if (fd >= 0)
		taf_sys_close(fd);
	buf[got > 0 ? got : 0] = '\0';
	taf_read_u64(buf, NULL, &pages);
	return pages;
}

static uint64_t count_lines(void)
{
	char buf[1024];
	int fd = taf_sys_open_any("/proc/self/maps");
	uint64_t n = 0, bytes = 0;
	int64_t got;

	while (fd >= 0 && bytes < LIST_BYTES && (got = taf_sys_read(fd, buf, sizeof(buf))) > 0) {
		bytes += (uint64_t)got;
		for (int64_t i = 0; i < got; i++)
			n += buf[i] == '\n';
	}
	if (fd >= 0)
		taf_sys_close(fd);
	return n;
}

uint64_t taf_maps_count(uint64_t most)
{
	uint64_t now = taf_sys_mono_ns(), pages = count_pages(), done;

	if (known && (now < rest_until_ns || (pages == known_pages && known < most / 2)))
		return known;
	known = count_lines();
	known_pages = pages;
	done = taf_sys_mono_ns();
	rest_until_ns = done + (done - now) * REST;
	return known;
}
