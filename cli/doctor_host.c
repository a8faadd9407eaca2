/* SPDX-License-Identifier: MIT */
/* doctor_host.c -- what of this machine and this environment matters to a guard.
 *
 * One look_* function a subject, one finding for each thing looked at.  Nothing
 * is created: a directory that is missing is judged by whether it could be made.
 */
#include "../shim/state.h"
#include "doctor.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "preload.h"
#include "show.h"
#include "state_cli.h"

#define RUN_DIR "/run/taffrail"
#define MIB (1024ull * 1024)
#define RING_ROOM (4 * MIB) /* a few processes' rings */
#define STATE_ROOM (64 * MIB) /* a few days' crumbs */

/* File systems where a flush may mean nothing or locks do not hold. */
static const struct {
	unsigned long magic;
	const char *name;
} remote[] = {
	{ 0x6969, "NFS" },	  { 0xff534d42, "CIFS" },    { 0xfe534d42, "SMB2" },
	{ 0x517b, "SMB" },	  { 0x65735546, "FUSE" },    { 0x01021997, "9P" },
	{ 0x00c36400, "CephFS" }, { 0x0bd00bd0, "Lustre" },  { 0x5346414f, "AFS" },
	{ 0x47504653, "GPFS" },	  { 0x794c7630, "overlay" },
};
#define TMPFS_ID 0x01021994ul

static const char *remote_name(const char *path, unsigned long *magic)
{
	struct statfs fs;

	*magic = 0;
	if (statfs(path, &fs))
		return NULL;
	*magic = (unsigned long)fs.f_type & 0xffffffffu;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (remote[i].magic == *magic)
			return remote[i].name;
	return NULL;
}

/* Whether name stands in the folder of the guard. */
static bool is_beside(const char *guard, const char *name)
{
	char path[PATH_MAX];
	const char *slash = strrchr(guard, '/');

	return slash &&
	       (size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - guard), guard, name) <
		       sizeof(path) &&
	       !access(path, R_OK);
}

/* A preload that others may rewrite is a door into every guest. */
static void look_shim_file(struct taf_findings *f, const char *path)
{
	struct taf_object o;
	struct stat st;
	int err = taf_object_open(path, &o);

	if (err == -ENOSYS) {
		taf_findings_add(f, TAF_SORT_OK, "shim", "%s (not looked into: no libelf)", path);
		return;
	}
	if (err) {
		taf_findings_add(f, TAF_SORT_BAD, "shim", "%s: %s", path,
				 err == -ENOEXEC ? o.fault : strerror(-err));
		return;
	}
	if (o.bits != 64 || o.machine != taf_machine_own())
		taf_findings_add(f, TAF_SORT_BAD, "shim", "%s is for %s, not for this machine",
				 path, taf_machine_name(o.machine));
	else if (o.n_needed != 1 || strncmp(o.needed[0], "libc.so.", 8) != 0)
		taf_findings_add(f, TAF_SORT_WARN, "shim", "%s needs more than libc", path);
	else if (!stat(path, &st) && (st.st_mode & (S_IWGRP | S_IWOTH)))
		taf_findings_add(f, TAF_SORT_WARN, "shim",
				 "%s can be rewritten by others (mode %04o)", path,
				 (unsigned)st.st_mode & 07777);
	else
		taf_findings_add(f, TAF_SORT_OK, "shim", "%s", path);
	taf_object_close(&o);
}

static bool can_open(const char *soname)
{
	void *so = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);

	if (so)
		dlclose(so);
	return so != NULL;
}

static void look_library(struct taf_findings *f, const char *soname, const char *package,
			 const char *why)
{
	if (can_open(soname))
		taf_findings_add(f, TAF_SORT_OK, "library", "%s is there", soname);
	else
		taf_findings_add(f, TAF_SORT_WARN, "library", "%s is missing (%s): install %s",
				 soname, why, package);
}

