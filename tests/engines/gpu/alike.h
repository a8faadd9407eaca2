/* SPDX-License-Identifier: MIT */
/* alike.h -- whether a declaration of ours is the vendor's.
 *
 *   C++   alike(f, g): two functions are called alike: as many parameters, each of the
 *         same size and sort (a number, an address, a struct by value)
 *   C     SAME_PLACE, SAME_SIZE, SAME_NUMBER: a member, a struct, a constant */
#ifndef ALIKE_H
#define ALIKE_H

#ifdef __cplusplus
#include <type_traits>

template <class A, class B> constexpr bool is_same_sort()
{
	return sizeof(A) == sizeof(B) && std::is_pointer<A>::value == std::is_pointer<B>::value &&
	       std::is_class<A>::value == std::is_class<B>::value;
}

template <class R, class... A, class S, class... B> constexpr bool alike(R (*)(A...), S (*)(B...))
{
	if constexpr (sizeof...(A) != sizeof...(B))
		return false;
	else
		return is_same_sort<R, S>() && (is_same_sort<A, B>() && ... && true);
}
#else
#define SAME_SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), #ours)
#define SAME_NUMBER(ours, theirs) _Static_assert((long)(ours) == (long)(theirs), #ours)
#define SAME_PLACE(ours, a, theirs, b) \
	_Static_assert(offsetof(ours, a) == offsetof(theirs, b) && \
			       sizeof(((ours *)0)->a) == sizeof(((theirs *)0)->b), \
		       #ours "." #a)
#endif

#endif
