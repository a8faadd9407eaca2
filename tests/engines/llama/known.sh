#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# known.sh -- what the registry knows of a model and of llama.cpp itself, with the
# real one: its version is read from it, and a model that is refused fails in the
# program's own words.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

cat >own.json <<'END'
{
  "models": [{"id": "our/tiny", "tier": "abort", "error_classes": [{"type": "gpu_hang"}],
    "recommendation": "Use another one.", "sources": ["here"]}],
  "versions": [{"package": "llama.cpp", "spec": ">=0.4", "severity": "high", "topic": "only a test",
    "recommendation": "None.", "sources": ["here"]}]
}
END
set=(--set "models.registry=$work/own.json")

# The version that the library says itself.
cache=${TAFFRAIL_CACHE:-$SRC/build/cache}
version=$("$python" - "$cache/llama" <<'END'
import ctypes, glob, sys
for path in glob.glob(sys.argv[1] + "/**/bins/*/libggml-base*.so", recursive=True):
    ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
for path in glob.glob(sys.argv[1] + "/**/bins/*/libllama.*so", recursive=True):
    try:
        call = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL).llama_version
    except (AttributeError, OSError):
        continue
    call.restype = ctypes.c_char_p
    print(call().decode())
    break
END
)

plain "${calls[@]}" tiny.gguf
guarded "${set[@]}" -- "${calls[@]}" tiny.gguf
check_same warn
check warn "one remark on the model" 1 "$(number_of '.ev == "note" and .rule == "models.on_abort"')"
check warn "one remark on the version" 1 "$(number_of '.ev == "note" and .rule == "versions.on_hit"')"
check warn "the version" 1 "$(number_of '.role == "guest" and (.versions["llama.cpp"] | test("^(b?[0-9]+)"))')"
if [ -n "$version" ]; then
	check warn "as the library says it" "$version" "$(records | jq -r 'select(.role == "guest").versions["llama.cpp"]' |
		grep -v '^b')"
else
	echo "this library has no llama_version to compare with"
fi

guarded "${set[@]}" --set models.on_abort=refuse -- "${calls[@]}" tiny.gguf
check refuse "the load was refused" 1 "$(number_of '.ev == "refuse" and .rule == "models.on_abort"')"
check refuse "the program went wrong in its own way" 1 "$(grep -c . guarded.err)"
check refuse "nothing was loaded" 0 "$(number_of '.ev == "load" and .ph == "end" and .rc == 0')"

tally 9
