#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# states.sh -- state_guard: whose a saved state is, and what is refused.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_states
guest=$tests/guest_states
gguf() { # FILE TEXT: two models that differ by name and content
	printf 'GGUF%s' "$2" >"$1"
}
gguf one.gguf 1111
gguf two.gguf 2222
echo a >first.bin
echo b >second.bin

# The state stays from run to run; only the log is new.
run() { # [NAME=VALUE...] WORD...
	local env=()
	while [[ $1 == [A-Z]*=* ]]; do
		env+=("$1")
		shift
	done
	rm -rf "$state/crumbs"
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="state_guard=on" "${env[@]}" "$guest" "$@"
}

asks() { # CASE WANTED WHAT-DIFFERS WORD...
	local case=$1 wanted=$2 why=$3
	shift 3
	run "$@"
	check "$case" "what it got" "$wanted" "$(tail -n 1 shim.out)"
	if [ -n "$why" ]; then
		has "$case" "why" ".ev == \"refuse\" and .rule == \"state_guard\" and (.msg | test(\"$why\"))"
	else
		has_not "$case" "a refusal" '.rule == "state_guard" and .ev == "refuse"'
	fi
}

# Off, as it is by default: nothing is written, and any file is restored.
same off "$guest" load=one.gguf infer=2 save=off.bin restore=off.bin seqsave=off.seq seqrestore=off.seq
check off "no entries" no "$([ -e "$state/saved" ] && echo yes || echo no)"
check off "saves and restores are in the log" 8 "$(count '.ev == "note" and (.call // "" | test("_file$")) and .ph != "mark"')"

fresh
run load=one.gguf infer=2 save=a.bin seqsave=a.seq oldsave=a.old
check saved "what it got" "save ok seqsave ok oldsave ok" "$(xargs <shim.out)"
check saved "entries" 3 "$(grep -c '^saved .* model="one" ' "$state/saved")"
check saved "mode" 600 "$(stat -c %a "$state/saved")"
asks "the same" "restore ok" "" load=one.gguf restore=a.bin
asks "a sequence" "seqrestore ok" "" load=one.gguf seqrestore=a.seq
asks "by the older name" "oldrestore ok" "" load=one.gguf oldrestore=a.old
asks "another model" "restore failed" "model two, was one" load=two.gguf restore=a.bin
asks "another model, a sequence" "seqrestore failed" "model two, was one" load=two.gguf seqrestore=a.seq
asks "another model, older name" "oldrestore failed" "model two, was one" load=two.gguf oldrestore=a.old
asks "a state as a sequence" "seqrestore failed" "no sequence" load=one.gguf seqrestore=a.bin
has_not "refused" "their function was called all the same" '.ev == "note" and .ph == "end" and .rc == 0 and (.call | test("load_file"))'
run load=one.gguf restore=a.bin
check log "a begin and an end" 2 "$(count '.call == "llama_state_load_file" and .ev == "note" and .ph != "mark"')"

# The same file by other names, and other files by this one.
cp a.bin copy.bin
mv a.seq moved.seq
ln -s a.bin link.bin
asks "a copy" "restore ok" "" load=one.gguf restore=copy.bin
asks "a copy, another model" "restore failed" "model two" load=two.gguf restore=copy.bin
asks "renamed" "seqrestore ok" "" load=one.gguf seqrestore=moved.seq
asks "a link" "restore ok" "" load=one.gguf restore=link.bin
asks "a link, another model" "restore failed" "model two" load=two.gguf restore=link.bin
run load=one.gguf save=link.bin
run load=one.gguf infer=5 save=b.bin
ln -sf b.bin link.bin
asks "a link that leads elsewhere" "restore failed" "link leads to another file" load=one.gguf restore=link.bin
truncate -s 40 b.bin
asks truncated "restore failed" "bytes 40, was 64" load=one.gguf restore=b.bin
run load=one.gguf infer=1 save=c.bin
printf x | dd of=c.bin bs=1 seek=30 conv=notrunc 2>/dev/null
asks damaged "restore failed" "written to since" load=one.gguf restore=c.bin
run load=one.gguf infer=1 save=d.bin
run load=one.gguf infer=3 save=e.bin
printf 'something else, as long as nobody knows of it' >d.new # a freed inode may come back
mv d.new d.bin
asks replaced "restore failed" "another file lies there" load=one.gguf restore=d.bin
# Saved aside and renamed over, as careful programs do.
run load=one.gguf infer=3 save=tmp.bin
mv tmp.bin e.bin
asks "renamed over" "restore ok" "" load=one.gguf restore=e.bin

