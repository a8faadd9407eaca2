/* SPDX-License-Identifier: MIT */
/* chunk.h -- eval.chunk: one evaluation of many arrays in pieces.
 *
 * What MLX evaluates is a std::vector of arrays, 16 bytes each: a std::shared_ptr.
 * A piece is a vector of its own, whose memory comes from the operator new of the
 * process, because the engine may take it over; its arrays are counted once more,
 * and the program's vector keeps them alive all the while.
 *
 *   vector      begin, end, end of room            in both libraries
 *   shared_ptr  object, counts                     in both
 *   counts      libstdc++: two ints at 8 and 12    libc++: two longs at 8 and 16,
 *               (uses, weak ones)                  each one less than it stands for
 *
 * What does not look like that is left whole, and a crumb says so.
 */
#ifndef TAF_CHUNK_H
#define TAF_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAF_CHUNK_ARRAY 16u /* bytes of one */

struct taf_vector {
	char *begin, *end, *room;
};

enum taf_stdlib { TAF_LIBSTDCXX, TAF_LIBCXX };

/* How many arrays v has; 0: it is not what is expected, or empty. */
size_t taf_chunk_count(const struct taf_vector *v, enum taf_stdlib lib);
/* How many of left are evaluated next, n at a time: a tail under half of n joins the last. */
size_t taf_chunk_next(size_t left, size_t n);
/* Makes a piece of v: part[1] arrays from part[0] on. False: no memory, or no runtime. */
bool taf_chunk_make(struct taf_vector *piece, const struct taf_vector *v, const size_t part[2],
		    enum taf_stdlib lib);
/* Gives back what the engine left of it. */
void taf_chunk_drop(struct taf_vector *piece, enum taf_stdlib lib);

#endif
