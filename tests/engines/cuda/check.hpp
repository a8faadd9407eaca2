/* SPDX-License-Identifier: MIT */
/* check.hpp -- whether a row says of a function what NVIDIA's header says.
 *
 * Type names differ on purpose; what must be alike is how each value travels: the number
 * of parameters, and of each the size and whether it is a pointer, a number or a struct. */
#include <cstddef>
#include <cstdint>
#include <type_traits>

template <class A, class B> constexpr bool alike()
{
	constexpr bool is_struct = std::is_class_v<A> || std::is_class_v<B>;
	/* device addresses and handles: a number here, a number or an opaque pointer there */
	return sizeof(A) == sizeof(B) && std::is_class_v<A> == std::is_class_v<B> &&
	       (!is_struct ||
		(std::is_trivially_copyable_v<A> && std::is_trivially_copyable_v<B> &&
		 alignof(A) == alignof(B)));
}

template <class Theirs, class Ours> struct check {
	static constexpr bool ok = false; /* another number of parameters */
};

template <class R, class... A, class S, class... B>
struct check<R (*)(A...), S (*)(B...)> {
	static constexpr bool same_count()
	{
		return sizeof...(A) == sizeof...(B);
	}
	template <class... P> struct list {
	};
	template <class... P, class... Q> static constexpr bool each(list<P...>, list<Q...>)
	{
		if constexpr (sizeof...(P) == sizeof...(Q))
			return (alike<P, Q>() && ...);
		else
			return false;
	}
	static constexpr bool ok = alike<R, S>() && each(list<A...>{}, list<B...>{});
};

/* Forwarded as six registers, whatever the version: all of theirs must fit. */
template <class Theirs> struct fits;
template <class R, class... A> struct fits<R (*)(A...)> {
	static constexpr bool ok = sizeof...(A) <= 6 && ((sizeof(A) <= 8) && ...) &&
				   (!std::is_class_v<A> && ...);
};

#define SAME(name, ...) \
	static_assert(check<decltype(&::name), int (*) __VA_ARGS__>::ok, #name " is another function");
#define FITS(name) static_assert(fits<decltype(&::name)>::ok, #name " does not fit six registers");
#define LIKE(theirs, field, ours, mine) \
	static_assert(offsetof(theirs, field) == offsetof(ours, mine) && \
			      sizeof(theirs::field) == sizeof(ours::mine), \
		      #ours "." #mine " lies elsewhere");
