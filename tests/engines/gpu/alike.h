/* SPDX-License-Identifier: MIT */
/* alike.h -- whether a declaration of ours is the vendor's.
 *
 *   C++   alike(f, g): two functions are called alike: as many parameters, each of the
 *         same size and sort (a number, one with a point, an address, a struct by value)
 *         fits(f, g): what f takes lies in the registers that g takes
 *         ALIKE, FITS: an assertion of it, that names the function
 *         ROOM(type): a struct of ours that theirs is forwarded in, where it lies in
 *         memory and is not larger
 *         any(f, g): g takes registers and stack as they come, and all that f takes is there
 *   C     SAME_PLACE, SAME_SIZE, SAME_NUMBER: a member, a struct, a constant */
#ifndef ALIKE_H
#define ALIKE_H

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
#include <type_traits>

template <class A> struct is_room : std::false_type {
};
#define ROOM(type) \
	template <> struct is_room<type> : std::true_type { \
	};

#ifdef ARE_STRUCTS
constexpr bool are_structs = true;
#else
constexpr bool are_structs = false;
#endif

/* In memory: more than two registers, and no more aligned than the rest of the stack. */
template <class A> constexpr bool is_in_memory(std::size_t room)
{
	return std::is_class<A>::value && std::is_trivially_copyable<A>::value && sizeof(A) > 16 &&
	       sizeof(A) <= room && alignof(A) <= 8;
}

template <class A, class B> constexpr bool is_same_sort()
{
	if constexpr (std::is_void<A>::value || std::is_void<B>::value)
		return std::is_same<A, B>::value;
	else if constexpr (is_room<B>::value)
		return is_in_memory<A>(sizeof(B));
	else if constexpr (are_structs && std::is_class<A>::value && std::is_pointer<B>::value)
		return sizeof(A) == sizeof(B) && alignof(A) == alignof(B);
	else
		return sizeof(A) == sizeof(B) && alignof(A) == alignof(B) &&
		       std::is_pointer<A>::value == std::is_pointer<B>::value &&
		       std::is_class<A>::value == std::is_class<B>::value &&
		       std::is_floating_point<A>::value == std::is_floating_point<B>::value;
}

/* Whatever is in the register that answers: ours is a word of it. */
template <class R, class S> constexpr bool is_answer()
{
	return std::is_same<S, std::uint64_t>::value && !std::is_class<R>::value &&
	       !std::is_floating_point<R>::value;
}

/* TAF_ANY_PARAMS of x86-64: six numbers, eight with a point, then the stack. */
template <class... B> constexpr std::size_t any_words()
{
	constexpr std::size_t n = sizeof...(B);

	if constexpr (n > 14 && (std::is_floating_point<B>::value + ... + 0) == 8)
		return n - 14;
	else
		return 0;
}

/* What of A does not fit into registers is at most all of it. */
template <class... A> constexpr bool is_within(std::size_t words)
{
	return (((sizeof(A) + 7) / 8) + ... + 0) <= words && ((alignof(A) <= 8) && ... && true);
}

template <class R, class... A, class S, class... B> constexpr bool alike(R (*)(A...), S (*)(B...))
{
	if constexpr (any_words<B...>() > 0)
		return is_within<A...>(any_words<B...>()) &&
		       (is_same_sort<R, S>() || is_answer<R, S>());
	else if constexpr (sizeof...(A) != sizeof...(B))
		return false;
	else
		return is_same_sort<R, S>() && (is_same_sort<A, B>() && ... && true);
}

template <class A> constexpr bool is_register()
{
	return sizeof(A) <= 8 && (are_structs || !std::is_class<A>::value) &&
	       !std::is_floating_point<A>::value;
}

template <class R, class... A, class S, class... B> constexpr bool fits(R (*)(A...), S (*)(B...))
{
	return (is_same_sort<R, S>() || is_answer<R, S>()) && sizeof...(A) <= sizeof...(B) &&
	       sizeof...(B) <= 6 && (is_register<A>() && ... && true) &&
	       (is_register<B>() && ... && true);
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
