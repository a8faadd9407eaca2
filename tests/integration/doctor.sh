#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# doctor.sh -- what `taffrail doctor` says of programs of every sort.
#
# Sound ones, ones that no preload reaches, damaged ones.  Nothing that is looked
# at may be started.  A target that this machine lacks is named and left out.
# time-limit: 240
. "${SRC:?the source folder}/tests/integration/lib_doctor.sh"

# --- what can be guarded -----------------------------------------------------

verdict true "nothing to guard" guarded /bin/true
doctor --json -- true
says "true in PATH" '"export" in d["routes"] and d["program"].endswith("/true")'
says "true" '"no-engine" in f and d["engines"] == [] and d["missing"] == []'
says "true" 'any("libc.so.6" in x for x in d["libraries"])'

python=$(python3 -c 'import sys; print(sys.executable)')
doctor --json -- "$python"
says python '{"export", "dlsym", "got"} <= set(d["routes"]) and "run-time" in f'
if node=$(command -v node); then
	verdict node guarded guarded "$node"
	doctor --json -- "$node"
	says node '{"export", "dlsym", "got"} <= set(d["routes"]) and "run-time" in f'
else
	left_out "node"
fi

# --- engines -----------------------------------------------------------------

if compile libfake.so -shared -fPIC -Wl,-soname,libfake.so <<'END'; then
void *llama_model_load_from_file(void) { return 0; }
int llama_decode(void) { return 0; }
void llama_model_free(void) { }
END
	compile user -L. -lfake "-Wl,-rpath,\$ORIGIN" <<'END'
int llama_decode(void);
int main(void) { return llama_decode(); }
END
	verdict engine guarded guarded ./user
	doctor --json -- ./user
	says engine '[e["engine"] for e in d["engines"]] == ["llama"]'
	says engine 'd["engines"][0]["imported"] == 1 and d["engines"][0]["in_libraries"] == 3'
	says engine 'd["engines"][0]["library"].endswith("/libfake.so")'
	doctor -- ./user
	grep -qE '^  engines    llama: of [0-9]+ watched names of all versions 3 in libraries \(the first: /.*/libfake\.so\), 1 imported$' out
	ok "engine, in words" $?
	mkdir elsewhere && mv libfake.so elsewhere/
	verdict "missing library" "guarded in part: libfake.so is not found" partly ./user
	doctor --json -- ./user
	says "missing library" 'd["missing"] == ["libfake.so"] and "lost" in f'
	LD_LIBRARY_PATH=$work/elsewhere doctor --json -- ./user
	says "LD_LIBRARY_PATH" 'd["missing"] == [] and len(d["engines"]) == 1'

	compile libfake.so -shared -fPIC -Wl,-soname,libfake.so -Wl,-Bsymbolic <<'END'
int llama_decode(void) { return 0; }
int again(void) { return llama_decode(); }
END
	strict=69 verdict "-Bsymbolic" "guarded in part: .*libfake.so is linked -Bsymbolic" partly ./user
	doctor --json -- ./user
	says "no load entry" '"no-load" in f and "symbolic" in f'
	compile libfake.so -shared -fPIC -Wl,-soname,libfake.so <<'END'
void *llama_model_load_from_file(void) { return 0; }
int llama_free(void) { return 0; }
int llama_decode(void);
END
	compile nothing -L. -Wl,--no-as-needed -lfake "-Wl,-rpath,\$ORIGIN" <<<'int main(void) { return 0; }'
	strict=69 verdict "no computing entry" "guarded in part: .*libfake.so has none of the computing" partly ./nothing
	rm libfake.so

	source='int llama_decode(void) { return 1; }
		int ds4_engine_open(void) { return 2; }
		int main(void) { return llama_decode() + ds4_engine_open(); }'
	compile own -O0 <<<"$source"
	strict=69 verdict "engine inside" "guarded in part: llama is linked into the program .*symtab" partly ./own
	doctor --json -- ./own
	says "engine inside" 'd["engines"][0]["in_program"] == 1'
	says "engine inside" '[x for x in d["findings"] if "ds4 is linked" in x["text"]] != []'
	compile own -O0 -rdynamic <<<"$source"
	strict=69 verdict "exported engine inside" "guarded in part: .*exported" partly ./own
	compile own -O0 -s <<<"$source"
	verdict "stripped" "nothing to guard" guarded ./own

	compile full -Wl,-z,relro,-z,now <<<'int main(void) { return 0; }'
	doctor --json -- ./full
	says "full RELRO" 'd["elf"]["relro"] == "full" and d["elf"]["bind_now"]'
	compile fixed -no-pie <<<'int main(void) { return 0; }'
	doctor --json -- ./fixed
	says "fixed address" 'd["elf"]["type"] == "fixed address"'
	compile lib.so -shared -fPIC -Wl,-soname,lib.so <<<'int x;'
	refuses "shared library" 126 "a shared library, not a program" ./lib.so
