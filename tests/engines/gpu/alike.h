/* SPDX-License-Identifier: MIT */
/* alike.h -- C++: whether two functions are called alike: as many parameters, each of the
 * same size and sort (a number, an address, a struct by value). */
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
#endif

#endif
