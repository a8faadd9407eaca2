#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# refused.sh -- programs of which a call site would not be the whole truth: what is left
# out, and what is said about it.  The guest shows the same in every case.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/engines/static/lib.sh"
cc=${CC:-cc}

# A program that is the server with something added.
made() { # PROGRAM FLAG...: more source from stdin
	cat >more.c
	build "$1" "$cc" -O2 -I "$parts" "${@:2}" more.c || {
		echo "$1 does not build: $(head -n 3 compiler.log)"
		exit 1
	}
}

# The same, but what comes from stdin is the engine.
made_engine() { # PROGRAM
	cat >engine_too.c
	"$cc" -std=c11 -D_GNU_SOURCE -O2 -fvisibility=hidden -Wl,--build-id -I "$parts" -o "$1" \
		engine_too.c "$parts/serve.c" -pthread || exit 1
}

says() { # CASE FILE PATTERN
	local found=no
	grep -q "$3" "$2" && found=yes
	[ $found = yes ] || sed 's/^/  /' "$2"
	check "$1" "$2 has: $3" yes $found
}

# Nothing of the engine is guarded; `run` and doctor say why.
nothing() { # PROGRAM WHY
	alike "$1" "./$1" model.bin leave
	check "$1" "nothing is seen" 0 "$(number_of '.ev == "load" or .ev == "infer" or .ev == "drain"')"
	says "$1" guarded.own "$2"
	check "$1" "in one line" 1 "$(grep -c . guarded.own)"
	"$bin" doctor -- "./$1" >doctor.txt
	says "$1" doctor.txt "verdict *guarded in part: .*$2"
	"$bin" doctor --strict -- "./$1" >/dev/null
	check "$1" "doctor, strict" 69 $?
	raw strict "$bin" run --strict -- "./$1" model.bin leave
	check "$1" "run, strict" "exit 69" "$(cat strict.status)"
	says "$1" strict.err "is not started, because it cannot be guarded: .*$2"
}

# The engine is guarded but for one row; doctor says which.
but_for() { # PROGRAM ROW WHY
	alike "$1" "./$1" model.bin leave
	has "$1" "the load" '.ev == "load" and .ph == "end"'
	check "$1" "run says nothing" "" "$(cat guarded.own)"
	"$bin" doctor -- "./$1" >doctor.txt
	says "$1" doctor.txt "not all of llama in the program is guarded (names that are not, or not everywhere: 1): $2 $3"
}

# What ends a context may come from where no call names it: then nothing may be followed.
made pointer <<<'#include "engine.h"
void (*const deleter)(void *) = llama_free;'
nothing pointer "llama_free is also called through a pointer"
made code_pointer <<<'#include "engine.h"
#include <stdlib.h>
__attribute__((noinline)) void use(void (*volatile *f)(void *)) { *f = llama_free; }'
nothing code_pointer "llama_free is also called through a pointer"
made fixed_pointer -no-pie <<<'#include "engine.h"
void (*deleter)(void *) = llama_free;'
nothing fixed_pointer "llama_free is also called through a pointer"
made packed_pointer -Wl,-z,pack-relative-relocs <<<'#include "engine.h"
void (*deleters[3])(void *) = { llama_free, llama_free, llama_free };' 2>/dev/null
nothing packed_pointer "llama_free is also called through a pointer"
made exported -rdynamic -fvisibility=default <<<''
nothing exported "can be called by libraries as well"
made clone <<<'#include <stdlib.h>
__attribute__((noinline, used)) static void part(void *p) __asm__("llama_free.part.0");
__attribute__((noinline, used)) static void part(void *p) { free(p); }'
nothing clone "llama_free is inlined or cloned by the compiler"
made_engine shared <<<'#include "engine.c"
void llama_free_model(void *model) __attribute__((alias("llama_model_free")));'
nothing shared "is the same function as another name"
made_engine shared_other <<<'#include "engine.c"
void drop_context(void *ctx) __attribute__((alias("llama_free")));'
nothing shared_other "llama_free is the same function as another name"

# The whole program.
made no_id -Wl,--build-id=none <<<''
nothing no_id "it has no build id"
made whole <<<'#include <stdlib.h>
__attribute__((noinline, used)) static void part(void *p) __asm__("helper.lto_priv.0");
__attribute__((noinline, used)) static void part(void *p) { free(p); }'
nothing whole "it was optimised as a whole"

# A row that begins something is left out alone.
made twice <<<'#include <stdlib.h>
__attribute__((noinline, used)) static int again(void *p) __asm__("llama_init_from_model");
__attribute__((noinline, used)) static int again(void *p) { return p ? atoi(p) : 0; }' 2>/dev/null
if grep -q . compiler.log; then
	untried 6 "two functions of one name: the assembler refuses"
else
	but_for twice llama_init_from_model "is the name of two functions"
fi
made begin_pointer <<<'#include "engine.h"
int32_t (*decode)(void *, struct fake_batch) = llama_decode;'
but_for begin_pointer llama_decode "is also called through a pointer"
has begin_pointer "what is called by name" '.ev == "infer" and .ph == "end" and .tokens == 3'

# A function that calls nothing of another object: its callers in the same source may
# keep in registers what a call of anything else would destroy.
made_engine leaf <<'C'
#include "engine.c"
__attribute__((noinline)) int llama_encode(void *ctx, struct fake_batch batch)
{
	return (int)((struct context *)ctx)->sum + batch.n;
}
__attribute__((noinline)) int encode_often(void *ctx)
{
	int n = 0;
	for (int i = 0; i < 3; i++)
		n += llama_encode(ctx, fake_batch_of(i));
	return n;
}
C
but_for leaf llama_encode "is so small that its callers may rely on how it was compiled"

# What a function does with itself is a part of its call: a loop back to its begin would
# otherwise become a call in each turn.
if [ "$(uname -m)" = x86_64 ]; then
	made own <<<'__asm__(".text\n.globl llama_encode\n.type llama_encode,@function\nllama_encode:\n"
		" call getpid@plt\n .byte 0xe9\n .long llama_encode - . - 4\n"
		" .byte 0xe8\n .long llama_encode - . - 4\n ret\n.size llama_encode,.-llama_encode\n");'
	guarded ./own model.bin sites
	check own "no site in itself" yes "$(grep -Eq ';llama_encode=[0-9a-f]+(;|$)' guarded.out && echo yes)"
else
	untried 1 "a loop to its own begin is written for x86-64"
fi

# Bytes that look like a call and lie where no function is known to be.
made odd <<<'__asm__(".text\n.globl hidden_code\nhidden_code:\n call llama_init_from_model\n ret\n");'
but_for odd llama_init_from_model "is called from code that cannot be read"

# More than is passed on.
{
	echo '#include "engine.h"'
	echo 'void often(void *c) {'
	for ((i = 0; i < 8200; i++)); do echo 'llama_synchronize(c);'; done
	echo '}'
} >often.c
made many often.c </dev/null
but_for many llama_synchronize "is called from too many places"
tally 90
