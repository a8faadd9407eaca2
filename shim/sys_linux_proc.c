/* SPDX-License-Identifier: MIT */
/* sys_linux_proc.c -- processes, signals and identity by raw system calls.
 *
 * Nothing is cached: a fork child must not be told its parent's number, and
 * who asks often keeps the answer himself.
 */
#include "sys_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "../policy/text.h"
#include "sys.h"
#include "sys_file.h"

/* What rt_sigaction takes; libc's struct differs. */
struct kernel_action {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

#define WATCH_STACK (16 * 1024)
#define WATCH_SLICE_NS 100000000 /* no more of a wait counts, however long the machine stood */

/* Lies at the low end of the bare thread's stack. */
struct watch {
	_Atomic(uint32_t) *is_done;
	void (*last_words)(void);
	uint32_t ms;
	int status;
};

/* ---- who ---- */

int32_t taf_sys_pid(void)
{
	return (int32_t)taf_raw(SYS_getpid, 0);
}

int32_t taf_sys_ppid(void)
{
	return (int32_t)taf_raw(SYS_getppid, 0);
}

int32_t taf_sys_tid(void)
{
	return (int32_t)taf_raw(SYS_gettid, 0);
}

int taf_sys_cwd(char *buf, size_t room)
{
	int64_t n = taf_raw(SYS_getcwd, TAF_PTR(buf), (long)room);

	if (n < 0)
		return (int)n;
	/* "(unreachable)/...": of another root. */
	return buf[0] == '/' ? 0 : -ENOENT;
}

uint32_t taf_sys_uid(void)
{
	return (uint32_t)taf_raw(SYS_geteuid, 0);
}

int64_t taf_sys_text(const char *path, char *buf, size_t room)
{
	int fd = taf_sys_open_any(path);
	int64_t got;

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	got = taf_sys_read(fd, buf, room - 1);
	taf_sys_close(fd);
	buf[got > 0 ? got : 0] = '\0';
	return got;
}

/* 32 hexadecimal digits, dashes left out. */
static int read_id(const char *path, char out[TAF_BOOT_ID_LEN + 1])
{
	char buf[64];
	int64_t got = taf_sys_text(path, buf, sizeof(buf));
	size_t n = 0;

	out[0] = '\0';
	if (got < 0)
		return (int)got;
	for (const char *p = buf; *p && n < TAF_BOOT_ID_LEN; p++) {
		char c = *p >= 'A' && *p <= 'F' ? (char)(*p + 32) : *p;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
			out[n++] = c;
		else if (c != '-')
			break;
	}
	out[n] = '\0';
	if (n == TAF_BOOT_ID_LEN)
		return 0;
	out[0] = '\0';
	return -EBADMSG;
}

int taf_sys_boot_id(char out[TAF_BOOT_ID_LEN + 1])
{
	return read_id("/proc/sys/kernel/random/boot_id", out);
}

int taf_sys_machine_id(char out[TAF_BOOT_ID_LEN + 1])
{
	return read_id("/etc/machine-id", out);
}

static void proc_path(char *buf, size_t room, int32_t pid, const char *leaf)
{
	struct taf_text t;

	taf_text_init(&t, buf, room);
	taf_text_put(&t, "/proc/");
	if (pid)
		taf_text_i64(&t, pid);
	else
		taf_text_put(&t, "self");
	taf_text_put(&t, leaf);
}

uint64_t taf_sys_start_ticks(int32_t pid)
{
	char path[40], buf[512];
	const char *p;
	uint64_t v = 0;

	proc_path(path, sizeof(path), pid, "/stat");
	if (taf_sys_text(path, buf, sizeof(buf)) <= 0)
		return 0;
	/* The name is field 2 and may hold anything, so count from its last ')'. */
	p = taf_last(buf, ')');
	for (int field = 2; p && field < 22; field++) {
		while (*p && *p != ' ')
			p++;
		p = *p ? p + 1 : NULL;
	}
	return p && taf_read_u64(p, NULL, &v) ? v : 0;
}

uint64_t taf_sys_pid_ns(void)
{
	char buf[64];
	const char *p;
	uint64_t v = 0;

	if (taf_sys_readlink("/proc/self/ns/pid", buf, sizeof(buf)) <= 0)
		return 0;
	p = taf_last(buf, '[');
	return p && taf_read_u64(p + 1, NULL, &v) ? v : 0;
}

int taf_sys_random(void *buf, size_t n)
{
	/* Not blocking: early in a boot a weak number is better than a wait. */
	long r = taf_raw(SYS_getrandom, TAF_PTR(buf), (long)n, 1);

	return r < 0 ? (int)r : (size_t)r == n ? 0 : -EAGAIN;
}

static uint64_t soft_limit(int which)
{
	struct rlimit l = { RLIM_INFINITY, RLIM_INFINITY };

	taf_raw(SYS_prlimit64, 0, which, 0, TAF_PTR(&l));
	return l.rlim_cur == RLIM_INFINITY ? UINT64_MAX : l.rlim_cur;
}

uint64_t taf_sys_fsize_limit(void)
{
	return soft_limit(RLIMIT_FSIZE);
}

uint64_t taf_sys_fd_limit(void)
{
	return soft_limit(RLIMIT_NOFILE);
}

/* ---- signals ---- */

static uint64_t change_mask(int how, uint64_t mask)
{
	uint64_t old = 0;

	taf_raw(SYS_rt_sigprocmask, how, TAF_PTR(&mask), TAF_PTR(&old), TAF_SIGSET_BYTES);
	return old;
}

static uint64_t bit_of(int signo)
{
	return (uint64_t)1 << (signo - 1);
}

uint64_t taf_sys_block_signal(int signo)
{
	return change_mask(SIG_BLOCK, bit_of(signo));
}

uint64_t taf_sys_block_all(void)
{
	return change_mask(SIG_SETMASK, UINT64_MAX);
}

/* What a thread gets for what it does itself. */
static uint64_t faults(void)
{
	return bit_of(SIGSEGV) | bit_of(SIGBUS) | bit_of(SIGILL) | bit_of(SIGFPE) |
	       bit_of(SIGTRAP) | bit_of(SIGSYS);
}

uint64_t taf_sys_block_outside(void)
{
	return change_mask(SIG_BLOCK, ~faults());
}

void taf_sys_restore_mask(uint64_t mask)
{
	change_mask(SIG_SETMASK, mask);
}

uint64_t taf_sys_pending(void)
{
	uint64_t set = 0;

	taf_raw(SYS_rt_sigpending, TAF_PTR(&set), TAF_SIGSET_BYTES);
	return set;
}

void taf_sys_take_signal(int signo)
{
	struct timespec now = { 0, 0 };
	uint64_t set = bit_of(signo);

	taf_raw(SYS_rt_sigtimedwait, TAF_PTR(&set), 0, TAF_PTR(&now), TAF_SIGSET_BYTES);
}

int taf_sys_tgkill(int32_t pid, int32_t tid, int signo)
{
	return (int)taf_raw(SYS_tgkill, pid, tid, signo);
}

int taf_sys_kill(int32_t pid, int signo)
{
	return (int)taf_raw(SYS_kill, pid, signo);
}

bool taf_sys_may_break(void)
{
	uint64_t out = change_mask(SIG_BLOCK, 0) | faults();
	struct kernel_action a = { .handler = 0 };

	for (int signo = 1; signo <= 64; signo++)
		if (!(out & bit_of(signo)) &&
		    !taf_raw(SYS_rt_sigaction, signo, 0, TAF_PTR(&a), TAF_SIGSET_BYTES) &&
		    a.handler > 1 && !(a.flags & SA_RESTART))
			return true;
	return false;
}

int taf_sys_bar_cancel(void)
{
	int was = PTHREAD_CANCEL_ENABLE;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was);
	return was;
}

