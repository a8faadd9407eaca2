#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# symbol_routes.sh -- every way in which a call can reach an engine.
#
# Each program prints the same with and without the shim; whether the load was
# seen is what the table says, "missed" included: a route that begins to be
# seen must be noted too.  The last table asks for names that are not there.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

parts=$SRC/tests/integration/parts
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"

# An engine of its own: NAME FLAGS...
engine() {
	local name=$1
	shift
	"${cc[@]}" -fPIC -shared -Wl,-soname,"$name" -o "$name" "$SRC/tests/fake/fake_llama.c" "$@" || exit 1
}

# A plugin: NAME ENGINE FLAGS...
plugin() {
	local name=$1 to=$2
	shift 2
	"${cc[@]}" -fPIC -shared -Wl,-soname,"$name" -Wl,-rpath,"$work" -o "$name" "$parts/plugin.c" "$to" "$@" || exit 1
}

program() { # NAME FLAGS...
	local name=$1
	shift
	"${cc[@]}" -Wl,-rpath,"$work" -o "$name" "$parts/route.c" "$@" -ldl || exit 1
}

build() {
	local n
	echo 'FAKE_1 { global: *; };' >version.map
	engine libfake_llama.so
	engine libfake_llama_2.so
	engine libfake_llama_v.so -Wl,--version-script=version.map
	engine libfake_llama_own.so "$parts/own.c"
	engine libfake_llama_symbolic.so "$parts/own.c" -Wl,-Bsymbolic
	plugin libplugin.so ./libfake_llama.so
	plugin libplugin_2.so ./libfake_llama_2.so
	plugin libplugin_ctor.so ./libfake_llama.so -DIN_CONSTRUCTOR
	"${cc[@]}" -fPIC -shared -Wl,-rpath,"$work" -o libseeker.so "$parts/seeker.c" || exit 1
	for n in GLOBAL VERSION PLUGIN; do
		"${cc[@]}" -fPIC -shared -DBY_$n -Wl,-rpath,"$work" -o libseeker_$n.so "$parts/seeker.c" || exit 1
	done
	"${cc[@]}" -fPIC -shared -DERRORS -o libseeker_ERRORS.so "$parts/seeker.c" || exit 1
	"${cc[@]}" -fPIC -shared -DBY_DEFAULT -o libseeker_DEFAULT.so "$parts/seeker.c" -Wl,--no-as-needed \
		./libfake_llama.so -Wl,-rpath,"$work" || exit 1
	"${cc[@]}" -fPIC -shared -DSLOW -o libslow.so "$parts/half.c" || exit 1
	echo 'int half_slow(void); int half_use(void); int half_use(void) { return half_slow(); }' >use.c
	for n in lazy now; do
		"${cc[@]}" -fPIC -shared -Wl,-z,$n -Wl,-z,relro -Wl,-rpath,"$work" -o libhalf_$n.so use.c "$parts/plugin.c" \
			./libslow.so ./libfake_llama.so || exit 1
	done
	"${cc[@]}" -Wl,-rpath,"$work" -o half "$parts/half.c" -ldl -lpthread || exit 1
	mkdir -p deep
	plugin libplugin_origin.so ./libfake_llama.so -DORIGIN -Wl,-rpath,"\$ORIGIN/deep"
	"${cc[@]}" -fPIC -shared -o deep/libdeep.so "$parts/own.c" libfake_llama.so
	"${cc[@]}" -fPIC -shared -Wl,-soname,libasker.so -o libasker.so "$parts/asker.c"
	echo 'extern int group; int group;' >group.c
	"${cc[@]}" -fPIC -shared -o libgroup.so group.c -Wl,--no-as-needed ./libasker.so ./libfake_llama.so -Wl,-rpath,"$work"
	"${cc[@]}" -fPIC -shared -o libwrapper.so "$parts/wrapper.c"
	mkdir -p large
	plugin libplugin_large.so ./libfake_llama.so -Wl,-z,now,-z,relro,-z,max-page-size=65536,-z,common-page-size=65536
	mv libplugin_large.so large/libplugin.so
	"${cc[@]}" -fPIC -shared -o large/libpage.so "$parts/large_page.c" || exit 1
	program lazy -DDIRECT ./libfake_llama.so -Wl,-z,lazy
	program now -DDIRECT ./libfake_llama.so -Wl,-z,now,-z,relro
	program noplt -DDIRECT ./libfake_llama.so -fno-plt
	program nopie -DDIRECT ./libfake_llama.so -fno-pie -no-pie -Wl,-z,lazy
	program nopie_now -DDIRECT ./libfake_llama.so -fno-pie -no-pie -Wl,-z,now,-z,relro
	program plain -Wl,-z,lazy
	program sealed -Wl,-z,now,-z,relro
	program plain_nopie -fno-pie -no-pie -Wl,-z,now,-z,relro
}

