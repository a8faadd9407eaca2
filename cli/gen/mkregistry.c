/* SPDX-License-Identifier: MIT */
/* mkregistry.c -- compiles policy/registry.json into a table in C, while building.
 *
 *   mkregistry policy/registry.json >registry.c
 *
 * Runs on the machine that builds.  Both that one and the one that will run the
 * result are little-endian, so the words can be printed as they are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../config_registry.h"

static void say(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

int main(int argc, char **argv)
{
	struct taf_registry *r = calloc(1, TAF_REGISTRY_MAX);
	const uint64_t *word = (const void *)r;

	if (argc != 2 || !r ||
	    taffrail_registry_load(argv[1], r, TAF_REGISTRY_VERSION, say, NULL)) {
		free(r);
		return 1;
	}
	printf("/* Made from %s: see policy/registry.h. */\n"
	       "#include \"policy/registry.h\"\n\n"
	       "const uint64_t taf_registry_builtin[] = {",
	       argv[1]);
	for (uint32_t i = 0; i < r->bytes / 8; i++)
		printf("%s0x%" PRIx64 "u,", i % 6 ? " " : "\n\t", word[i]);
	printf("\n};\n");
	free(r);
	return 0;
}
