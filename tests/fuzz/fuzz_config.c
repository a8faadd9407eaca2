/* SPDX-License-Identifier: MIT */
/* fuzz_config.c -- any bytes as a policy file, and as TAFFRAIL_SET.
 *
 * Whatever comes in: no crash, a policy that is valid, every value inside its
 * range (it shows as text that reads back), and a line for every mistake.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cli/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void count(void *ctx, const char *line)
{
	unsigned *told = ctx;

	++*told;
	if (!*line || strchr(line, '\n'))
		abort();
}

static void check_rules(const struct taf_rules *r)
{
	static char value[32768];
	static struct taf_rules again;

	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		struct taf_text t;

		taf_text_init(&t, value, sizeof(value));
		taf_rules_show(r, i, &t);
		if (t.is_cut || taf_rules_set(&again, taf_rule_info(i)->path, value, NULL))
			abort();
	}
}

static void as_set(const uint8_t *data, size_t n)
{
	char *text = calloc(n + 1, 1);
	static struct taf_rules r;

	if (!text)
		return;
	memcpy(text, data, n);
	taf_rules_default(&r);
	taf_rules_set_many(&r, text, NULL, NULL);
	check_rules(&r);
	free(text);
}

static void as_file(const uint8_t *data, size_t n)
{
	static struct taf_policy policy;
	char path[64];
	unsigned told = 0;
	int fd = memfd_create("policy", MFD_CLOEXEC), err;

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	strcpy(path, "/proc/self/fd/");
	path[14] = (char)('0' + fd / 10);
	path[15] = (char)('0' + fd % 10);
	path[16] = '\0';
	memmove(path + 14, path + 14 + (fd < 10), 3);
	err = taffrail_policy_load(path, &policy, sizeof(policy), TAF_POLICY_VERSION, count, &told);
	close(fd);
	if ((err && !policy.n_bad) || (policy.n_bad && !told) ||
	    !taf_policy_is_valid(&policy, taf_policy_bytes(&policy), NULL))
		abort();
	check_rules(&policy.base);
	for (uint32_t i = 0; i < policy.n_profiles; i++)
		check_rules(&policy.profiles[i].rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 65536)
		return 0;
	as_file(data, n);
	as_set(data, n);
	return 0;
}
