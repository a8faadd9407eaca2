/* SPDX-License-Identifier: MIT */
/* alike.h -- whether a declaration of ours is the vendor's.
 *
 *   C++   alike(f, g): two functions are called alike: as many parameters, each of the
 *         same size and sort (a number, one with a point, an address, a struct by value)
 *         fits(f, g): what f takes lies in the registers that g takes
 *         ALIKE, FITS: an assertion of it, that names the function
 *   C     SAME_PLACE, SAME_SIZE, SAME_NUMBER: a member, a struct, a constant */
#ifndef ALIKE_H
#define ALIKE_H

#ifdef __cplusplus
#include <type_traits>

template <class A, class B> constexpr bool is_same_sort()
{
	if constexpr (std::is_void<A>::value || std::is_void<B>::value)
		return std::is_same<A, B>::value;
	else
		return sizeof(A) == sizeof(B) && alignof(A) == alignof(B) &&
		       std::is_pointer<A>::value == std::is_pointer<B>::value &&
		       std::is_class<A>::value == std::is_class<B>::value &&
		       std::is_floating_point<A>::value == std::is_floating_point<B>::value;
}

template <class R, class... A, class S, class... B> constexpr bool alike(R (*)(A...), S (*)(B...))
{
	if constexpr (sizeof...(A) != sizeof...(B))
		return false;
	else
		return is_same_sort<R, S>() && (is_same_sort<A, B>() && ... && true);
}

template <class A> constexpr bool is_register()
{
	return sizeof(A) <= 8 && !std::is_class<A>::value && !std::is_floating_point<A>::value;
}

template <class R, class... A, class S, class... B> constexpr bool fits(R (*)(A...), S (*)(B...))
{
	return is_same_sort<R, S>() && sizeof...(A) <= sizeof...(B) && sizeof...(B) <= 6 &&
	       (is_register<A>() && ... && true) && (is_register<B>() && ... && true);
}

#define ALIKE(theirs, ours, name) \
	static_assert(alike(theirs, static_cast<ours>(nullptr)), name " is called otherwise")
#define FITS(theirs, ours, name) \
	static_assert(fits(theirs, static_cast<ours>(nullptr)), name " is called otherwise")
#else
#define SAME_SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), #ours)
#define SAME_NUMBER(ours, theirs) _Static_assert((long)(ours) == (long)(theirs), #ours)
#define SAME_PLACE(ours, a, theirs, b) \
	_Static_assert(offsetof(ours, a) == offsetof(theirs, b) && \
			       sizeof(((ours *)0)->a) == sizeof(((theirs *)0)->b), \
		       #ours "." #a)
#endif

#endif
