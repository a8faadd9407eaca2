#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hostile.sh -- TAFFRAIL_SITES that lies, programs that are not what they were, and
# systems that forbid it: the guest runs unchanged, and a crumb says why.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/engines/static/lib.sh"
needs python3

build guest "${CC:-cc}" -O2 || exit 1
guarded ./guest model.bin sites
sites=$(tail -n 1 guarded.out)
case $sites in 1\;*) ;; *)
	echo "no sites: $sites"
	exit 1
	;;
esac
head=$(cut -d\; -f1,2 <<<"$sites")

# The guest with this variable and a raw preload: it shows what it always shows.
# Something else wakes the guard, so that its crumbs can say what it refused.
lies() { # CASE VALUE [PROGRAM]
	without_shim "${3:-./guest}" model.bin once
	with_shim TAFFRAIL_SITES="$2" "${3:-./guest}" model.bin once
	for part in status out err; do
		check "$1" "$part" "$(cat plain.$part)" "$(cat shim.$part)"
	done
}

# Where nothing of the variable is believed no call is led to us: so none wakes us.
refused() { # CASE VALUE
	lies "$1" "$2"
	check "$1" "nothing is seen" "" "$(crumbs)"
}

# The true one first: what is refused below is refused for what was changed.
lies true "$sites"
has true "the load" '.ev == "load" and .ph == "end"'

refused empty ""
refused garbage "$(head -c 600 /dev/urandom | tr -d '\0\n')"
refused version "2${sites#1}"
refused "another build" "1;00${head#1;??}${sites#"$head"}"
refused "a shorter build id" "${head%??}${sites#"$head"}"
refused "cut off" "${sites%?????????????????????????????}:,"
refused "a name of libc" "$head;exit=1000:1010"
refused "no such row" "$head;llama_nothing=1000:1010"
refused "a row we only call" "$head;llama_n_ctx=1000:1010"
refused "sites outside" "$head;llama_decode=1000:fffffffffffffff0"
refused "a function outside" "$head;llama_decode=ffffffffffffffff:1010"
refused "in the data" "$head;llama_decode=4000:4010"
refused "overflow" "$head;llama_decode=10000000000000000:10"
refused "huge" "$head;llama_decode=1000:$(seq -s, 100000 8 220000)"
refused "many rows" "$head$(printf ";llama_decode=1000%.0s" {1..400})"
# Whatever wakes the process instead, its crumbs say it.
with_shim TAFFRAIL_SITES=3 FAKE_LLAMA="$tests/libfake_llama.so" "$tests/guest_exit" return
has "said where it can be" why '.msg // "" | test("^call sites in the program itself were left alone: its version is unknown")'
# Bytes 1 further on are no call, and not of that function.
refused "shifted" "$(python3 -c 'import re, sys
head, *rows = sys.argv[1].split(";llama")
print(";llama".join([head] + [re.sub("[:,]([0-9a-f]+)", lambda m: m.group(0)[0] + "%x" % (int(m.group(1), 16) + 1), r) for r in rows]))' "$sites")"
refused "functions exchanged" "$(python3 -c 'import re, sys
s = sys.argv[1]
a, b = (re.search(n + "=([0-9a-f]+)", s).group(1) for n in ("llama_decode", "llama_init_from_model"))
for r in re.findall(";llama_(?!decode|init)[^;]*", s): s = s.replace(r, "")
print(s.replace("=" + a, "=x").replace("=" + b, "=" + a).replace("=x", "=" + b))' "$sites")"

# One bad site spoils its row, and no other; where the end of something would be missed,
# all of its engine: a drain must never touch what was freed unseen.
spoil() { # ROW: the variable with one site of it two bytes further on
	python3 -c 'import re, sys
s, row = sys.argv[1:]
m = re.search(row + "=[0-9a-f]+:([0-9a-f]+)", s)
print(s[:m.start(1)] + "%x" % (int(m.group(1), 16) + 2) + s[m.end(1):])' "$sites" "$1"
}
lies "one bad site" "$(spoil llama_init_from_model)"
has "one bad site" "the load" '.ev == "load" and .ph == "end"'
has "one bad site" "why" '.msg // "" | test("^call sites of llama_init_from_model were left alone: the bytes there are no call of it")'
has_not "one bad site" "a context is seen" '.call == "llama_init_from_model" and .ph == "end"'
refused "an end that would be missed" "$(spoil llama_free)"

# The file was changed behind the scan: a call is no call any more.
python3 - "$sites" <<'PY'
import re, sys
sites = re.search(r"llama_synchronize=[0-9a-f]+:([0-9a-f,]+)", sys.argv[1]).group(1)
data = bytearray(open("guest", "rb").read())
# The one segment of code begins in the file where it begins in memory.
site = next(int(s, 16) for s in sites.split(",") if data[int(s, 16)] == 0xE9)
data[site:site + 5] = b"\xc3\x90\x90\x90\x90"
open("changed", "wb").write(data)
PY
chmod +x changed
lies changed "$sites" ./changed
has changed why '.msg // "" | test("^call sites of llama_synchronize were left alone")'
has changed "the rest" '.ev == "infer" and .ph == "end" and .tokens == 3'

# Another object has the first word, and starts a thread in it.
cat >thread.c <<'C'
#include <pthread.h>
#include <unistd.h>
static void *wait(void *arg) { (void)arg; pause(); return NULL; }
__attribute__((constructor)) static void init(void)
{
	pthread_t t;
	pthread_create(&t, NULL, wait, NULL);
}
C
"${CC:-cc}" -shared -fPIC -Wl,-z,initfirst -o thread.so thread.c -pthread
without_shim ./guest model.bin once
fresh
raw shim env LD_PRELOAD="$shim:$work/thread.so" TAFFRAIL_SITES="$sites" ./guest model.bin once
check "a thread runs" out "$(cat plain.out)" "$(cat shim.out)"
check "a thread runs" "nothing is seen" "" "$(crumbs)"

# A system where nothing that was written may become code.
without_shim ./guest model.bin once
fresh
if raw mdwe perl -e 'exit 77 if syscall(157, 65, 1, 0, 0, 0); exec @ARGV' \
	env LD_PRELOAD="$shim" TAFFRAIL_SITES="$sites" ./guest model.bin once &&
	[ "$(cat mdwe.status)" != "exit 77" ] && [ "$(uname -m)" = x86_64 ]; then
	check "no new code" out "$(cat plain.out)" "$(cat mdwe.out)"
	check "no new code" status "$(cat plain.status)" "$(cat mdwe.status)"
	check "no new code" "nothing is seen" "" "$(crumbs)"
else
	untried 3 "no new code: the kernel has no PR_SET_MDWE"
fi

# Started through its loader the process has another file: left as it is.
loader=$("$bin" doctor --json -- ./guest | jq -r .elf.loader)
fresh
raw shim env LD_PRELOAD="$shim" TAFFRAIL_SITES="$sites" "$loader" ./guest model.bin once
check loader out "$(cat plain.out)" "$(cat shim.out)"
check loader "nothing is seen" "" "$(crumbs)"
tally 90
