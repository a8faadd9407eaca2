/* SPDX-License-Identifier: MIT */
/* sys_linux.h -- how a system call is made on Linux. Private to sys_linux*.c.
 *
 * The kernel returns -errno in the result register; libc's errno is never
 * seen.  Nothing here is instrumented: the bare thread of taf_sys_watchdog has
 * no thread storage of its own, which sanitizers would write to.
 */
#ifndef TAF_SYS_LINUX_H
#define TAF_SYS_LINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define TAF_RAW \
	__attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined")))

/* The kernel's signal set, whatever libc thinks of its size. */
#define TAF_SIGSET_BYTES 8

#if defined(__x86_64__)

TAF_RAW static inline long taf_raw6(long nr, const long a[6])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

TAF_RAW static inline long taf_raw6(long nr, const long a[6])
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];
	register long x5 __asm__("x5") = a[5];

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

#else
#error "no system call sequence for this processor"
#endif

/* Missing arguments are 0, which every call ignores. Pointers come in as (long). */
#define taf_raw(nr, ...) taf_raw6((nr), (const long[6]){ __VA_ARGS__ })

#define TAF_PTR(p) ((long)(uintptr_t)(p))

#endif