else
	left_out "programs made by $cc"
fi

# --- what no preload reaches -------------------------------------------------

static="cannot be guarded: it is statically linked"
if compile static -static <<<'int main(void) { return 0; }'; then
	verdict static "$static" unguarded ./static
	doctor --json -- ./static
	says static 'd["elf"]["static"] and "static" in f and d["routes"] == []'
else
	left_out "static program"
fi
if compile spie -static-pie <<<'int main(void) { return 0; }'; then
	verdict static-pie "$static" unguarded ./spie
	doctor --json -- ./spie
	says static-pie 'd["elf"]["type"] == "static-pie"'
else
	left_out "static-pie program"
fi
if [ -x /bin/busybox ] && ! readelf -l /bin/busybox 2>/dev/null | grep -q INTERP; then
	verdict busybox "$static" unguarded /bin/busybox
else
	left_out "static busybox"
fi
if command -v musl-gcc >/dev/null && echo 'int main(void) { return 0; }' |
	musl-gcc -x c - -o musl 2>compiler.log; then
	verdict musl "cannot be guarded: it uses musl" unguarded ./musl
	doctor --json -- ./musl
	says musl 'd["elf"]["musl"] and "musl" in f'
else
	left_out "musl program"
fi
if compile narrow -m32 <<<'int main(void) { return 0; }'; then
	verdict "32-bit" "cannot be guarded: it is a 32-bit program" unguarded ./narrow
else
	left_out "32-bit program made by $cc -m32"
fi
mkdir go
cat >go/main.go <<'END'
package main

func main() { println("hi") }
END
if command -v go >/dev/null && (cd go && env HOME="$work" GOCACHE="$work/cache" CGO_ENABLED=0 \
	GOFLAGS=-mod=mod go build -o ../gostatic main.go) >compiler.log 2>&1; then
	verdict "Go, static" "$static" unguarded ./gostatic
	doctor --json -- ./gostatic
	says "Go, static" 'd["elf"]["go"] and not d["elf"]["cgo"]'
	printf 'package main\n\nimport "C"\n\nfunc main() { println("hi") }\n' >go/main.go
	if (cd go && env HOME="$work" GOCACHE="$work/cache" CGO_ENABLED=1 GOFLAGS=-mod=mod \
		go build -o ../gocgo main.go) >compiler.log 2>&1; then
		verdict "Go with cgo" "guarded in part: Go's own exit" partly ./gocgo
		doctor --json -- ./gocgo
		says "Go with cgo" 'd["elf"]["cgo"] and "go" in f'
	else
		left_out "Go program with cgo"
	fi
else
	left_out "Go programs"
fi

