/* SPDX-License-Identifier: MIT */
/* host_machine.c -- which kernel, which boot, which machine, which drivers.
 *
 * All from small files: asking a driver through its library would wake a GPU
 * that may just have taken the machine down.
 */
#include "host.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRM "/sys/class/drm"
#define GPUS_MAX 16

static void look_kernel(struct taf_host_look *l)
{
	char version[128];

	taf_host_line(l, "/proc/sys/kernel/version", version, sizeof(version));
	if (l->host.kernel[0])
		taf_findings_add(&l->findings, TAF_SORT_OK, "kernel", "%s %s", l->host.kernel,
				 version);
	else
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "kernel",
				 "%s/proc/sys/kernel/osrelease cannot be read; %s", l->root,
				 *l->root ? "is that the root of a machine?" : "mount /proc");
}

static void look_ids(struct taf_host_look *l)
{
	char line[64];

	taf_host_line(l, "/proc/sys/kernel/random/boot_id", line, sizeof(line));
	if (strlen(line) == 36)
		taf_findings_add(&l->findings, TAF_SORT_OK, "boot-id", "%s", line);
	else
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "boot-id",
				 "%s/proc/sys/kernel/random/boot_id cannot be read, so a panic "
				 "cannot be told from a kill; %s",
				 l->root,
				 *l->root ? "is that the root of a machine?" : "mount /proc");
	taf_host_line(l, "/etc/machine-id", line, sizeof(line));
	if (strlen(line) == 32)
		taf_findings_add(&l->findings, TAF_SORT_OK, "machine-id", "%s", line);
	else
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "machine-id",
				 "there is none in %s/etc/machine-id, so a boot that ended badly "
				 "may have been another machine's; run systemd-machine-id-setup, "
				 "in a container mount the host's /etc/machine-id",
				 l->root);
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu..." */
static void look_nvidia(struct taf_host_look *l, unsigned *n)
{
	char line[160], *version = line;

	taf_host_line(l, "/proc/driver/nvidia/version", line, sizeof(line));
	for (; *version; version++)
		if (isdigit((unsigned char)*version) && (version == line || version[-1] == ' ') &&
		    strchr(version, '.') && strcspn(version, ". ") < strcspn(version, " "))
			break;
	if (!*line)
		return;
	(*n)++;
	taf_findings_add(&l->findings, TAF_SORT_OK, "driver", "nvidia %.*s",
			 (int)strcspn(version, " "), version);
}

static void look_modules(struct taf_host_look *l, unsigned *n)
{
	static const char *const modules[] = { "nvidia", "amdgpu", "i915", "xe" };
	char path[64], version[64];

	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		if (!taf_host_has(l, path, NULL) || (!i && *n))
			continue;
		(*n)++;
		snprintf(path, sizeof(path), "/sys/module/%s/version", modules[i]);
		taf_host_line(l, path, version, sizeof(version));
		taf_findings_add(&l->findings, TAF_SORT_OK, "driver", "%s %s", modules[i],
				 *version ? version : "of the kernel");
	}
}

static const char *vendor_name(const char *id)
{
	static const struct {
		char id[8], name[8];
	} vendors[] = { { "0x10de", "NVIDIA" },
			{ "0x1002", "AMD" },
			{ "0x8086", "Intel" },
			{ "0x106b", "Apple" } };

	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
		if (!strcmp(vendors[i].id, id))
			return vendors[i].name;
	return id;
}

/* "card0", not "card0-DP-1". */
static bool is_card(const char *name)
{
	return !strncmp(name, "card", 4) && name[4] &&
	       strspn(name + 4, "0123456789") == strlen(name + 4);
}

static void look_card(struct taf_host_look *l, const char *card)
{
	char path[PATH_MAX], vendor[16], device[16], driver[PATH_MAX] = "";
	ssize_t n;

	snprintf(path, sizeof(path), DRM "/%s/device/vendor", card);
	taf_host_line(l, path, vendor, sizeof(vendor));
	snprintf(path, sizeof(path), DRM "/%s/device/device", card);
	taf_host_line(l, path, device, sizeof(device));
	snprintf(path, sizeof(path), "%s" DRM "/%s/device/driver", l->root, card);
	n = readlink(path, driver, sizeof(driver) - 1);
	driver[n > 0 ? n : 0] = '\0';
	if (*vendor)
		taf_findings_add(&l->findings, TAF_SORT_OK, "gpu", "%s: %s %s, driver %s", card,
				 vendor_name(vendor), device,
				 *driver ? strrchr(driver, '/') ? strrchr(driver, '/') + 1 : driver
					 : "unknown");
}

static unsigned look_cards(struct taf_host_look *l)
{
	char path[PATH_MAX];
	struct dirent *e;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" DRM, l->root);
	dir = opendir(path);
	while (dir && n < GPUS_MAX && (e = readdir(dir)))
		if (is_card(e->d_name)) {
			n++;
			look_card(l, e->d_name);
		}
	if (dir)
		closedir(dir);
	return n;
}

void taf_host_machine(struct taf_host_look *l)
{
	unsigned n = 0;

	look_kernel(l);
	look_ids(l);
	look_nvidia(l, &n);
	look_modules(l, &n);
	if (!look_cards(l) && !n)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "driver",
				 "no GPU driver is loaded here: what runs, runs on the processor");
}
