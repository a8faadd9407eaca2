#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# known.sh -- models and versions of the registry, as a guest meets them.
#
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
steps=$tests/guest_steps
cc=${CC:-cc}
bin=$BUILD/taffrail
A=/models/alpha.gguf
B=/models/beta.gguf

cat >own.json <<'END'
{
  "models": [
    {"id": "Our/Alpha", "tier": "abort", "error_classes": [{"type": "gpu_hang"}, {"type": "process_abort"}],
     "recommendation": "Use beta.", "sources": ["incident 1"]},
    {"id": "our/gamma", "tier": "panic", "error_classes": [], "recommendation": "Do not.", "sources": ["incident 2"]},
    {"id": "our/delta", "tier": "degradation", "error_classes": [], "recommendation": "Restart.", "sources": ["incident 3"]}
  ],
  "versions": [
    {"package": "llama.cpp", "spec": ">=b7000,<b7050", "severity": "high", "topic": "wrong answers",
     "recommendation": "Use b7050.", "use": "b7050", "sources": ["incident 4"]},
    {"package": "mlx-lm", "spec": "==0.31.3", "severity": "medium", "topic": "awkward",
     "recommendation": "Use another.", "sources": ["incident 5"]},
    {"package": "mlx", "spec": "<0.32", "severity": "critical", "system": "macos", "topic": "not here",
     "recommendation": "Use another.", "sources": ["incident 6"]}
  ]
}
END
registry="models.registry=$work/own.json;cadence.same_model=0s;cadence.cross_model=0s"

# Engines that say which version they are.
so() { # FILE TEXT
	printf '%s\n' "$2" | "$cc" -shared -fPIC -x c -o "$1" - || exit 1
}
mkdir -p site/mlx/lib site/mlx_lm-0.31.3.dist-info site/mlx_vlm-0.5.0.dev1+abc.dist-info site/mlx-0.1.dist-info \
	site/mlx_lmx-9.dist-info site/mlx_lm.dist-info
so liboften.so 'int LLAMA_BUILD_NUMBER = 7001; const char *llama_version(void) { return "0.9.9"; }'
so libshallow.so 'int LLAMA_BUILD_NUMBER = 1; const char *llama_version(void) { return "0.5.0-dev"; }
	const char *ggml_version(void) { return "0.25.1\n\"x"; }'
so site/mlx/lib/libmlx.so 'const char *_ZN3mlx4core7versionEv(void) { return "0.31.2"; }'

# guest PRELOAD SETTINGS STEPS...
guest() {
	local also=$1 set=$2
	shift 2
	fresh
	raw shim env LD_PRELOAD="$shim$also" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$registry;$set" "$steps" "$@"
}

versions() {
	crumbs | jq -c 'select(.role == "guest").versions'
}

# ---- models ----

raw plain "$steps" load=$A free load=$A free load=$B free exit=3
guest "" "" load=$A free load=$A free load=$B free exit=3
for part in status out err; do
	check warn "$part" "$(cat plain.$part)" "$(cat shim.$part)"
done
check warn "one remark for both loads" 1 "$(count '.rule == "models.on_abort"')"
has warn "what it says" '.ev == "note" and .rule == "models.on_abort" and .model == "alpha" and
	(.msg | contains("known to end its process: gpu_hang, process_abort; Use beta."))'
has_not warn "a trouble with the registry" '.rule == "policy"'
check warn "no version is known" null "$(versions)"

guest "" "" load=/models/gamma.gguf free load=/models/delta.gguf free
has tiers "panic" '.rule == "models.on_panic" and (.msg | contains("known to take machines down: Do not."))'
has tiers "degradation" '.rule == "models.on_degradation" and (.msg | contains("in time: Restart."))'

guest "" "models.on_abort=refuse" load=$A load=$A load=$B exit=3
check refuse output "$(printf '%s\n' "load $A: failed" "load $A: failed" "load $B: ok")" "$(cat shim.out)"
check refuse "each time" 2 "$(count '.ev == "refuse" and .rule == "models.on_abort"')"
guest "" "models.on_abort=wait" load=$A
check "wait is refuse" output "load $A: failed" "$(cat shim.out)"
guest "" "models.on_abort=refuse;mode=observe" load=$A
check observe output "load $A: ok" "$(cat shim.out)"
has observe "would" '.ev == "would" and .rule == "models.on_abort"'

# ---- versions ----

guest ":$work/liboften.so" "" load=$A free load=$B
check build versions '{"llama.cpp":"b7001"}' "$(versions)"
check build "one remark" 1 "$(count '.rule == "versions.on_hit"')"
has build "what it says" '.ev == "note" and .rule == "versions.on_hit" and
	(.msg | contains("llama.cpp b7001 (high): wrong answers"))'
check build report "llama.cpp b7001" "$(TAFFRAIL_STATE=$state "$bin" report --last | sed -n 's/^ *versions *//p')"
check build "report for programs" '{"llama.cpp":"b7001"}' \
	"$(TAFFRAIL_STATE=$state "$bin" report --last --json | jq -c '.sessions[0].versions')"

guest ":$work/libshallow.so" "" load=$A
check shallow versions '{"llama.cpp":"0.5.0-dev","ggml":"0.25.1"}' "$(versions)"
has_not shallow "a remark" '.rule == "versions.on_hit"'

guest ":$work/site/mlx/lib/libmlx.so" "" load=$A
check mlx versions '{"mlx":"0.31.2","mlx-lm":"0.31.3","mlx-vlm":"0.5.0.dev1+abc"}' "$(versions | jq -cS .)"
has_not mlx "what is awkward, or of another system" '.rule == "versions.on_hit"'

guest ":$work/liboften.so" "versions.on_hit=refuse" load=$B
check "refuse a version" output "load $B: failed" "$(cat shim.out)"

# ---- registries ----

guest "" "" load=$A
sha=$(sha256sum own.json | cut -d' ' -f1)
TAFFRAIL_STATE=$state "$bin" check --set "$registry" --compile >/dev/null
check compiled "file" 1 "$(find "$state/registry" -name "$sha.bin" | wc -l)"
# The compiled one is taken: it knows what its text no longer has the companion to say.
mkdir alone
cp "$shim" alone/
alone() { # SETTINGS STEPS...
	raw shim env LD_PRELOAD="$work/alone/libtaffrail.so" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$registry;$1" \
		"$steps" "${@:2}"
}
rm -rf "$state/crumbs"
alone "" load=$A
check compiled "is taken" 1 "$(count '.rule == "models.on_abort"')"
has_not compiled "a trouble" '.rule == "policy"'
printf 'X' | dd of="$state/registry/$sha.bin" bs=1 seek=250 conv=notrunc status=none
rm -rf "$state/crumbs"
alone "" load=$A
has damaged "why" '.rule == "policy" and (.msg | contains("it is damaged"))'
has damaged "what follows" '.rule == "policy" and (.msg | contains("the registry that comes along is in force"))'
has_not damaged "an entry of it" '.rule == "models.on_abort"'

echo '{"models": [{}]}' >bad.json
fresh
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="models.registry=$work/bad.json" "$steps" load=$A
has bad "the place of the mistake" '.rule == "policy" and (.msg | contains("bad.json:1:13: this entry has no \"id\""))'
check bad output "load $A: ok" "$(cat shim.out)"
fresh
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="models.registry=$work/none.json" "$steps" \
	load=/models/gemma-4-31b-it-8bit.gguf
has missing "that it is" '.rule == "policy" and (.msg | contains("none.json: does not exist"))'
has missing "the one that comes along" '.rule == "models.on_panic" and (.msg | contains("kernel_panic"))'

tally 34
