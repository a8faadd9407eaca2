#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# others.sh -- mlx-c and whisper.cpp built into a program: fakes of them, linked in.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/engines/static/lib.sh"
"$BUILD/tests/mkgguf" model.gguf >/dev/null || exit 1

linked() { # PROGRAM FAKE: the program's source from stdin
	cat >"$1.c"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wl,--build-id -I "$SRC" -o "$1" "$1.c" \
		"$SRC/tests/fake/$2.c" -pthread 2>compiler.log || {
		cat compiler.log
		exit 1
	}
}

linked mlx fake_mlxc <<'C'
#include <stddef.h>
#include <stdio.h>
int mlx_eval(void *), mlx_async_eval(void *), mlx_synchronize(void *), mlx_clear_cache(void);
int mlx_set_wired_limit(size_t *, size_t);
int main(void)
{
	size_t before = 0;
	long a[4] = { 0 };
	int rc = mlx_set_wired_limit(&before, 1000) | mlx_eval(a);

	for (int i = 0; i < 5; i++)
		rc |= mlx_async_eval(a);
	printf("%d\n", rc | mlx_synchronize(a) | mlx_clear_cache());
	return 0;
}
C
alike mlx-c ./mlx
has mlx-c "the limit" '.ev == "limit" and .ph == "end" and .call == "mlx_set_wired_limit"'
has mlx-c "the generation" '.ev == "infer" and .ph == "end" and .submits == 6'
has mlx-c "the trim" '.ev == "trim" and .ph == "end"'

linked whisper fake_whisper <<'C'
#include <stdio.h>
void *whisper_init_from_file(const char *path);
int whisper_encode(void *ctx, int offset, int threads);
int whisper_decode(void *ctx, const int *tokens, int n, int past, int threads);
void whisper_free(void *ctx);
int main(void)
{
	const int tokens[3] = { 1, 2, 3 };
	void *ctx = whisper_init_from_file("model.gguf");
	int rc = whisper_encode(ctx, 0, 1);

	rc |= whisper_decode(ctx, tokens, 3, 0, 1);
	whisper_free(ctx);
	printf("%d\n", rc);
	return 0;
}
C
alike whisper ./whisper
has whisper "the load" '.ev == "load" and .ph == "end" and .call == "whisper_init_from_file" and .rc == 0'
has whisper "the generation" '.ev == "infer" and .ph == "end" and .submits == 2'
has whisper "the end" '.ev == "unload" and .ph == "end" and .call == "whisper_free"'
tally 12