# A file that nobody has seen being saved: restored, and noted.
without_shim "$guest" load=one.gguf infer=7 save=stranger.bin
asks stranger "restore ok" "" load=two.gguf restore=stranger.bin
has stranger "that it is unchecked" '.ev == "note" and .rule == "state_guard" and (.msg | test("restored unchecked"))'
asks "no such file" "restore failed" "" load=one.gguf restore=nowhere.bin
check "no such file" "nothing is said of whose it is" 0 "$(count '.rule == "state_guard"')"

# The vocabulary, the files of the model, adapters.
run FAKE_VOCAB=32000 load=one.gguf infer=1 save=v.bin
asks vocabulary "restore failed" "vocabulary 32001, was 32000" FAKE_VOCAB=32001 load=one.gguf restore=v.bin
asks "the vocabulary is not known" "restore ok" "" load=one.gguf restore=v.bin
run load=one.gguf adapter=first.bin infer=1 save=w.bin
asks "the same adapter" "restore ok" "" load=one.gguf adapter=first.bin restore=w.bin
asks "another adapter" "restore failed" "other adapters" load=one.gguf adapter=second.bin restore=w.bin
asks "no adapter any more" "restore failed" "other adapters" load=one.gguf adapter=first.bin none restore=w.bin
# Set one by one, as engines before 2026 have it, in any order, and taken away again.
for names in "" older; do
	run load=one.gguf $names one=first.bin one=second.bin infer=1 save=x.bin
	asks "one by one $names" "restore ok" "" load=one.gguf $names one=second.bin one=first.bin restore=x.bin
	asks "scale $names" "restore failed" "other adapters" load=one.gguf $names one=first.bin one=second.bin scale=0.5 restore=x.bin
	asks "scaled back $names" "restore ok" "" load=one.gguf $names one=first.bin one=second.bin scale=0.5 scale=1 restore=x.bin
	asks "one less $names" "restore failed" "other adapters" load=one.gguf $names one=first.bin one=second.bin less restore=x.bin
	run load=one.gguf infer=1 save=y.bin
	asks "all less $names" "restore ok" "" load=one.gguf $names one=first.bin less restore=y.bin
	asks "scaled to nothing $names" "restore ok" "" load=one.gguf $names one=first.bin scale=0 restore=y.bin
	asks "cleared $names" "restore ok" "" load=one.gguf $names one=first.bin one=second.bin clear restore=y.bin
	asks "a new context $names" "restore ok" "" load=one.gguf $names one=first.bin load=one.gguf restore=y.bin
done
run load=one.gguf one=first.bin infer=1 save=z.bin
asks "one by one, as a whole" "restore ok" "" load=one.gguf adapter=first.bin restore=z.bin

# A context with less room takes it as long as it fits, and one with more in any case. A file
# that tells of more tokens than there was room for tells nothing of that.
run FAKE_N_CTX=64 load=one.gguf infer=20 save=room.bin seqsave=room.seq
asks "room for all" "restore ok" "" FAKE_N_CTX=20 load=one.gguf restore=room.bin
asks "more room" "restore ok" "" FAKE_N_CTX=4096 load=one.gguf restore=room.bin
for kind in restore=room.bin seqrestore=room.seq; do
	asks "no room, $kind" "${kind%=*} failed" "room for tokens 19, was 64, and it holds 20" FAKE_N_CTX=19 load=one.gguf $kind
done
run FAKE_N_CTX=10 load=one.gguf infer=20 save=shifted.bin
asks "shifted" "restore ok" "" FAKE_N_CTX=9 load=one.gguf restore=shifted.bin

# Another tokenizer in a file of the same size: another model by its print.
head -c 20000 /dev/zero >tok.gguf
printf 'GGUF' | dd of=tok.gguf conv=notrunc 2>/dev/null
run load=tok.gguf infer=1 save=tok.bin
printf 'another tokenizer' | dd of=tok.gguf bs=1 seek=9000 conv=notrunc 2>/dev/null
asks "another tokenizer" "restore failed" "files of the model have changed" load=tok.gguf restore=tok.bin