void taf_sys_let_cancel(int was)
{
	pthread_setcancelstate(was, NULL);
}

void taf_sys_die_of(int signo)
{
	struct kernel_action dfl = { .handler = 0 };

	taf_raw(SYS_rt_sigaction, signo, TAF_PTR(&dfl), 0, TAF_SIGSET_BYTES);
	change_mask(SIG_UNBLOCK, bit_of(signo));
	taf_sys_tgkill(taf_sys_pid(), taf_sys_tid(), signo);
}

/* ---- the end ---- */

TAF_RAW _Noreturn void taf_sys_exit_group(int status)
{
	for (;;)
		taf_raw(SYS_exit_group, status);
}

/* The system call, not the vDSO: the bare thread has nothing but the kernel. */
TAF_RAW static int64_t raw_mono_ns(void)
{
	struct timespec t = { 0, 0 };

	taf_raw(SYS_clock_gettime, CLOCK_MONOTONIC, TAF_PTR(&t));
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Gives the stack back and ends this thread: after the first call there is
 * no stack to return on. */
TAF_RAW _Noreturn static void vanish(void *stack)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[leave], %%eax\n\t"
			 "syscall\n\t"
			 "ud2"
			 :
			 : "a"((long)SYS_munmap), "D"(stack),
			   "S"((long)WATCH_STACK), [leave] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = SYS_munmap;
	register void *x0 __asm__("x0") = stack;
	register long x1 __asm__("x1") = WATCH_STACK;

	__asm__ volatile("svc #0\n\t"
			 "mov x0, #0\n\t"
			 "mov x8, %[leave]\n\t"
			 "svc #0\n\t"
			 "brk #1"
			 :
			 : "r"(x8), "r"(x0), "r"(x1), [leave] "i"(SYS_exit)
			 : "memory");
#endif
	__builtin_unreachable();
}

