#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time-limit: 300
# aarch64.sh -- the other processor: the shim cross-built without a warning, and
# run by an emulator in front of the fake engine.  By-value structs go by
# reference there, and the entries in assembly are others.
set -u

command -v aarch64-linux-gnu-gcc >/dev/null || {
	echo "no aarch64-linux-gnu-gcc (apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
	exit 77
}
command -v qemu-aarch64 >/dev/null || {
	echo "no qemu-aarch64 (apt-get install qemu-user)"
	exit 77
}
test -e /usr/aarch64-linux-gnu/include/stdio.h || {
	echo "no C library for aarch64 (apt-get install libc6-dev-arm64-cross)"
	exit 77
}

SRC=${SRC:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc="aarch64-linux-gnu-gcc -std=c11 -D_GNU_SOURCE"

# The make that runs the tests hands down flags that are not meant for this one.
env -u MAKEFLAGS -u MAKELEVEL make -s -C "$SRC" CC=aarch64-linux-gnu-gcc B="$work/b" WERROR=1 "$work/b/libtaffrail.so" \
	>"$work/log" 2>&1 || {
	echo "the shim does not build:"
	tail -n 20 "$work/log"
	exit 1
}
$cc -fPIC -shared -I "$SRC" -o "$work/libfake_llama.so" "$SRC/tests/fake/fake_llama.c" &&
	$cc -o "$work/guest_exit" "$SRC/tests/integration/guest_exit.c" -pthread -ldl || exit 1

checks=0 bad=0
# One way out: the same answer with and without the shim, and what the crumbs say.
way() { # ROUTE LAST-EVENT
	local plain shimmed text want
	export TAFFRAIL_STATE=$work/state-$1 FAKE_LLAMA=$work/libfake_llama.so
	plain=$(qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/guest_exit" "$1" 2>&1; echo "status $?")
	shimmed=$(qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_PRELOAD="$work/b/libtaffrail.so" \
		"$work/guest_exit" "$1" 2>&1; echo "status $?")
	# What is executed is of this machine, whose loader cannot take the other's shim.
	shimmed=$(grep -v 'cannot be preloaded' <<<"$shimmed")
	checks=$((checks + 1))
	test "$plain" = "$shimmed" || {
		bad=$((bad + 1))
		printf '%s: wanted\n%s\ngot\n%s\n' "$1" "$plain" "$shimmed"
	}
	text=$(cat "$TAFFRAIL_STATE"/crumbs/*.jsonl 2>/dev/null | grep .)
	for want in '"ev":"load","ph":"end"' '"tokens":3,' '"rule":"drain.at_exit"' "\"ev\":\"$2\",\"ph\":\"begin\""; do
		checks=$((checks + 1))
		case $text in *"$want"*) ;; *)
			bad=$((bad + 1))
			echo "$1: no $want in the crumbs"
			;;
		esac
	done
}

for route in return exit _exit quick_exit exit_minus; do
	way "$route" exit
done
# Arguments that are counted, then copied: a list that is read twice.
for route in execl execlp execle execve; do
	way "$route" exec
done

# An engine inside the program. What `run` would say of it is read off a disassembly here.
sites_of() { # PROGRAM
	local id
	id=$(aarch64-linux-gnu-readelf -n "$1" | sed -n 's/.*Build ID: //p')
	aarch64-linux-gnu-objdump -d --no-show-raw-insn "$1" | awk -v "id=$id" '
		/^[0-9a-f]+ <llama_[a-z_]+>:$/ { name = $2; gsub(/[<>:]/, "", name); at[name] = $1; sub(/^0+/, "", at[name]) }
		$2 ~ /^bl?$/ && $4 ~ /^<llama_[a-z_]+>$/ { name = $4; gsub(/[<>]/, "", name)
			site = $1; sub(":", "", site); list[name] = list[name] (list[name] ? "," : ":") site }
		END { printf "1;%s", id; for (name in at) printf ";%s=%s%s", name, at[name], name ~ /n_ctx|model_size/ ? "" : list[name] }'
}
inside() { # NAME FLAG...
	local plain shimmed text want
	$cc -fvisibility=hidden -Wl,--build-id -o "$work/serve" "${@:2}" "$SRC/tests/engines/static/parts/serve.c" \
		"$SRC/tests/engines/static/parts/engine.c" -pthread || exit 1
	export TAFFRAIL_STATE=$work/state-$1
	plain=$(qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/serve" "$work/serve" once 2>&1; echo "status $?")
	# Not by -E, which parts words at commas.
	shimmed=$(TAFFRAIL_SITES=$(sites_of "$work/serve") qemu-aarch64 -L "$work/shown" \
		-E LD_PRELOAD="$work/b/libtaffrail.so" "$work/serve" "$work/serve" once 2>&1; echo "status $?")
	checks=$((checks + 1))
	test "$plain" = "$shimmed" || {
		bad=$((bad + 1))
		printf '%s: wanted\n%s\ngot\n%s\n' "$1" "$plain" "$shimmed"
	}
	text=$(cat "$TAFFRAIL_STATE"/crumbs/*.jsonl 2>/dev/null | grep .)
	for want in 'call sites of 6 entry points' '"ev":"load","ph":"end"' '"tokens":3,' '"rule":"drain.before_unload"' '"call":"llama_free"'; do
		checks=$((checks + 1))
		case $text in *"$want"*) ;; *)
			bad=$((bad + 1))
			echo "$1: no $want in the crumbs"
			;;
		esac
	done
}
# The emulator has threads of its own, which /proc tells the guest of: it is shown one.
mkdir -p "$work/shown/proc/self/task/1"
ln -s /usr/aarch64-linux-gnu/lib "$work/shown/lib"
inside sites -O2
inside sites-fixed -O0 -no-pie

echo "$checks checks, $bad failed"
test "$bad" -eq 0 && test "$checks" -eq 57