# LongRoPE: a context with room for more than 64 tokens a sequence turns positions by other
# factors, and what was turned by the ones goes on with the others wrongly.
number() { # N BYTES
	local i n=$1
	for ((i = 0; i < $2; i++, n >>= 8)); do
		printf '%b' "\\x$(printf %02x $((n & 255)))"
	done
}
text() { # TEXT
	number ${#1} 8
	printf %s "$1"
}
phi() { # FILE [FACTORS-TENSOR]
	{
		printf GGUF
		number 3 4
		number 1 8
		number 3 8
		text general.architecture && number 8 4 && text phi3
		text phi3.context_length && number 4 4 && number 4096 4
		text phi3.rope.scaling.original_context_length && number 4 4 && number 64 4
		text "${2:-rope_factors_long.weight}" && number 1 4 && number 8 8 && number 0 4 && number 0 8
		number 0 64
	} >"$1"
}
phi long.gguf
phi plain.gguf output_norm.weight
turned() { # MODEL SAVED-ENV RESTORED-ENV ok|failed
	local why=
	[ "$4" = ok ] || why='RoPE factors of a (long|short) context, was (short|long)$'
	run ${2//,/ } load="$1" infer=3 save=turned.bin
	asks "$*" "restore $4" "$why" ${3//,/ } load="$1" restore=turned.bin
}
turned long.gguf FAKE_N_CTX=64 FAKE_N_CTX=65 failed
turned long.gguf FAKE_N_CTX=65 FAKE_N_CTX=64 failed
turned long.gguf FAKE_N_CTX=10 FAKE_N_CTX=64 ok
turned plain.gguf FAKE_N_CTX=64 FAKE_N_CTX=65 ok
# By the room of one sequence, also where an older engine tells only how many share it.
turned long.gguf FAKE_N_CTX=128,FAKE_SEQUENCES=2 FAKE_N_CTX=64 ok
turned long.gguf FAKE_N_CTX=128,FAKE_SEQUENCES=2,FAKE_OLD=1 FAKE_N_CTX=128,FAKE_OLD=1 failed
# What the entry says.
run FAKE_N_CTX=64 load=long.gguf infer=3 save=turned.bin
check "LongRoPE" "which of them" 1 "$(grep -c ' rope=1 .*name="turned.bin"' "$state/saved")"

# RoPE's settings of the context: what was turned by the ones goes on with the others wrongly.
# What stands for the model's own is compared as the model has it.
rope() { # ok|failed WHY SAVED RESTORED; each: words, and NAME=VALUE of the environment
	local why=$2
	run $3 load=one.gguf infer=2 save=rope.bin
	asks "RoPE, $3 - $4" "restore $1" "$why" $4 load=one.gguf restore=rope.bin
	has_not "RoPE, $3 - $4" "that something was not compared" '.msg // "" | test("not compared")'
}
rope failed 'rope.bin: rope_freq_scale 0.5, was 1$' "" rope_scale=0.5
rope failed 'rope_freq_scale 1, was 0.25$' rope_scale=0.25 ""
rope failed 'rope_freq_base 1000000, was 10000$' "" rope_base=1000000
rope failed 'yarn_attn_factor 1.5, was 1$' "" yarn_attn=1.5
rope failed 'yarn_ext_factor 1, was 0; yarn_beta_fast 32, was 0; yarn_beta_slow 1, was 0$' "" scaling=2
rope failed 'yarn_beta_fast 16, was 32$' scaling=2 "scaling=2 yarn_fast=16"
rope failed 'yarn_beta_slow 2, was 1; yarn_orig_ctx 100, was 0$' scaling=2 "scaling=2 yarn_slow=2 yarn_orig=100"
rope ok "" rope_scale=0.5 rope_scale=0.5
rope ok "" "" "rope_scale=1 rope_base=10000 yarn_attn=1 scaling=1" # the defaults of old programs
rope ok "" "" "yarn_fast=16 yarn_slow=2 yarn_orig=100" # of no effect without a mix
rope ok "" "scaling=0 rope_scale=0.5" "" # nor has a scale without scaling
own=FAKE_META=rope.freq_base=500000.000000,rope.scaling.factor=8.000000,rope.scaling.type=yarn,context_length=4096
rope ok "" $own "$own rope_base=500000 rope_scale=0.125 scaling=2 yarn_ext=1 yarn_orig=4096"
rope failed 'rope_freq_scale 0.25, was 0.125$' $own "$own rope_scale=0.25"
rope failed 'yarn_orig_ctx 8192, was 4096$' $own "$own yarn_orig=8192"
rope ok "" FAKE_META=rope.scale_linear=2.000000 "FAKE_META=rope.scale_linear=2.000000 rope_scale=0.5"
rope failed 'rope_freq_scale 1, was 0.5$' FAKE_META=rope.scale_linear=2.000000 "FAKE_META=rope.scale_linear=2.000000 scaling=0"
# Where they cannot be read, in an engine or in an entry of before, the rest is compared.
for odd in FAKE_LAYOUT=odd FAKE_META=rope.freq_base=much FAKE_META=rope.scaling.type=new; do
	run load=one.gguf infer=2 save=rope.bin
	asks "RoPE, $odd" "restore ok" "" $odd rope_scale=0.5 load=one.gguf restore=rope.bin
	has "RoPE, $odd" "a note" '.ev == "note" and .rule == "state_guard" and (.msg | test("^rope.bin: .*not compared"))'
	run $odd load=one.gguf infer=2 save=rope.bin
	check "RoPE, $odd" "the entry has none" 0 "$(grep -c ' turn=.* name="rope.bin"' "$state/saved")"
	asks "RoPE, an entry without, $odd" "restore ok" "" rope_scale=0.5 load=one.gguf restore=rope.bin
	has "RoPE, an entry without, $odd" "a note" '.ev == "note" and .rule == "state_guard" and (.msg | test("^rope.bin: .*not compared"))'
	asks "RoPE, another model, $odd" "restore failed" "model two, was one" load=two.gguf restore=rope.bin
done

# From memory: nobody can tell, and once a context that is said.
run load=one.gguf memory memory load=one.gguf memory
check memory "notes" 2 "$(count '.ev == "note" and .rule == "state_guard" and .call == "llama_state_seq_set_data" and (.msg | test("no name"))')"
run TAFFRAIL_SET=state_guard=off load=one.gguf memory
check memory "without the guard" 0 "$(count '.rule == "state_guard"')"

gguf one.gguf 3333
asks "the model was written anew" "restore failed" "files of the model have changed" load=one.gguf restore=e.bin
gguf one.gguf 1111

# In observe mode it is only said.
run load=one.gguf infer=1 save=o.bin
run TAFFRAIL_SET="state_guard=on;mode=observe" load=two.gguf restore=o.bin
check observe "what it got" "restore ok" "$(cat shim.out)"
has observe "would" '.ev == "would" and .rule == "state_guard" and (.msg | test("^would refuse: o.bin: .*model two, was one"))'

# A damaged entry: one line, nothing else lost, and the file is kept.
run load=one.gguf infer=1 save=p.bin
: >q.bin # its number may be that of a file which is gone, and then its entry takes that one's place
lines=$(grep -vc " ino=$(stat -c %i q.bin) " "$state/saved")
sed -i '2s/size=/size=1/' "$state/saved"
run load=one.gguf restore=p.bin
check damage "what it got" "restore ok" "$(cat shim.out)"
check damage "one line" 1 "$(count '.rule == "state_guard" and (.msg | test("/saved:2: damaged"))')"
run load=one.gguf save=q.bin
check damage "kept" 1 "$(find "$state" -name 'saved.damaged-*' | wc -l)"
check damage "the rest, and the new one" "$lines" "$(wc -l <"$state/saved")"
# Of a later version: left alone.
sed -i '1s/.*/taffrail saved 9/' "$state/saved"
cp "$state/saved" later
asks later "restore ok" "" load=two.gguf restore=p.bin
run load=one.gguf save=r.bin
check later "left alone" yes "$(cmp -s later "$state/saved" && echo yes)"
has later "a note" '.ev == "note" and .rule == "state_guard"'
# Not a file at all.
rm "$state/saved"
mkdir "$state/saved"
asks "a folder" "save ok" "" load=one.gguf save=s.bin
rmdir "$state/saved"

# No more than there may be; the oldest go.
words=()
for i in $(seq 300); do
	words+=("save=many-$i.bin")
done
run load=one.gguf "${words[@]}"
check many "entries" 256 "$(grep -c '^saved ' "$state/saved")"
check many "the oldest and the newest" "0 1" "$(grep -c 'name="many-1.bin"' "$state/saved") $(grep -c 'name="many-300.bin"' "$state/saved")"

# Names that are written as escapes make long lines: the oldest of them go for the newest.
fresh
long=$(printf '\xe9%.0s' {1..110})
gguf "$long.gguf" 3333
words=("load=$long.gguf")
for n in {1..230}; do
	words+=("save=${long:0:55}$n.bin")
done
run "${words[@]}"
check long "saved" "230 save ok" "$(sort shim.out | uniq -c | xargs)"
has_not long "one was not entered" '.msg // "" | test("could not be entered")'
check long "the newest" 1 "$(grep -c '230\.bin"' "$state/saved")"

tally 200