TAF_RAW _Noreturn static void watch_main(struct watch *w)
{
	int64_t left = (int64_t)w->ms * 1000000, at = raw_mono_ns(), now;

	while (!__atomic_load_n((uint32_t *)(void *)w->is_done, __ATOMIC_ACQUIRE)) {
		int64_t slice = left < WATCH_SLICE_NS ? left : WATCH_SLICE_NS;
		struct timespec t = { 0, (long)slice };

		if (left <= 0) {
			if (w->last_words)
				w->last_words();
			for (;;)
				taf_raw(SYS_exit_group, w->status);
		}
		taf_raw(SYS_futex, TAF_PTR(w->is_done), FUTEX_WAIT_PRIVATE, 0, TAF_PTR(&t));
		now = raw_mono_ns();
		left -= now - at < slice ? now - at : slice;
		at = now;
	}
	vanish(w);
}

/* Starts a thread at the two words on top of its stack: argument, function. */
TAF_RAW static long clone_bare(void *top)
{
	long flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rdi\n\t"
			 "pop %%rax\n\t"
			 "call *%%rax\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone), "D"(flags), "S"(top), "d"(0L), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
#else
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = flags;
	register void *x1 __asm__("x1") = top;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x30, xzr\n\t"
			 "ldp x0, x1, [sp], #16\n\t"
			 "blr x1\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory", "cc");
	return x0;
#endif
}

int taf_sys_watchdog(uint32_t ms, _Atomic(uint32_t) *is_done, int status, void (*last_words)(void))
{
	char *stack = taf_sys_map(WATCH_STACK);
	uint64_t mask;
	void **top;
	long r;

	if (!stack)
		return -ENOMEM;
	*(struct watch *)(void *)stack = (struct watch){ is_done, last_words, ms, status };
	top = (void **)(void *)(stack + WATCH_STACK) - 2;
	top[0] = stack;
	top[1] = (void *)(uintptr_t)watch_main;
	/* The new thread inherits the mask: it never runs a handler of theirs. */
	mask = taf_sys_block_all();
	r = clone_bare(top);
	taf_sys_restore_mask(mask);
	if (r < 0)
		taf_sys_unmap(stack, WATCH_STACK);
	return r < 0 ? (int)r : 0;
}
