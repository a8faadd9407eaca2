# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib_ollama.sh -- what the tests of the real Ollama share. Sourced, never run.
#
# On top of tests/engines/server/lib.sh: two models in a store of Ollama's, and a server
# that is asked and ended.  ollama: the program, set by who sources this.
. "${SRC:?}/tests/engines/server/lib.sh"
needs curl sha256sum pgrep

export OLLAMA_MODELS=$work/store OLLAMA_MAX_LOADED_MODELS=1

# A model as a pull leaves it: its file and a description by their sums, and a list of both.
stored() { # NAME GGUF
	local sum about manifests=$OLLAMA_MODELS/manifests/registry.ollama.ai/library/$1
	mkdir -p "$OLLAMA_MODELS/blobs" "$manifests"
	sum=$(sha256sum <"$2" | cut -d' ' -f1)
	cp "$2" "$OLLAMA_MODELS/blobs/sha256-$sum"
	jq -cnj --arg sum "sha256:$sum" '{model_format: "gguf", model_family: "llama", model_families: ["llama"],
		model_type: "tiny", file_type: "F32", architecture: "amd64", os: "linux",
		rootfs: {type: "layers", diff_ids: [$sum]}}' >about.json
	about=$(sha256sum <about.json | cut -d' ' -f1)
	cp about.json "$OLLAMA_MODELS/blobs/sha256-$about"
	jq -cn --arg sum "sha256:$sum" --arg about "sha256:$about" --argjson n "$(stat -c %s "$2")" \
		--argjson m "$(stat -c %s about.json)" '{schemaVersion: 2,
		mediaType: "application/vnd.docker.distribution.manifest.v2+json",
		config: {mediaType: "application/vnd.docker.container.image.v1+json", digest: $about, size: $m},
		layers: [{mediaType: "application/vnd.ollama.image.model", digest: $sum, size: $n}]}' >"$manifests/latest"
	echo "ollama:sha256-${sum:0:12}"
}
tiny=$(stored tiny tiny.gguf)
other=$(stored other models/other.gguf)

# What a random model says is no text: a pattern keeps it to letters.
ask() { # MODEL
	curl -sS "$OLLAMA_HOST/api/generate" -d '{"model":"'"$1"'","prompt":"Hello","stream":false,"raw":true,
		"format":{"type":"string","pattern":"^[a-z]{1,8}$"},
		"options":{"temperature":0,"seed":1,"num_predict":12,"num_ctx":256}}' |
		jq -c '[.response, .prompt_eval_count, .eval_count, .error]'
}

# Asks each model in turn, of an Ollama that FRONT guards, and ends it by SIGTERM.
serve_and_ask() { # MODEL... -- FRONT...
	local models=()
	while [ "$1" != -- ]; do
		models+=("$1")
		shift
	done
	shift
	OLLAMA_HOST=127.0.0.1:$(free_port)
	export OLLAMA_HOST
	"$@" "$ollama" serve </dev/null >bg.out 2>bg.err &
	runner=$!
	until_true curl -sf "$OLLAMA_HOST/api/version"
	for one in "${models[@]}"; do
		ask "$one"
		[ "$1" = env ] || sleep 2.5 # a pause, after which a generation has ended: drain.idle_ms=2s
	done >answers
	# A runner of an old one is the same program.
	if grep -qx ollama "/proc/$runner/comm"; then
		kill -TERM "$runner"
	else
		kill -TERM "$(pgrep -x ollama -P "$runner")"
	fi
	await_runner
}
