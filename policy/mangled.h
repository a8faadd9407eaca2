/* SPDX-License-Identifier: MIT */
/* mangled.h -- functions of a namespace or a class, as C++ names them in object files.
 *
 *   _ZN 3mlx 4core 10async_eval          E St6vector...    what it is called, its parameters
 *   _ZN 3mlx 4core 16load_safetensors B5cxx11 E ...        the same with a tag of its library
 *
 * By the Itanium ABI.  Two of them that differ in their parameters alone have one stem. */
#ifndef TAF_MANGLED_H
#define TAF_MANGLED_H

#include "text.h"

/* How many bytes of name say what it is called; 0: it is no such function, or one of a
 * template, a constructor, an operator, or a copy that a compiler made (foo.cold). */
size_t taf_mangled_stem(const char *name);
/* Puts "mlx::core::async_eval". */
void taf_mangled_put(struct taf_text *t, const char *name);

#endif
