/* SPDX-License-Identifier: MIT */
/* fuzz_registry.c -- any bytes as a registry: its text, compiled, and as names and versions.
 *
 * Whatever comes in: no crash; a text gives a registry that is valid and agrees
 * with itself, or a line for every mistake; of compiled bytes that pass the check
 * every row can be read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cli/config_registry.h"
#include "../../policy/family.h"
#include "../../policy/size.h"
#include "../../policy/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct taf_registry *room; /* TAF_REGISTRY_MAX bytes */

static void count(void *ctx, const char *line)
{
	unsigned *told = ctx;

	++*told;
	if (!*line || strchr(line, '\n'))
		abort();
}

static size_t length_of(const struct taf_registry *r, uint32_t text)
{
	return strlen(taf_registry_text(r, text));
}

/* Reads all that a reader would. */
static void walk(const struct taf_registry *r, const char *name)
{
	const struct taf_reg_model *m;
	const char *s;
	size_t sum = 0;
	uint32_t k = 0;

	for (uint32_t i = 0; (m = taf_registry_row(r, TAF_REG_MODEL, i)); i++) {
		sum += length_of(r, m->id) + length_of(r, m->advice);
		for (uint32_t l = 0; (s = taf_registry_line(r, m->sources, l)); l++)
			sum += strlen(s);
		taf_registry_hits(r, m, name);
	}
	taf_registry_find(r, name);
	taf_registry_workload(r, name);
	taf_registry_hardware(r, sum);
	while (taf_registry_release(r, "mlx", name, &k))
		;
}

static void as_text(const uint8_t *data, size_t n, const char *name)
{
	char path[40];
	unsigned told = 0;
	int fd = memfd_create("registry", MFD_CLOEXEC), err;
	enum taf_reg_table table;
	uint32_t row;
	char why[512];
	struct taf_text t;

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = taffrail_registry_load(path, room, TAF_REGISTRY_VERSION, count, &told);
	close(fd);
	if (!err == !!told)
		abort();
	if (err)
		return;
	taf_text_init(&t, why, sizeof(why));
	if (!taf_registry_is_valid(room, room->bytes, NULL) ||
	    !taf_registry_agrees(room, &t, &table, &row))
		abort();
	walk(room, name);
}

/* As a compiled one, once as it is and once with a head that fits. */
static void as_blob(const uint8_t *data, size_t n, const char *name)
{
	n &= ~(size_t)7;
	memcpy(room, data, n);
	if (taf_registry_is_valid(room, n, NULL))
		walk(room, name);
	if (n < sizeof(*room))
		return;
	room->bytes = (uint32_t)n;
	taf_registry_seal(room);
	if (taf_registry_is_valid(room, n, NULL))
		walk(room, name);
}

static void as_name(const char *name)
{
	char buf[128];
	struct taf_text t;
	uint64_t bytes;

	taf_text_init(&t, buf, sizeof(buf));
	taf_gpu_family(name, &t);
	taf_family_of(name);
	taf_family_is_literal(TAF_FAMILY_GEMMA_4, name);
	taf_size(name, 0, &bytes);
}

static void as_version(const char *name)
{
	const char *behind = strchr(name, '\n');
	char version[64] = "";

	if (behind && behind - name < (long)sizeof(version))
		memcpy(version, name, (size_t)(behind - name));
	if (taf_version_compare(version, version) % 2 ||
	    (taf_version_is_valid(version) && taf_version_compare(version, version)))
		abort();
	if (taf_version_matches(version, behind ? behind + 1 : name) &&
	    !taf_spec_is_valid(behind ? behind + 1 : name, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *name;

	if (n > 65536)
		return 0;
	room = room ? room : calloc(1, TAF_REGISTRY_MAX);
	name = calloc(n + 1, 1);
	if (!room || !name)
		abort();
	memcpy(name, data, n);
	as_text(data, n, name);
	as_blob(data, n, name);
	as_name(name);
	as_version(name);
	free(name);
	return 0;
}