if [ "$(id -u)" -eq 0 ] && cp /bin/true ./gains && chown 65534:65534 gains && chmod 4755 gains &&
	! findmnt -no OPTIONS -T . 2>/dev/null | grep -q nosuid; then
	verdict setuid "cannot be guarded: it is setuid" unguarded ./gains
	doctor --json -- ./gains
	says setuid 'd["elf"]["setuid"] and "setuid" in f'
	chmod 2755 gains
	verdict setgid "cannot be guarded: it is setgid" unguarded ./gains
	chown 0:0 gains && chmod 4755 gains
	verdict "setuid to oneself" "nothing to guard" guarded ./gains
	doctor --json -- ./gains
	says "setuid to oneself" '"rights" in f'
	chmod 755 gains
	if command -v setcap >/dev/null && setcap cap_net_raw+ep gains 2>/dev/null &&
		command -v setpriv >/dev/null; then
		chmod 755 . && chmod 777 "$work"
		doctor --json -- ./gains
		says "file capabilities as root" 'd["elf"]["file_caps"] and d["verdict"] == "guarded"'
		cp "$bin" reader && chmod 755 reader
		setpriv --reuid 65534 --regid 65534 --clear-groups ./reader doctor -- ./gains >out 2>err
		grep -q "verdict *cannot be guarded: it has file capabilities" out
		ok "file capabilities as another user" $?
	else
		left_out "file capabilities"
	fi
else
	left_out "setuid and setgid (needs root and a file system that honours them)"
fi

# --- scripts -----------------------------------------------------------------

script by_env '#!/usr/bin/env python3' 'raise SystemExit(9)'
doctor --json -- ./by_env
says "env python3" 'd["via"][0] == "./by_env" and d["via"][1].endswith("/env")'
# Where python3 is a script of pyenv's, the shell is all that is looked at.
says "env python3" '("script" in f) == d["program"].endswith("sh")'
says "env python3" 'd["command"] == ["./by_env"] and d["verdict"] != "unguarded"'
script by_split '#!/usr/bin/env -S FOO=1 sh -e' 'touch started'
doctor --json -- ./by_split a b
says "env -S" 'len(d["via"]) == 2 and d["elf"] is not None and "/env" not in d["program"]'
script by_sh '#! /bin/sh -e' 'touch started'
script by_script "#!$work/by_sh" 'touch started'
doctor --json -- ./by_script
says "script of a script" 'len(d["via"]) == 2 and d["verdict"] == "guarded"'
says "script of a script" '"script" in f and "starter" not in f'
script plain 'touch started'
doctor --json -- ./plain
says "text without #!" 'd["program"].endswith("sh") and d["via"] == ["./plain"] and "script" in f'
doctor --json -- sh -c true
says "a shell by itself" '"script" not in f'
doctor --json -- env -u FOO A=b -- true
says "env as the command" 'd["program"].endswith("/true") and "env-cleared" not in f'
for words in "-i" "-u LD_PRELOAD" "--unset=LD_PRELOAD" "LD_PRELOAD="; do
	# shellcheck disable=SC2086 # several words
	doctor --json -- env $words true
	says "env $words" 'd["verdict"] == "partly" and "env-cleared" in f'
done
script lost '#!/no/such/interpreter'
refuses "missing interpreter" 126 "asks for /no/such/interpreter, which is not there" ./lost
script loop "#!$work/loop"
refuses "script of itself" 126 "cannot be executed" ./loop
refuses "env of nothing" 127 "no command \"no-such-command-here\"" env no-such-command-here

# --- what is no program ------------------------------------------------------

mkdir folder
refuses folder 126 "Is a directory" ./folder
refuses "missing path" 127 "[Nn]o .*file" ./none
refuses "missing command" 127 "no command" no-such-command-here
: >empty_text
refuses "not executable" 126 "Permission denied" ./empty_text
mkfifo pipe && chmod 755 pipe
refuses "a pipe" 126 "cannot be executed" ./pipe

damaged() { # NAME
	chmod 755 "$1"
	refuses "damaged: $1" 126 "cannot be executed" "./$1"
}

true=$(readlink -f /bin/true)
size=$(wc -c <"$true")
for part in 16 60 200 1000 $((size / 2)); do
	head -c "$part" "$true" >"cut$part"
	damaged "cut$part"
done
{ printf '\177ELF' && head -c 4000 /dev/urandom; } >noise
damaged noise
python3 - "$true" <<'END'
import struct, sys
whole = bytearray(open(sys.argv[1], "rb").read())
def put(name, at, form, value):
    b = bytearray(whole)
    struct.pack_into(form, b, at, value)
    open(name, "wb").write(b)
