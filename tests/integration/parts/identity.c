/* SPDX-License-Identifier: MIT */
/* identity.c -- what tells CUDA's runtime which device and driver it has: for each function of
 * argv, the file in which it lies that the program gets by dlsym, and by the driver's own look-up
 * in both forms; "none" where there is none.  Then what the functions say. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *driver;

/* All of these take what fits registers, and give a number. */
typedef int any_fn(const void *, const void *, uint64_t, uint64_t, const void *);

static any_fn *function(const char *name)
{
	void *p = dlsym(driver, name);
	any_fn *f;

	memcpy(&f, &p, sizeof(f));
	return f;
}

static const char *file_of(const void *p)
{
	Dl_info i;

	if (!p || !dladdr(p, &i))
		return "none";
	return strrchr(i.dli_fname, '/') ? strrchr(i.dli_fname, '/') + 1 : i.dli_fname;
}

static void look_up(const char *name)
{
	any_fn *first = function("cuGetProcAddress"), *second = function("cuGetProcAddress_v2");
	void *by_first = NULL, *by_second = NULL;
	int found = 0;

	if (!first || !second)
		exit(92);
	first(name, &by_first, 11080, 0, NULL);
	second(name, &by_second, 12000, 0, &found);
	printf("%s %s %s %s\n", name, file_of(dlsym(driver, name)), file_of(by_first),
	       file_of(by_second));
}

static void tell(void)
{
	char name[128] = "", uuid[16] = "";
	size_t bytes = 0;
	const void *table = NULL;
	int version = 0, units = 0;

	printf("init %d\n", function("cuInit")(NULL, NULL, 0, 0, NULL));
	printf("version %d", function("cuDriverGetVersion")(&version, NULL, 0, 0, NULL));
	printf(" %d\n", version);
	printf("name %d", ((int (*)(char *, int, int))function("cuDeviceGetName"))(name, 128, 0));
	printf(" %s\n", name);
	printf("uuid %d", ((int (*)(char *, int))function("cuDeviceGetUuid_v2"))(uuid, 0));
	for (int i = 0; i < 16; i++)
		printf(" %02x", (unsigned char)uuid[i]);
	printf("\nbytes %d", ((int (*)(size_t *, int))function("cuDeviceTotalMem_v2"))(&bytes, 0));
	printf(" %zu\n", bytes);
	printf("units %d",
	       ((int (*)(int *, int, int))function("cuDeviceGetAttribute"))(&units, 16, 0));
	printf(" %d\n", units);
	printf("table %d", function("cuGetExportTable")(&table, uuid, 0, 0, NULL));
	printf(" %s\n", file_of(table));
}

int main(int argc, char **argv)
{
	driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!driver)
		return 91;
	for (int i = 1; i < argc; i++)
		look_up(argv[i]);
	tell();
	return 0;
}
