#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check_policy.sh -- `taffrail check` over good and bad policies.
#
# The exact lines of single mistakes are in tests/unit/test_config.c; here it
# is the command: which file it takes, what it exits with, what goes to stdout
# and what to stderr, what --effective, --json, --schema and --compile give.
# shellcheck disable=SC2154 # lib_cli.sh sets bin, work
. "${SRC:?}/tests/integration/lib_cli.sh"
export HOME=$work/home XDG_CONFIG_HOME=$work/config
mkdir -p home config/taffrail

has() { # NAME PATTERN FILE
	grep -Eq -- "$2" "$3"
	same "$1: $2" 0 $?
}

check() { # STATUS ARGUMENT...
	local wanted=$1
	shift
	"$bin" check "$@" >out 2>err </dev/null
	same "status of check $*" "$wanted" $?
}

# 1. The examples are policies without a mistake, whichever there are, and say why.
sound() { # FOLDER: prints the files that are none
	local file
	for file in "$1"/*.json; do
		"$bin" check "$file" >out 2>err </dev/null && [ ! -s err ] &&
			grep -Eq '^no mistake: [0-9]+ setting' out || echo "$(basename "$file"): $(head -n 1 err)"
	done
}
same 'examples' '' "$(sound "$SRC/examples")"
mkdir examples
cp "$SRC"/examples/*.json examples/
sed 's/"deadline": "/&x/' "$SRC/examples/guarded.json" >examples/broken.json
echo '{ "drain": }' >examples/worse.json
same 'a broken example is seen' 'broken.json: worse.json:' \
	"$(sound examples | sed 's/: .*/:/' | xargs)"
for name in guarded mlx-lm-server llama-server node-llama-cpp ollama vllm ds4 laptop shared-box observe trace; do
	file=$SRC/examples/$name.json
	same "$name: says what it is" 1 "$(sed -n 2p "$file" | grep -c "^// $name.json -- ")"
	[ "$(grep -c '//' "$file")" -ge 6 ]
	same "$name: says why" 0 $?
done

# So is the one of the front page, which says that it has ten lines.
mkdir readme
sed -n '/^```json$/,/^```$/p' "$SRC/README.md" | grep -v '^```' >readme/policy.json
same 'README: a policy' '10 lines, sound' "$(wc -l <readme/policy.json) lines, $(sound readme)sound"

# 2. Mistakes: all of them, with their places, and 78.
cat >bad.json <<'END'
{
	"mode": "enfroce",
	"drian": { "post_sync": true },
	"drain": { "deadline": 2, "post_sync": true },
	"cadence": { "same_model": "99d" }
}
END
check 78 bad.json
same 'lines' "bad.json:2:10: mode: \"enfroce\" is not one of its words; write enforce, observe or off
bad.json:3:2: drian: there is no such setting; did you mean drain?
bad.json:4:25: drain.deadline: a number alone has no unit; write \"2s\"
bad.json:5:29: cadence.same_model: \"99d\" is out of range; write 0s to 1d" "$(cat err)"
has 'count' '^4 mistakes: what is wrong has no effect: a setting of the file keeps its default' out
cat >classes.json <<'END'
{ "cooldown": { "classes": {
	"gpu_hnag": 2,
	"79": 2,
	"nothing_like_it_at_all": 1,
	"amdgpu_reset": 0
} } }
END
check 78 classes.json
same 'classes' 'classes.json:2:14: cooldown.classes.gpu_hnag: "gpu_hnag" is no class that is known; did you mean gpu_hang?
classes.json:4:28: cooldown.classes.nothing_like_it_at_all: "nothing_like_it_at_all" is no class that is known; taffrail-evidence(7) lists them all' "$(cat err)"
check 78 --json --effective classes.json
same 'the other classes stand' '79:2,amdgpu_reset:0' \
	"$(jq -r '.settings[] | select(.path == "cooldown.classes").value' out)"
check 78 --json nosuch.json
same 'a document of a file that is not there' 'false nosuch.json: there is no such file; name one that exists' \
	"$(jq -r '"\(.valid) \(.mistakes[0].text)"' out)"
check 78 --effective bad.json
has 'the default stays' '^  mode +enforce +built-in$' out
has 'the others stand' '^  drain.post_sync +on +/.*/bad.json:4$' out
printf '{"mode": "observe",}' >broken.json
check 78 broken.json
same 'broken' 'broken.json:1:19: a comma with nothing behind it; remove it' "$(cat err)"
has 'broken: what is in force' 'the built-in policy takes its place' out
check 78 missing.json
same 'missing' 'missing.json: there is no such file; name one that exists' "$(cat err)"
check 78 .
same 'a folder' '.: it is a folder; name a file' "$(cat err)"
: >empty.json
check 78 empty.json
has 'empty' '^empty.json:1:1: it is empty' err
mkfifo pipe.json
check 78 pipe.json
has 'a pipe is not waited for' 'no plain file' err

# 3. The search: the first that exists, and only that one.
put() { # FILE DEADLINE
	printf '{"drain": {"deadline": "%s"}}' "$2" >"$1"
}
deadline() { # WANTED ARGUMENT...
	local wanted=$1
	shift
	"$bin" check --effective "$@" >out 2>err
	same "deadline: $*" "$wanted" "$(awk '$1 == "drain.deadline" { print $2 }' out)"
}
put home.json 3s
put user.json 4s
put env.json 5s
put given.json 6s
deadline 2s
has 'built-in' '^policy: built-in' out
mkdir -p home/.config/taffrail
cp home.json home/.config/taffrail/policy.json
deadline 2s
has 'nothing is set' '^no mistake: .*, so every setting has its default$' out
check 0 --set drain.deadline=5s --set mode=observe
has 'set without a file' \
	'^no mistake: there is no file; TAFFRAIL_SET and --set give 2 settings, the others' out
(unset XDG_CONFIG_HOME && "$bin" check --effective >out)
same 'HOME' 3s "$(awk '$1 == "drain.deadline" { print $2 }' out)"
cp user.json config/taffrail/policy.json
deadline 4s
export TAFFRAIL_POLICY=$work/env.json
deadline 5s
deadline 6s given.json
deadline 6s --policy given.json
export TAFFRAIL_POLICY=env.json
deadline 4s
export TAFFRAIL_POLICY=$work/none.json
deadline 4s
has 'missing, by its variable' '/none.json: there is no such file \(TAFFRAIL_POLICY\); name' err
export TAFFRAIL_POLICY=env.json
deadline 4s
has 'relative' '^TAFFRAIL_POLICY: env.json is relative' err
unset TAFFRAIL_POLICY

# 4. Setting by setting: TAFFRAIL_SET, then --set, over the file and its profiles.
cat >prof.json <<'END'
{
	"exit": { "deadline": "4s" },
	"profiles": [
		{ "name": "shells", "match": { "exe": "*sh" }, "settings": { "exit": { "deadline": "7s" } } },
		{ "name": "llama", "match": { "engine": "llama" }, "settings": { "mode": "observe" } }
	]
}
END
cat >role.json <<'END'
{
	"watch": { "infer_after": "7s" },
	"profiles": [
		{ "name": "shells", "match": { "exe": "*sh" },
		  "role": "server", "settings": { "drain": { "every": "5s" } } }
	]
}
END
row() { # NAME WANTED
	same "$1" "$2" "$(grep -E "^  $1 " out | sed 's/^ *//; s/  */ /g; s|/[^ ]*/||')"
}
check 0 --effective prof.json
row exit.deadline 'exit.deadline 4s prof.json:2'
row drain.deadline 'drain.deadline 2s built-in'
check 0 --effective prof.json -- sh -c true
has 'profile' '^profile shells applies' out
has 'profile by engine' '^profile llama applies when the engine is llama' out
check 0 --effective role.json -- bash uvicorn
row watch.infer_after 'watch.infer_after 1m role.json:5: profile shells, role server'
row drain.every 'drain.every 5s role.json:5: profile shells'
row memory.max_single_alloc 'memory.max_single_alloc 4GB role.json:5: profile shells, role server'
has 'role of a profile' '^profile shells, role server, applies$' out
has 'role by command' '^role: server by its command, server by its profile, whose limits are in' out
check 0 --effective role.json -- ls
row watch.infer_after 'watch.infer_after 7s role.json:2'
has 'no sign of a role' '^role: no sign of one \(embedded, if an engine runs in it\) by its command, none by a profile' out
"$bin" check --effective --json role.json -- ls >out
same 'no sign of a role, as JSON' null "$(jq .role_by_command out)"
check 0 --effective role.json -- nosuchcmd serve
has 'no such command: no role' '^role: unknown, since there is no program nosuchcmd that could be started \(No such file or directory\); none by' out
check 0 --effective --json role.json -- ./uvicorn
same 'no such command, as JSON' '[null,true]' "$(jq -c '[.role_by_command, (.warnings | any(startswith("there is no program ./uvicorn")))]' out)"
check 0 --effective prof.json -- true
row exit.deadline 'exit.deadline 4s prof.json:2'
has 'no profile' '^profile shells does not match' out
export TAFFRAIL_SET='exit.deadline=8s; env.set.A=b=c'
check 0 --effective prof.json -- bash
row exit.deadline 'exit.deadline 8s TAFFRAIL_SET'
row env.set 'env.set A=b=c TAFFRAIL_SET'
check 0 --effective prof.json --set exit.deadline=9s --set=mode=observe -- bash
row exit.deadline 'exit.deadline 9s --set'
row mode 'mode observe --set'
has 'observe is told' 'warning: mode is observe' out
export TAFFRAIL_SET='exit.deadlin=8s;nonsense'
check 78 --effective prof.json --set drain.deadline=7
has 'name of the set' '^TAFFRAIL_SET: there is no setting "exit.deadlin"; did you mean exit.deadline\?' err
has 'no value' '^TAFFRAIL_SET: "nonsense" has no value' err
has '--set' '^--set: drain.deadline: "7" has no unit' err
unset TAFFRAIL_SET

# 5. What cannot take effect.
export LEVER=mine
check 0 --effective --set env.set.LEVER=ours --set exit.signals=TERM --set drain.at_exit=off -- true
has 'lever' 'env.set.LEVER has no effect: it is set already' out
has 'signals' 'exit.signals has no effect: drain.at_exit is off' out
check 0 --effective --set env.set.LEVER=ours --set env.force=on -- true
if grep -q 'env.set.LEVER has no effect' out; then
	same 'a forced lever' silent warned
fi
check 0 --effective --set memory.limit=1GiB -- true
has 'limit' 'memory.limit only warns: memory.on_misfit is warn' out
check 0 --effective --set memory.limit=1GiB --set memory.on_misfit=wait -- true
if grep -q 'only warns' out; then
	same 'a limit that refuses' silent warned
fi
check 0 --effective --set memory.limit=0MiB -- true
has 'a limit of 0' 'memory.limit is 0: nothing is below it; off is no limit' out
all="eval.chunk=8;limits.cache=1GiB;limits.memory=2GiB;drain.no_clear=mlx:==0.31.1;state_guard=on"
TAFFRAIL_SET=$all check 0 --effective -- ./llama-server
for key in eval.chunk limits.cache limits.memory; do
	has "of mlx, in llama-server" "^warning: $key has no effect: it is for mlx, and llama-server computes by llama" out
done
has 'no version of llama' '^warning: drain.no_clear has no effect: it names no version of llama' out
same 'state_guard, llama-server' 0 "$(grep -c '^warning: state_guard' out)"
TAFFRAIL_SET=$all check 0 --effective -- mlx_lm.server
has 'state_guard, mlx' '^warning: state_guard has no effect: it is for llama, and mlx-server computes by mlx' out
same 'of mlx, in mlx' 0 "$(grep -Ec '^warning: (eval.chunk|limits.[cm]|drain.no_clear)' out)"
# Nobody asked for what has its default, and another program may compute by anything.
check 0 --effective -- ./llama-server
same 'a default' 0 "$(grep -c '^warning: drain.no_clear' out)"
TAFFRAIL_SET=$all check 0 --effective -- true
same 'an unknown program' 0 "$(grep -Ec '^warning: (eval.chunk|state_guard)' out)"
check 0 --effective -- no-such-program
has 'no program' 'there is no program no-such-program' out

# 6. For programs, and for the guard.
check 78 --json bad.json
if command -v jq >/dev/null; then
	same 'json' 'false 4 bad.json 2 10' \
		"$(jq -r '"\(.valid) \(.mistakes | length) \(.mistakes[0] | "\(.file) \(.line) \(.col)")"' out)"
	same 'json: stderr' '' "$(cat err)"
	check 0 --json --effective prof.json -- bash
	cp out before
	same 'json: profile' '7s profile shells 4' "$(jq -r '.settings[] |
		select(.path == "exit.deadline") | "\(.value) \(.origin) \(.profile) \(.line)"' out)"
	TAFFRAIL_SET="exit.deadline=9s;drain.idle_ms=5ms" check 0 --json --effective prof.json \
		--set exit.deadline=8s --set drain.at_exit=off
	same 'json: how many are given by what' "$(jq -r .settings_given before) 1 2" \
		"$(jq -r '"\(.settings_given) \(.settings_env) \(.settings_argv)"' out)"
	check 0 --schema
	same 'schema' 'true boolean true' "$(jq -r '"\(.properties.profiles.type == "array") " +
		"\(.properties.drain.properties.post_sync.type) \(.properties | has("mode"))"' out)"
	same 'schema: a variable' 'string number' \
		"$(jq -r '.properties.env.properties.set.additionalProperties.type | join(" ")' out)"
fi
check 0 --compile prof.json
sum=$(sha256sum prof.json | cut -d' ' -f1)
same 'compiled' "$work/state/policy/$sum.bin" "$(sed -n 's/^compiled: //p' out)"
same 'modes' '700 700 600' "$(stat -c %a state state/policy "state/policy/$sum.bin" | xargs)"
same 'nothing else is left there' 1 "$(find state -type f | wc -l)"
first=$(stat -c %i "state/policy/$sum.bin")
check 0 --compile prof.json
same 'the same is not written twice' "$first" "$(stat -c %i "state/policy/$sum.bin")"
rm -rf state
check 0 prof.json
same 'check writes nothing' 1 "$([ -e state ] || echo 1)"

# The manual lists the words that a setting takes, no others.
if command -v mandoc >/dev/null; then
	mandoc -T utf8 -O width=1000 "$SRC/docs/man/taffrail-policy.5" | col -b >page
	worded=0
	while read -r path; do
		"$bin" check --set "$path=@" 2>&1 >/dev/null |
			sed -n 's/.* is not one of its words; write //p' >words
		[ -s words ] || continue
		worded=$((worded + 1))
		same "words of $path in the manual" "$(cat words)" \
			"$(grep -A3 "^ *$path\( \|$\)" page | sed -n 's/^[[:space:]]*Takes \([^;]*\);.*/\1/p' |
				head -n 1)"
	done < <("$bin" check --effective | sed -n 's/^  \([a-z][a-z_.0-9]*\) .*/\1/p')
	[ "$worded" -ge 15 ]
	same 'settings that take words' 0 $?
fi

# 7. Without its companion it says so, once, and goes on with the built-in policy.
mkdir alone
cp "$bin" alone/taffrail
alone/taffrail check prof.json >out 2>err
same 'alone: status' 78 $?
same 'alone: lines' 1 "$(wc -l <err)"
has 'alone' '^libtaffrail-json.so, which reads policy files, is missing' err
alone/taffrail check >out 2>err
same 'alone, built-in: status' 78 $?
rm config/taffrail/policy.json
alone/taffrail check >out 2>err
same 'alone, no file: status' 0 $?
TAFFRAIL_LIBDIR=$(dirname "$bin") alone/taffrail check prof.json >out 2>err
same 'TAFFRAIL_LIBDIR: status' 0 $?

# 8. Wrong arguments.
check 64 --nonsense
check 64 a.json b.json
check 64 --effective --
check 64 -- true

tally 82
