#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh -- the rows of llama.cpp, ggml, whisper.cpp, stable-diffusion.cpp and mlx-c against
# their headers, of the oldest versions that Rust's bindings have to the newest.
#
# Each row is compared with one declaration at least, but those of no header that can be had,
# which stand here with the reason.  Structs by value lie in memory, and in the room that our
# rows have for them; fields that we read lie where we read them, RoPE's settings where the
# engine's own defaults show them.  77 when the headers cannot be had.  ds4 is in no registry,
# and has no header here: ds4.sh has its shape by hand.
# shellcheck disable=SC2034,SC2154 # what lib_base.sh and lib_abi.sh set and use
# time-limit: 600
. "${SRC:?}/tests/engines/lib_abi.sh"

[ "$(uname -m)" = x86_64 ] || {
	echo "what is passed by value is compared on x86-64 alone"
	exit 77
}
dir=$("$BASH" "$SRC/tests/engines/headers/fetch.sh") || exit $?

texts=0
# What HEADER of a version declares of TABLE; of C alone.
against() { # TABLE CRATE-VERSION HEADER [HEADER]
	text=$1.$((texts += 1))
	preprocess "$text" -I"$dir/$2" <<-END
		#include <stdint.h>
		#include <$3>
		${4:+#include <$4>}
	END
	sed -i '/^#pragma/d' "$text"
	compare "$1" "$3 of $2" "$text"
}

# What our notes take from the registers of a function that is jumped through.
noticed() { # NAME PARAMETERS; in the last text
	if gcc -fsyntax-only -w -Werror=incompatible-pointer-types -x c - 2>log <<-END; then
		#include "$PWD/$text"
		void (*ours)$2 = $1;
	END
		pass
	else
		fail "$1" "is not called $2"
		grep -m 3 error log
	fi
}

lies() { # STRUCT FIELD AT; in the last text
	if gcc -fsyntax-only -w -x c - 2>log <<-END; then
		#include "$PWD/$text"
		_Static_assert(__builtin_offsetof($1, $2) == $3, "$2");
	END
		pass
	else
		fail "$text" "$2 of $1 is not at $3"
		grep -m 3 error log
	fi
}

for part in shim/rope policy/text; do
	"${CC:-cc}" -c -o "$(basename $part).o" "$SRC/$part.c" || exit 1
done
# What we read of RoPE's settings is what the engine of that version is given, as its own
# defaults show where they lie.
turned() { # CRATE-VERSION
	cat >turned.cc <<-END
		#include <stddef.h>
		#include <stdio.h>
		#include <ggml.h>
		#include <llama.h>
		#include "$dir/$1/defaults.inc"
		extern "C" {
		#include "$SRC/shim/rope.h"
		}
		int main()
		{
			llama_context_params d = llama_context_default_params(), p = d;
			taf_rope_ask ask = {};
			p.rope_scaling_type = (decltype(p.rope_scaling_type))2;
			p.rope_freq_base = 11, p.rope_freq_scale = 12, p.yarn_ext_factor = 13;
			p.yarn_attn_factor = 14, p.yarn_beta_fast = 15, p.yarn_beta_slow = 16;
			p.yarn_orig_ctx = 17;
			printf("%zu %zu\n", offsetof(llama_context_params, rope_scaling_type) / 4,
			       offsetof(llama_context_params, rope_freq_base) / 4);
			bool is_read = taf_rope_read(&d, &p, &ask);
			printf("%d %d %u", is_read, ask.scaling, ask.orig);
			for (float v : ask.v)
				printf(" %g", v);
		}
	END
	if g++ -w -I"$dir/$1" -o turned turned.cc rope.o text.o 2>log; then
		./turned >turned.out
		head -n 1 turned.out >>layouts
		[ "$(tail -n 1 turned.out)" = "1 2 17 11 12 13 14 15 16" ] && pass && return
		fail "$1" "RoPE's settings are read as $(tail -n 1 turned.out)"
	else
		fail "$1" "its defaults do not compile"
		grep -m 3 error log
	fi
}

for table in llama ggml whisper sd mlxc; do
	rows_of $table
done
for v in 0 62 69 83 94 113 133 154 161; do
	of_many=
	# Of that time they are not told how much room there is: what they take is found in our
	# registers, of which we look at the first alone.
	[ $v != 62 ] || of_many="llama_state_get_data llama_state_set_data llama_state_seq_get_data llama_state_seq_set_data"
	against llama llama-cpp-sys-2-0.1.$v llama.h
	lies "struct llama_batch" n_tokens 0
	lies "struct llama_batch" seq_id 40
	of_many=
	against ggml llama-cpp-sys-2-0.1.$v ggml-backend.h
	turned llama-cpp-sys-2-0.1.$v
done
# And each layout that we know is that of one of them.
while read -r layout; do
	if grep -qxF "$layout" layouts; then
		pass
	else
		fail "$layout" "is the layout of no header"
	fi
done < <(sed -nE 's/^ROPE_LAYOUT\(([0-9]+), ([0-9]+),.*/\1 \2/p' "$SRC/shim/rope.def")
# The first words of a context's parameters, and the abort.
against llama llama-cpp-sys-2-0.1.161 llama.h
at=0
for field in n_ctx n_batch n_ubatch n_seq_max; do
	lies "struct llama_context_params" $field $at
	at=$((at + 4))
done
while IFS='|' read -r name returns params; do
	planted llama "$text" "$name" "$returns" "$params"
done <<'END'
llama_decode|int32_t|(void *ctx, void *batch)
llama_model_load_from_file|void *|(struct taf_params params, const char *path)
llama_free|int|(void *ctx)
llama_n_ctx|uint64_t|(void *ctx)
llama_context_default_params|void *|(void)
llama_state_save_file|int|(void *ctx, const char *path, const void *tokens, size_t n)
END
noticed ggml_abort '(const char *file, int line, const char *format, ...)'

for v in 1.0 4.0 7.2 8.0 9.0 11.1 15.0; do
	against whisper whisper-rs-sys-0.$v whisper.h
	of_whisper=$text
	[ ! -e "$dir/whisper-rs-sys-0.$v/ggml-backend.h" ] ||
		against ggml whisper-rs-sys-0.$v ggml-backend.h
done

planted whisper "$of_whisper" whisper_full int '(void *ctx, struct taf_batch full, const void *of, int n)'

for v in 0 8 12 16 20; do
	against ggml diffusion-rs-sys-0.1.$v ggml-backend.h
	against sd diffusion-rs-sys-0.1.$v stable-diffusion.h
	! grep -q sd_ctx_params_init "$text" || lies sd_ctx_params_t model_path 0
done
# A struct that comes back by value is no word, whatever it takes.
planted sd "$text" upscale uint64_t "$(sed -n 's/^generate_image\t.*\t//p' sd.rows)"
planted sd "$text" new_sd_ctx uint64_t '(int n)'

are_structs=1
# Before 0.1.0 nothing was told of a success, and objects came back.
of_none="mlx_eval mlx_async_eval mlx_array_eval mlx_synchronize mlx_metal_clear_cache"
of_many=mlx_load_safetensors
against mlxc mlx-sys-0.0.8 mlx/c/mlx.h mlx/c/error.h
noticed _mlx_error '(const char *file, const int line, const char *format, ...)'
of_none=
for v in 0.1.0 0.2.0 0.7.0; do
	against mlxc mlx-sys-$v mlx/c/mlx.h
	noticed _mlx_error '(const char *file, const int line, const char *format, ...)'
done
while IFS='|' read -r name returns params; do
	planted mlxc "$text" "$name" "$returns" "$params"
done <<'END'
mlx_eval|int|(void *arrays, int more)
mlx_synchronize|void|(void *stream)
mlx_set_wired_limit|int|(size_t before, size_t limit)
mlx_load_safetensors|uint64_t|(void *arrays, void *metadata)
END
are_structs='' of_many=''

# In no header that a package has: of stable-diffusion.cpp since 2026-06-16, a row that is asked
# for and never called; of mlx-c after 0.7.0 _mlx_error_with_code, which is jumped through.
sd_new=sd_cancel_generation
grep -q "^$sd_new	" sd.rows || fail sd "$sd_new is no row"
sed -i "/^$sd_new	/d" sd.rows
for table in llama ggml whisper sd mlxc; do
	whole $table
	unknown $table
done
tally 600