put("manyheaders", 56, "<H", 0xfffe)
put("farheaders", 32, "<Q", 2**64 - 64)
put("faraway", 32, "<Q", len(whole) - 8)
put("class9", 4, "<B", 9)
# A section table that lies: the program itself is sound.
put("manysections", 60, "<H", 0xfff0)
put("farsections", 40, "<Q", 2**63)
put("othermachine", 18, "<H", 22)
END
damaged manyheaders
damaged farheaders
damaged faraway
damaged class9
for lie in manysections farsections; do
	chmod 755 $lie
	doctor --json -- ./$lie
	says "$lie" 'd["verdict"] == "guarded" and len(d["libraries"]) > 0'
done
chmod 755 othermachine
verdict "another machine" "cannot be guarded: it is made for another kind of machine" \
	unguarded ./othermachine
name=$(printf 'bad\033[31mname')
cp "$true" "$name"
doctor -- "./$name"
! grep -q "$(printf '\033')" out
ok "a name cannot steer the terminal" $?
python3 - "$true" <<'END'
import random, sys
whole = open(sys.argv[1], "rb").read()
for seed in range(60):
    b, r = bytearray(whole), random.Random(seed)
    for _ in range(r.randint(1, 40)):
        b[r.randrange(4, 1200) if r.random() < .7 else r.randrange(len(b))] = r.randrange(256)
    open("mangled%d" % seed, "wb").write(b)
END
chmod 755 mangled*
for mangled in mangled*; do
	doctor -- "./$mangled"
	case $? in
	0 | 126 | 127) ;;
	*) ok "$mangled" 1 ;;
	esac
done
ok "60 mangled programs" 0

# --- the machine, and the arguments ------------------------------------------

doctor --json
says host 'd["verdict"] in ("ready", "warnings", "unready") and {"shim", "state", "ring"} <= f'
says host '{"boot-id", "seccomp", "library"} <= f and "preload" not in f'
[ ! -e state ]
ok "looking creates nothing" $?
LD_PRELOAD=libc.so.6 doctor --json
says "LD_PRELOAD of others" '"preload" in f'
mkdir -m 700 elsewhere2 && ln -s elsewhere2 linked
TAFFRAIL_STATE=$work/linked doctor --json
says "state is a link" '[x["sort"] for x in d["findings"] if x["id"] == "state"] == ["bad"]'
TAFFRAIL_STATE=$work/linked doctor --strict
[ $? -eq 69 ]
ok "--strict on a machine that is not ready" $?
mkdir -m 755 open
TAFFRAIL_STATE=$work/open doctor --json
says "state is open to others" '[x["sort"] for x in d["findings"] if x["id"] == "state"] == ["warn"]'
TAFFRAIL_STATE=/dev/shm/none doctor --json
says "state on tmpfs" '"state-fs" in f'
for wrong in "--nonsense" "--"; do
	doctor $wrong
	[ $? -eq 64 ] && [ "$(wc -l <err)" -eq 1 ]
	ok "arguments: $wrong" $?
done
TAFFRAIL_STRICT=1 doctor -- ./othermachine
[ $? -eq 69 ]
ok "TAFFRAIL_STRICT=1" $?
! [ -e started ]
ok "nothing was started" $?

"$bin" hooks >out 2>err && grep -q 'llama_decode$' out
ok "hooks" $?
"$bin" hooks --engine llama --json >out && python3 -c '
import json
rows = json.load(open("out"))["hooks"]
assert rows and {r["engine"] for r in rows} == {"llama"}
assert all({"name", "engine", "kind", "keep", "thunk", "doc"} == set(r) for r in rows)
assert [r["keep"] for r in rows if r["name"] == "llama_decode"] == ["ring"]'
ok "hooks --engine llama --json" $?
for wrong in "--engine" "--engine=none" "--engine vulcan" "extra" "--what"; do
	# shellcheck disable=SC2086 # several words
	"$bin" hooks $wrong >out 2>err
	[ $? -eq 64 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ]
	ok "hooks $wrong" $?
done
! readelf -d "$bin" 2>/dev/null | grep NEEDED | grep -Ev 'libc\.so|ld-linux|lib(asan|ubsan|tsan)'
ok "the command needs libc alone" $?

echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