# PROGRAM ROUTE LOADS-SEEN (core.md 5); the engine's linker names the build.
table='
lazy       by_call            1
lazy       by_address         1
lazy       by_static          1
lazy       by_default         1
lazy       by_next            1
now        by_call            1
now        by_address         1
now        by_static          1
now        by_default         1
noplt      by_call            1
noplt      by_address         1
nopie      by_call            1
nopie      by_address         1
nopie      by_static          1
nopie      by_default         1
nopie_now  by_call            1
nopie_now  by_address         1
plain      by_handle          1
plain      by_global          1
plain      by_dlvsym          1
plain      by_plugin          1
plain      by_deepbind        1
plain      by_deepbind_lazy   1
plain      by_deepbind_again  3
plain      by_sibling         1
plain      by_constructor     1
plain      by_origin          1
plain      by_own             1
plain      by_own_symbolic    missed
plain      by_dlmopen         1
plain      by_dlmopen_plugin  1
plain      by_two_plugins     9
plain      by_two_handles     3
plain      by_reopening       2
sealed     by_deepbind        1
sealed     by_dlmopen_plugin  1
plain_nopie by_handle         1
plain_nopie by_deepbind       1
'

# What is not there stays away: the answers of a process without the shim.
absent='
plain is_in_default
plain is_in_default_by_version
plain is_next
plain is_in_program
plain is_in_other
plain is_in_default_when_local
plain is_no_sibling
plain of_libc
sealed is_in_default
sealed is_next
'

build
while read -r program route seen; do
	[ -n "$program" ] || continue
	same "$program $route" LD_LIBRARY_PATH="$work" "./$program" "$route"
	check "$program $route" status "exit 0" "$(cat shim.status)"
	grep -q 'a model, 1 calls' shim.out || fail "$program $route" "was not right: $(cat shim.out)"
	check "$program $route" "loads seen" "${seen/missed/0}" "$(count '.ev == "load" and .ph == "end" and .rc == 0')"
done <<<"$table"

# A library that looks for the engine itself, in every place: MODE SEEKER LOADS-SEEN.
for mode in "" _in_deepbind _in_dlmopen _in_dlmopen_again; do
	for seeker in libseeker.so libseeker_DEFAULT.so libseeker_GLOBAL.so libseeker_VERSION.so \
		libseeker_PLUGIN.so libseeker_ERRORS.so; do
		case=by_seeker$mode:$seeker
		# This loader has no RTLD_GLOBAL in a namespace of its own.
		case $case in *dlmopen*GLOBAL*) continue ;; esac
		same "$case" LD_LIBRARY_PATH="$work" ROUTE_SEEKER=$seeker ./plain "by_seeker$mode"
		grep -q 'a model' shim.out || fail "$case" "was not right: $(cat shim.out)"
		want=1
		[ "$mode" != _in_dlmopen_again ] || want=3
		[ "$seeker" != libseeker_ERRORS.so ] || want=0
		check "$case" "loads seen" "$want" "$(count '.ev == "load" and .ph == "end" and .rc == 0')"
	done
done

# An object that the loader has not finished with is left alone, and seen later.
for mode in deepbind space; do
	for n in lazy now; do
		same "half $n $mode" LD_LIBRARY_PATH="$work" timeout 100 ./half libhalf_$n.so $mode
		check "half $n $mode" status "exit 0" "$(cat shim.status)"
		check "half $n $mode" "loads seen" 1 "$(count '.ev == "load" and .ph == "end" and .rc == 0')"
	done
done

while read -r program route; do
	[ -n "$program" ] || continue
	same "$program $route" LD_LIBRARY_PATH="$work" "./$program" "$route"
done <<<"$absent"

# A weak reference without an engine is bound to the shim by the loader: the one
# known falsehood (the call itself gives the row's refuse value).
with_shim ./plain is_weak
check weak answer "weak: present" "$(cat shim.out)"

# Slots that the loader has sealed are opened page by page, whatever a page is.
for route in by_deepbind by_dlmopen_plugin; do
	with_shim LD_PRELOAD="$shim $work/large/libpage.so" LD_LIBRARY_PATH="$work/large:$work" ./plain $route
	[ "$(cat shim.status)" = "exit 77" ] && echo "not tried: pages of 64 KiB: no filter of system calls" && break
	check "large pages, $route" out "a model, 1 calls" "$(cat shim.out)"
	check "large pages, $route" "loads seen" 1 "$(count '.ev == "load" and .ph == "end" and .rc == 0')"
done

# The second of two copies asked for by name is handed out unwatched, and said so.
with_shim LD_LIBRARY_PATH="$work" ./plain by_two_handles
has two-handles "the second copy" '.ev == "note" and (.msg | tostring | contains("second copy"))'

# Somebody else's preload, before us and behind us.
for order in "$work/libwrapper.so:$shim" "$shim:$work/libwrapper.so"; do
	fresh
	raw plain env LD_PRELOAD="$work/libwrapper.so" ./lazy by_call
	raw shim env LD_PRELOAD="$order" TAFFRAIL_STATE="$state" ./lazy by_call
	check "wrapper, ${order##*/} last" out "$(cat plain.out)" "$(cat shim.out)"
	check "wrapper, ${order##*/} last" "loads seen" 1 "$(count '.ev == "load" and .ph == "end" and .rc == 0')"
done
# And without an engine: a wrapper in front of us or behind us has no next.
for order in "$work/libwrapper.so:$shim" "$shim:$work/libwrapper.so"; do
	raw plain env LD_PRELOAD="$work/libwrapper.so" ./plain by_weak
	raw shim env LD_PRELOAD="$order" TAFFRAIL_STATE="$state" ./plain by_weak
	check "wrapper without an engine, ${order##*/} last" "answer, but for who says it" \
		"$(sed 's/^wrapper .*:/wrapper :/' plain.out)" "$(sed 's/^wrapper .*:/wrapper :/' shim.out)"
done

tally 304