static void look_own_files(struct taf_findings *f)
{
	struct taf_preload own;
	char why[PATH_MAX + 128];

	if (taf_preload_find(&own, why, sizeof(why)))
		look_shim_file(f, own.guard);
	else
		taf_findings_add(f, TAF_SORT_BAD, "shim", "%s", why);
	if (is_beside(own.guard, "libtaffrail-json.so"))
		taf_findings_add(f, TAF_SORT_OK, "companion", "libtaffrail-json.so is beside it");
	else
		taf_findings_add(f, TAF_SORT_WARN, "companion",
				 "libtaffrail-json.so is not beside it: a guest that is preloaded "
				 "without `taffrail run` cannot read its policy");
	if (own.alloc[0])
		taf_findings_add(f, TAF_SORT_OK, "alloc", "libtaffrail-alloc.so is beside it");
	else
		taf_findings_add(
			f, TAF_SORT_NOTE, "alloc",
			"libtaffrail-alloc.so is not beside it: memory.host cannot be \"watch\"");
	look_library(f, "libcjson.so.1", "libcjson1", "policy files cannot be read");
	look_library(f, "libelf.so.1", "libelf1", "doctor cannot judge programs");
	look_library(f, "libunwind-coredump.so.0", "libunwind8", "stacks will not be unwound");
}

/* The directory itself, or its nearest parent that is there. */
static void nearest(const char *path, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s", path);
	while (access(out, F_OK)) {
		char *slash = strrchr(out, '/');

		if (!slash || slash == out) {
			out[1] = '\0';
			return;
		}
		*slash = '\0';
	}
}

static uint64_t room_at(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return UINT64_MAX;
	return (uint64_t)(geteuid() ? fs.f_bavail : fs.f_bfree) * fs.f_frsize;
}

static void look_space(struct taf_findings *f, const char *id, const char *path, uint64_t wanted)
{
	uint64_t room = room_at(path);
	char have[32], want[32];

	if (room < wanted)
		taf_findings_add(f, TAF_SORT_WARN, id, "%s has %s left, less than %s", path,
				 taf_show_bytes(have, sizeof(have), room),
				 taf_show_bytes(want, sizeof(want), wanted));
}

static void look_state(struct taf_findings *f)
{
	struct taf_state_dir dir;
	char why[PATH_MAX + 128], there[PATH_MAX];
	unsigned long magic;
	const char *fs;
	struct stat st;

	if (taf_state_find(NULL, &dir)) {
		taf_findings_add(
			f, TAF_SORT_BAD, "state",
			"there is no place for the state directory: set HOME or TAFFRAIL_STATE");
		return;
	}
	if (!taf_state_check(&dir, why, sizeof(why))) {
		taf_findings_add(f, TAF_SORT_BAD, "state", "%s", why);
		return;
	}
	if (stat(dir.path, &st))
		taf_findings_add(f, TAF_SORT_OK, "state", "%s (made at the first session)",
				 dir.path);
	else if ((st.st_mode & 077))
		taf_findings_add(f, TAF_SORT_WARN, "state",
				 "%s can be entered by others (mode %04o): chmod 700", dir.path,
				 (unsigned)st.st_mode & 07777);
	else
		taf_findings_add(f, TAF_SORT_OK, "state", "%s", dir.path);
	nearest(dir.path, there);
	fs = remote_name(there, &magic);
	if (magic == TMPFS_ID)
		taf_findings_add(f, TAF_SORT_WARN, "state-fs",
				 "%s is on tmpfs: crumbs there do not outlive the kernel", there);
	else if (fs)
		taf_findings_add(f, strcmp(fs, "overlay") ? TAF_SORT_WARN : TAF_SORT_NOTE,
				 "state-fs", "%s is on %s: %s", there, fs,
				 strcmp(fs, "overlay")
					 ? "a flush may not reach a disk, and each one is slow"
					 : "crumbs end with the container; mount a volume there");
	look_space(f, "state-space", there, STATE_ROOM);
}

static void look_ring(struct taf_findings *f)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[PATH_MAX];
	unsigned long magic;
	struct stat st;

	if (runtime && runtime[0] == '/' && !stat(runtime, &st) && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid())
		snprintf(path, sizeof(path), "%s", runtime);
	else
		snprintf(path, sizeof(path), "/dev/shm");
	remote_name(path, &magic);
	if (access(path, W_OK | X_OK))
		taf_findings_add(f, TAF_SORT_WARN, "ring", "%s cannot be used for the ring: %s",
				 path, strerror(errno));
	else if (magic != TMPFS_ID)
		taf_findings_add(f, TAF_SORT_NOTE, "ring",
				 "%s is not on tmpfs: a store into the ring may wait for a disk",
				 path);
	else
		taf_findings_add(f, TAF_SORT_OK, "ring", "%s", path);
	look_space(f, "ring-space", path, RING_ROOM);
}

