/* SPDX-License-Identifier: MIT */
/* large_page.c -- preloaded: the machine has pages of 64 KiB, as far as a program sees.
 *
 * It is told so, and memory that does not begin at such a page is not made writable.  What is
 * mapped still lies where the true pages are: objects have to be linked for the large ones. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LARGE 65536
#define FIELD(member) offsetof(struct seccomp_data, member)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(member))
#define ELSE_ALLOW(test, value, away) BPF_JUMP(BPF_JMP | test | BPF_K, value, 0, away)

unsigned long getauxval(unsigned long type)
{
	return type == AT_PAGESZ ? LARGE : 0;
}

__attribute__((constructor)) static void begin(void)
{
	struct sock_filter steps[] = {
		LOAD(nr),
		ELSE_ALLOW(BPF_JEQ, SYS_mprotect, 5),
		LOAD(args[2]),
		ELSE_ALLOW(BPF_JEQ, PROT_READ | PROT_WRITE, 3),
		LOAD(args[0]),
		ELSE_ALLOW(BPF_JSET, LARGE - 1, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(steps) / sizeof(*steps), steps };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		_exit(77);
}
