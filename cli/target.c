/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HEAD_ROOM 256 /* what the kernel reads of a script: BINPRM_BUF_SIZE */
#define SCRIPTS_DEEP 5
#define SEGMENTS_MAX 256

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

static void set_reach(struct taf_target *t, enum taf_reach reach, const char *why)
{
	t->reach = reach;
	t->why = why;
}

/* Cuts head down to the interpreter's path; head begins with "#!". NULL when there is none. */
static char *script_interpreter(char *head, size_t n)
{
	char *at = head + 2;

	head[n] = '\0';
	head[strcspn(head, "\n")] = '\0';
	at += strspn(at, " \t");
	at[strcspn(at, " \t")] = '\0';
	return *at ? at : NULL;
}

/* Copies the path of the loader into loader; "" when the program has none. */
static int find_loader(int fd, const ElfW(Ehdr) * eh, char loader[PATH_MAX])
{
	ElfW(Phdr) ph;

	loader[0] = '\0';
	if (eh->e_phentsize != sizeof(ph) || eh->e_phnum > SEGMENTS_MAX)
		return -ENOEXEC;
	for (size_t i = 0; i < eh->e_phnum; i++) {
		off_t at = (off_t)(eh->e_phoff + i * sizeof(ph));

		if (pread(fd, &ph, sizeof(ph), at) != (ssize_t)sizeof(ph))
			return -ENOEXEC;
		if (ph.p_type != PT_INTERP)
			continue;
		if (ph.p_filesz < 2 || ph.p_filesz > PATH_MAX ||
		    pread(fd, loader, ph.p_filesz, (off_t)ph.p_offset) != (ssize_t)ph.p_filesz)
			return -ENOEXEC;
		loader[ph.p_filesz - 1] = '\0';
		return 0;
	}
	return 0;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_glibc_loader(const char *path)
{
	const char *name = base(path);

	return !strncmp(name, "ld-linux", 8) || !strncmp(name, "ld64.so", 7) ||
	       !strncmp(name, "ld.so", 5) || !strncmp(name, "ld-2.", 5);
}

static int look_elf(int fd, const ElfW(Ehdr) * eh, struct taf_target *t)
{
	char loader[PATH_MAX];

	if (eh->e_ident[EI_CLASS] != ELFCLASS64) {
		set_reach(t, TAF_REACH_NONE, "it is a 32-bit program");
		return 0;
	}
	if (MACHINE != EM_NONE && eh->e_machine != MACHINE) {
		set_reach(t, TAF_REACH_NONE, "it is made for another kind of machine");
		return 0;
	}
	if (find_loader(fd, eh, loader))
		return 0; /* the kernel will say what is wrong with it */
	if (!loader[0]) {
		if (!is_glibc_loader(t->program))
			set_reach(t, TAF_REACH_CHILDREN, "it is statically linked");
		return 0;
	}
	if (access(loader, F_OK)) {
		snprintf(t->missing, sizeof(t->missing), "%s", loader);
		return -ENOENT;
	}
	if (strstr(base(loader), "musl"))
		set_reach(t, TAF_REACH_NONE, "it uses musl, another C library");
	else if (!is_glibc_loader(loader))
		set_reach(t, TAF_REACH_NONE, "it uses another C library");
	return 0;
}

/* Whether executing it changes who runs it: the loader then drops the preload. */
static void look_rights(int fd, struct taf_target *t)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) || fstatvfs(fd, &fs) || fs.f_flag & ST_NOSUID ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return;
	if (st.st_mode & S_ISUID && st.st_uid != getuid())
		set_reach(t, TAF_REACH_NONE, "it is setuid");
	else if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid())
		set_reach(t, TAF_REACH_NONE, "it is setgid");
	else if (getuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		set_reach(t, TAF_REACH_NONE, "it has file capabilities");
}

/* One file of the chain. 1: next holds the interpreter to go on with. */
static int look_file(int fd, struct taf_target *t, char next[PATH_MAX])
{
	union {
		char text[HEAD_ROOM + 1];
		ElfW(Ehdr) elf;
	} head;
	ssize_t n;
	char *interpreter;

	memset(&head, 0, sizeof(head));
	n = pread(fd, &head, HEAD_ROOM, 0);
	if (n >= 2 && !memcmp(head.text, "#!", 2)) {
		interpreter = script_interpreter(head.text, (size_t)n);
		if (!interpreter)
			return 0;
		snprintf(next, PATH_MAX, "%s", interpreter);
		return 1;
	}
	if (n < (ssize_t)sizeof(head.elf) || memcmp(head.text, ELFMAG, SELFMAG))
		return 0;
	look_rights(fd, t);
	return t->why ? 0 : look_elf(fd, &head.elf, t);
}

/* What execve would say to an interpreter. */
static int check_interpreter(const char *path, struct taf_target *t)
{
	struct stat st;

	if (stat(path, &st)) {
		snprintf(t->missing, sizeof(t->missing), "%s", path);
		return -ENOENT;
	}
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return -EACCES;
	return 0;
}

/* Follows the chain of interpreters to its end. */
static int follow(struct taf_target *target)
{
	char next[PATH_MAX];
	int fd, more, err;

	for (int depth = 0;; depth++) {
		fd = open(target->program, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			return 0; /* it may be executed but not read: nothing to see */
		more = look_file(fd, target, next);
		close(fd);
		if (more <= 0)
			return more;
		if (depth == SCRIPTS_DEEP)
			return -ELOOP;
		err = check_interpreter(next, target);
		if (err)
			return err;
		snprintf(target->program, sizeof(target->program), "%s", next);
		target->is_script = true;
	}
}

int taf_target_look(const char *path, struct taf_target *target)
{
	char real[PATH_MAX];
	int err;

	memset(target, 0, sizeof(*target));
	snprintf(target->path, sizeof(target->path), "%s", path);
	snprintf(target->program, sizeof(target->program), "%s", path);
	err = follow(target);
	if (!err && realpath(target->program, real))
		memcpy(target->program, real, sizeof(real));
	return err;
}