static void look_run_dir(struct taf_findings *f)
{
	struct stat st;

	if (stat(RUN_DIR, &st))
		taf_findings_add(f, TAF_SORT_NOTE, "run-dir",
				 RUN_DIR " is not there: whatever users share is kept per user");
	else if (!S_ISDIR(st.st_mode) || (st.st_mode & 07777) != 01777 || st.st_uid)
		taf_findings_add(f, TAF_SORT_WARN, "run-dir",
				 RUN_DIR " should be a directory of root with mode 1777");
	else
		taf_findings_add(f, TAF_SORT_OK, "run-dir", RUN_DIR);
}

/* The first line of a small file; "" when there is none. */
static void first_line(const char *path, char *line, size_t room)
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (!file)
		return;
	if (!fgets(line, (int)room, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static int seccomp_mode(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	int mode = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			break;
	if (file)
		fclose(file);
	return mode;
}

static void look_kernel(struct taf_findings *f)
{
	char line[128], size[32];
	struct rlimit limit;
	int mode = seccomp_mode();

	first_line("/proc/sys/kernel/random/boot_id", line, sizeof(line));
	if (strlen(line) == 36)
		taf_findings_add(f, TAF_SORT_OK, "boot-id", "%s", line);
	else
		taf_findings_add(
			f, TAF_SORT_BAD, "boot-id",
			"/proc/sys/kernel/random/boot_id cannot be read: a panic cannot be told "
			"from a kill");
	first_line("/proc/sys/vm/overcommit_memory", line, sizeof(line));
	if (!strcmp(line, "2"))
		taf_findings_add(
			f, TAF_SORT_NOTE, "overcommit",
			"vm.overcommit_memory is 2: allocations fail early, which is not the "
			"device's fault");
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY)
		taf_findings_add(f, limit.rlim_cur < MIB ? TAF_SORT_WARN : TAF_SORT_NOTE, "fsize",
				 "the file size limit (ulimit -f) is %s: crumbs stop there",
				 taf_show_bytes(size, sizeof(size), limit.rlim_cur));
	if (mode > 0)
		taf_findings_add(
			f, TAF_SORT_NOTE, "seccomp",
			"seccomp is on (mode %d): a filter may forbid what the guard calls", mode);
	else
		taf_findings_add(f, TAF_SORT_OK, "seccomp", "none");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		taf_findings_add(f, TAF_SORT_NOTE, "no-new-privs", "no program gains rights here");
	taf_findings_add(f, TAF_SORT_OK, "ptrace", "not needed, whatever ptrace_scope says");
}

static void look_environment(struct taf_findings *f)
{
	const char *preload = getenv("LD_PRELOAD");
	char line[PATH_MAX];

	if (preload && *preload)
		taf_findings_add(f, TAF_SORT_NOTE, "preload",
				 "LD_PRELOAD holds %s: it is kept, behind ours", preload);
	first_line("/etc/ld.so.preload", line, sizeof(line));
	if (line[0])
		taf_findings_add(f, TAF_SORT_NOTE, "preload",
				 "/etc/ld.so.preload holds %s: it comes after ours", line);
	if (getenv("LD_AUDIT"))
		taf_findings_add(f, TAF_SORT_WARN, "audit",
				 "LD_AUDIT is set: every call through the PLT becomes slow");
	if (taf_env_is_off(environ))
		taf_findings_add(f, TAF_SORT_WARN, "off",
				 "TAFFRAIL=off is set: nothing is guarded");
}

void taf_doctor_places(struct taf_findings *f)
{
	look_state(f);
	look_ring(f);
	look_run_dir(f);
}

void taf_doctor_host(struct taf_findings *f)
{
	look_own_files(f);
	taf_doctor_places(f);
	look_kernel(f);
	look_environment(f);
}
