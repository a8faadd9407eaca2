/* SPDX-License-Identifier: MIT */
/* constant.h -- what a function returns that does nothing but return a fixed address.
 *
 * "const char *version(void) { return VERSION; }" is one instruction that makes
 * an address and one that returns.  Read, not called: a stranger's function may
 * take locks, initialise itself or not be a function at all, and it would run
 * inside the program's own load.  A function of any other form is unknown.
 */
#ifndef TAF_CONSTANT_H
#define TAF_CONSTANT_H

#include <stddef.h>
#include <stdint.h>

enum taf_isa { TAF_ISA_OTHER, TAF_ISA_X86_64, TAF_ISA_AARCH64 };

#if defined(__x86_64__)
#define TAF_ISA_HERE TAF_ISA_X86_64
#elif defined(__aarch64__)
#define TAF_ISA_HERE TAF_ISA_AARCH64
#else
#define TAF_ISA_HERE TAF_ISA_OTHER
#endif

/* The address that the n bytes of a function at code return; 0: no such function. */
uintptr_t taf_constant_of(enum taf_isa isa, const unsigned char *code, size_t n);

#endif
