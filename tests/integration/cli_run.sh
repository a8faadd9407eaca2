#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cli_run.sh -- a program under `taffrail run` is the program without it.
#
# Each case runs once as it is and once under `run`; stdout, stderr and the raw
# wait status must be equal.  Then come what `run` says, what it refuses and
# what it leaves behind.  No guest here uses an engine, so that must be nothing.
# Single quotes hold programs for the guests' shells.
# shellcheck disable=SC2016,SC2154 # lib_cli.sh sets bin, work
. "${SRC:?}/tests/integration/lib_cli.sh"
needs perl python3 setsid

# The raw wait status of a command goes to a file: 143 and SIGTERM are two things.
raw() { # FILE COMMAND...
	perl -e 'my $f = shift; my $r = system { $ARGV[0] } @ARGV;
		open(F, ">", $f); print F $r; close F' "$@"
}

# Runs COMMAND without and with the guard and compares all that can be seen.
both() { # NAME COMMAND...
	local name=$1
	shift
	raw plain.status "$@" >plain.out 2>plain.err <in
	raw guard.status "$bin" run -- "$@" >guard.out 2>guard.err <in
	for part in status out err; do
		same "$name: $part" "$(cat plain.$part)" "$(cat guard.$part)"
	done
}

state_is() { # PID LETTER
	[ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat")" = "$2" ]
}

# Standard error and exit status of `run` with these arguments.
says() { # NAME STATUS PATTERN ARGUMENT...
	local name=$1 status=$2 pattern=$3 rc
	shift 3
	"$bin" run "$@" >says.out 2>says.err </dev/null
	rc=$?
	same "$name: status" "$status" "$rc"
	if [ -z "$pattern" ]; then
		same "$name: silence" "" "$(cat says.err)"
	else
		same "$name: one line" 1 "$(grep -c '' says.err)"
		grep -q -e "^taffrail: .*$pattern" says.err
		ok "$name: line" $?
		grep -q -e "$pattern" says.err || sed 's/^/  got:    /' says.err
	fi
}

ends() {
	echo x >in
	both true true
	both false false
	both exit-7 bash -c 'exit 7'
	both exit-255 bash -c 'echo out; echo err >&2; exit 255'
	both sigterm bash -c 'kill -TERM $$'
	both sigkill bash -c 'kill -KILL $$'
	both sigsegv bash -c 'kill -SEGV $$'
	both sigquit sh -c 'kill -QUIT $$'
	both sigrt bash -c 'kill -RTMIN+3 $$'
	both exit-143 sh -c 'exit 143'
	both python python3 -c 'import os; os._exit(3)'
	both env-i env -i sh -c 'exit 5'
	both stdin cat
	both closes-all perl -e 'use POSIX; POSIX::close($_) for 0 .. 255; POSIX::_exit(6)'
	both own-group perl -e 'setpgrp; exec "sh", "-c", "exit 4"'
	both no-shebang sh -c 'printf "exit 9\n" >plain.sh; chmod +x plain.sh; exec ./plain.sh'
	printf 'echo by the shell; exit 9\n' >text
	chmod +x text
	both text-file env ./text
	says text-direct 9 '' ./text
}

# What a process is given besides its arguments.
surroundings() {
	both limits sh -c 'ulimit -a; umask; pwd; nice; cat /proc/self/oom_score_adj'
	both files sh -c 'ls /proc/self/fd; ls /proc/$$/fd'
	both group sh -c 'ps -o pgid=,sid=,tty= -p $$'
	both signals grep -E '^(Sig(Blk|Ign|Cgt|Pnd)|ShdPnd|NoNewPrivs|Seccomp):' /proc/self/status
	both ignored perl -e '$SIG{$_} = "IGNORE" for qw(INT CHLD HUP PIPE TSTP);
		exec "grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)", "/proc/self/status"'
	raw ignored.status perl -e '$SIG{$_} = "IGNORE" for qw(INT CHLD HUP PIPE TSTP); exec @ARGV' \
		"$bin" run -- grep -E '^Sig(Blk|Ign)' /proc/self/status >guard.out 2>&1
	perl -e '$SIG{$_} = "IGNORE" for qw(INT CHLD HUP PIPE TSTP); exec @ARGV' \
		grep -E '^Sig(Blk|Ign)' /proc/self/status >plain.out
	same 'ignored from outside' "$(cat plain.out)" "$(cat guard.out)"
	same 'ignored from outside: status' 0 "$(cat ignored.status)"
	local block='use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1, SIGTERM)); exec @ARGV'
	perl -e "$block" grep SigBlk /proc/self/status >plain.out
	perl -e "$block" "$bin" run -- grep SigBlk /proc/self/status >guard.out
	same 'mask from outside' "$(cat plain.out)" "$(cat guard.out)"
	sh -c 'ls /proc/self/fd' <&- 2>&- >plain.out
	"$bin" run -- sh -c 'ls /proc/self/fd' <&- 2>&- >guard.out
	same 'closed from outside' "$(cat plain.out)" "$(cat guard.out)"
	perl -e 'alarm 1; exec @ARGV' "$bin" run -- sleep 20
	same 'alarm from outside' $((128 + 14)) $?
	perl -e '$ENV{LISTEN_PID} = $ENV{WATCHDOG_PID} = $$; exec @ARGV' \
		"$bin" run -- sh -c '[ $LISTEN_PID = $$ ] && [ $WATCHDOG_PID = $$ ]'
	ok 'LISTEN_PID' $?
	BIG=$(head -c 100000 /dev/zero | tr '\0' b)
	export BIG
	both large sh -c 'echo ${#BIG} ${#1}' sh "$BIG"
	unset BIG
}

# A signal to `run` reaches the guest, and the guest's own do not come back.
signals() {
	local trap='trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.02; done' pid rc
	"$bin" run -- sh -c "$trap" >guard.out 2>guard.err &
	pid=$!
	await 60 grep -q ready guard.out
	kill -TERM $pid
	wait $pid
	same 'SIGTERM is forwarded: status' 9 $?
	same 'SIGTERM is forwarded: output' "ready got" "$(paste -sd' ' guard.out)"

	rm -f guard.out # what is waited for must be of this guest
	"$bin" run -- perl -e 'setpgrp; $SIG{USR1} = sub { print "usr1\n"; exit 3 };
		$| = 1; print "ready\n"; sleep 20' >guard.out &
	pid=$!
	await 60 grep -q ready guard.out
	kill -USR1 $pid
	wait $pid
	same 'another group' 3 $?

	"$bin" run -- sh -c 'kill -USR1 $PPID; sleep 0.2; exit 8'
	same "the guest's own signal" 8 $?

	(trap '' INT && exec "$bin" run -- sh -c 'kill -INT $$; echo alive') >guard.out 2>&1
	same 'SIGINT stays ignored' alive "$(cat guard.out)"

	"$bin" run -- sh -c 'echo $$ >guest.pid; exec sleep 20' &
	pid=$!
	await 60 test -s guest.pid
	kill -KILL $pid
	wait $pid 2>/dev/null
	kill -0 "$(cat guest.pid)" 2>/dev/null
	ok 'SIGKILL of run leaves the guest alone' $?
	kill -KILL "$(cat guest.pid)"

	rm -f late go
	"$bin" run -- sh -c 'sh -c "while [ ! -e go ]; do sleep 0.02; done; echo late >late" & exit 2'
	rc=$?
	same 'grandchild: status' 2 $rc
	[ ! -e late ]
	ok 'grandchild: not waited for' $?
	: >go
	await 60 test -s late
	ok 'grandchild: lives on' $?
}

stops() {
	local pid rc
	"$bin" run -- sh -c 'kill -STOP $$; echo on' >guard.out 2>guard.err &
	pid=$!
	await 60 state_is $pid T
	ok 'run stops with its guest' $?
	same 'stopped: no output yet' "" "$(cat guard.out)"
	kill -CONT $pid
	wait $pid
	rc=$?
	same 'continued: status' 0 $rc
	same 'continued: output' on "$(cat guard.out guard.err)"
	perl -e 'use POSIX ":sys_wait_h"; my $pid = fork;
		if (!$pid) { setpgrp; exec @ARGV }
		waitpid($pid, WUNTRACED); open(F, "/proc/$pid/stat");
		print "state ", <F> =~ /\) (.)/, "\n";
		$| = 1; kill "CONT", $pid; waitpid($pid, 0); print "ended ", $? >> 8, "\n"' \
		"$bin" run -- sh -c 'kill -TSTP $$; echo on; exit 3' >guard.out 2>&1
	same 'SIGTSTP and SIGCONT' "state T on ended 3" "$(sort -r guard.out | paste -sd' ')"
}

# On a terminal: ^C must reach the guest once, ^Z must stop both, fg must continue both.
terminal() {
	python3 - "$bin" <<'PY'
import os, pty, signal, sys, time
signal.alarm(200)

def child(argv):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    return pid, fd
def until(fd, word, text=b""):
    end = time.time() + 60
    while word not in text and time.time() < end:
        try:
            text += os.read(fd, 4096)
        except OSError:
            break
    return text
prog = "trap 'echo int' INT; echo ready; n=0; while [ $n -lt 15 ]; do sleep 0.1; n=$((n+1)); done; echo end"
pid, fd = child([sys.argv[1], "run", "--", "sh", "-c", prog])
until(fd, b"ready")
os.write(fd, b"\x03")
text = until(fd, b"end")
os.waitpid(pid, 0)
if text.count(b"int") != 1:
    print("^C came", text.count(b"int"), "times", text)
    sys.exit(1)
shell = """set -m
"$0" run -- sh -c 'echo ready; read x; echo got $x'
echo stopped $?; fg >/dev/null; echo ended $?"""
pid, fd = child(["/bin/bash", "-c", shell, sys.argv[1]])
text = until(fd, b"ready")
os.write(fd, b"\x1a")
text = until(fd, b"stopped")
os.write(fd, b"hello\n")
text = until(fd, b"ended", text)
os.waitpid(pid, 0)
if b"stopped 148" not in text or b"got hello" not in text or b"ended 0" not in text:
    print("^Z and fg:", text)
    sys.exit(1)
PY
	ok terminal $?
}

launching() {
	mkdir -p a b
	printf '#!/no/such/interpreter\n' >bad
	printf '#!/bin/sh\necho b\n' >b/tool
	printf '#!/bin/sh\necho a\n' >a/tool
	cp bad a/broken
	cp b/tool b/broken
	chmod +x bad b/tool a/broken b/broken
	says 'not found' 127 'no command "no-such-command"' -- no-such-command
	says 'no such file' 127 'no file ./no-such-file' ./no-such-file
	says 'a directory' 126 'Is a directory' /
	says 'not executable' 126 'Permission denied' a/tool
	says 'bad interpreter' 126 'asks for /no/such/interpreter' ./bad
	says 'no command' 64 'COMMAND is missing' --
	says 'unknown option' 64 'no option "--nonsense"' --nonsense true
	says 'value missing' 64 '--set wants a value' --set
	says 'not a setting' 64 'KEY=VALUE' --set nonsense -- true
	same 'PATH skips what is not executable' b "$(PATH=$work/a:$work/b "$bin" run tool)"
	same 'PATH skips a broken interpreter' b "$(PATH=$work/a:$work/b "$bin" run broken)"
	same 'an empty PATH element is here' "$(cd b && PATH=: ./tool)" "$(cd b && PATH=: "$bin" run tool)"
	same '--exec keeps the process' 1 "$(sh -c 'echo $$; exec "$0" run --exec -- sh -c "echo \$\$"' \
		"$bin" | sort -u | wc -l)"
	says '--exec, not found' 127 'no command' --exec no-such-command
	perl -e '$SIG{INT} = "IGNORE"; exec @ARGV' "$bin" run --exec -- \
		grep -E '^Sig(Blk|Ign)' /proc/self/status >guard.out
	perl -e '$SIG{INT} = "IGNORE"; exec @ARGV' grep -E '^Sig(Blk|Ign)' /proc/self/status >plain.out
	same '--exec: signals' "$(cat plain.out)" "$(cat guard.out)"
}

unguardable() {
	local busybox
	busybox=$(command -v busybox)
	if [ -n "$busybox" ] && ! readelf -l "$busybox" 2>/dev/null | grep -q INTERP; then
		says static 0 'runs unguarded: it is statically linked' -- "$busybox" true
		says 'static, strict' 69 'is not started.*statically linked' --strict -- "$busybox" true
		TAFFRAIL_STRICT=1 says 'static, strict by environment' 69 'is not started' "$busybox" true
		same 'static: its output' x "$("$bin" run -- "$busybox" echo x 2>/dev/null)"
		same 'static: its children are reached' 1 \
			"$("$bin" run -- "$busybox" sh -c 'echo $LD_PRELOAD' 2>/dev/null | grep -c libtaffrail)"
		printf '#!%s sh\nexit 4\n' "$busybox" >by-static
		chmod +x by-static
		says 'static interpreter' 4 "its interpreter is .*busybox" ./by-static
	fi
	cp "$(type -P true)" setuid
	if [ "$(id -u)" = 0 ]; then
		chown 65534 setuid
		chmod 4755 setuid
		says setuid 0 'runs unguarded: it is setuid' ./setuid
		says 'setuid, strict' 69 'it is setuid' --strict ./setuid
		chown 0 setuid
		chmod 4755 setuid
		says 'setuid to oneself' 0 '' ./setuid
	elif [ -u "$(command -v su)" ]; then
		says setuid 0 'runs unguarded: it is setuid' su --version
	fi
	if command -v musl-gcc >/dev/null; then
		echo 'int main(void) { return 3; }' >musl.c
		musl-gcc -o musl musl.c && says musl 3 'it uses musl' ./musl
	fi
	mkdir -p alone
	cp "$bin" alone/
	alone/taffrail run -- sh -c 'echo out; exit 3' >says.out 2>says.err
	same 'no object: status' 3 $?
	same 'no object: output' out "$(cat says.out)"
	grep -q 'runs unguarded: libtaffrail.so is neither' says.err
	ok 'no object: line' $?
	alone/taffrail run --strict -- true 2>/dev/null
	same 'no object: strict' 69 $?
	cp "$(dirname "$bin")/libtaffrail.so" alone/
	mkdir 'with blank'
	cp alone/* 'with blank/'
	'with blank/taffrail' run -- true 2>says.err
	grep -q 'a blank or a colon' says.err
	ok 'a path with a blank' $?
}

environment() {
	local lib own
	own=$(dirname "$(readlink -f "$bin")")/libtaffrail.so
	lib=$(ldconfig -p | sed -n 's/.*libm\.so\.6 .*x86-64.*=> //p; s/.*libm\.so\.6 .*AArch64.*=> //p' | head -n 1)
	same 'LD_PRELOAD' "$own" "$("$bin" run -- sh -c 'echo $LD_PRELOAD')"
	same "LD_PRELOAD of the user's" "$own:$lib" "$(LD_PRELOAD=$lib "$bin" run -- sh -c 'echo $LD_PRELOAD')"
	same 'LD_PRELOAD with blanks' "$own:$lib:$lib" \
		"$(LD_PRELOAD="$lib $own:$lib" "$bin" run -- sh -c 'echo $LD_PRELOAD')"
	same 'nested: preload once' "$own" "$("$bin" run -- "$bin" run -- sh -c 'echo $LD_PRELOAD')"
	same 'nested: one run' 1 "$("$bin" run -- sh -c 'echo $TAFFRAIL_RUN; "$0" run -- sh -c "echo \$TAFFRAIL_RUN"' \
		"$bin" | sort -u | grep -cE '^[0-9a-f]{16}$')"
	same 'nested: status' 7 "$("$bin" run -- "$bin" run -- sh -c 'exit 7'; echo $?)"
	same 'off' "none none" "$(TAFFRAIL=off "$bin" run -- sh -c 'echo ${LD_PRELOAD-none} ${TAFFRAIL_RUN-none}')"
	same 'mode off' "none none" \
		"$("$bin" run --set mode=off -- sh -c 'echo ${LD_PRELOAD-none} ${TAFFRAIL_RUN-none}')"
	same 'label' 'night run' "$("$bin" run --label 'night run' -- sh -c 'echo $TAFFRAIL_LABEL')"
	says 'no record' 0 '' -- true
	says 'no record, verbose' 3 'sh (pid [0-9]*) used no engine and no GPU that taffrail sees: .* no record of it; see: taffrail doctor -- sh$' \
		-v -- sh -c 'exit 3'
	says 'no record, strict' 0 'used no engine and no GPU that taffrail sees' --strict -- true
	same 'no record, report' 1 "$("$bin" report | grep -c '^No run is recorded in .*/crumbs: what uses no engine')"
	same 'state is absolute' "$work/rel" "$("$bin" run --state rel -- sh -c 'echo $TAFFRAIL_STATE')"
	same 'state of the environment too' "$work/rel" \
		"$(TAFFRAIL_STATE=rel "$bin" run -- sh -c 'cd /; echo $TAFFRAIL_STATE')"
	same 'set' 'mode=observe' "$("$bin" run --set mode=observe -- sh -c 'echo $TAFFRAIL_SET' | grep -o mode=observe)"
	same 'set: the later wins' 'mode=observe' \
		"$(TAFFRAIL_SET=mode=enforce "$bin" run --set mode=observe -- sh -c 'echo $TAFFRAIL_SET' | grep -o 'mode=[a-z]*' | tail -n 1)"
	same 'propagate' inherit "$("$bin" run -- sh -c 'echo $TAFFRAIL_PROPAGATE')"
	same 'propagate force' force "$("$bin" run --set propagate=force -- sh -c 'echo $TAFFRAIL_PROPAGATE')"
	same 'lever' 1 "$("$bin" run --set env.set.TAF_TEST_LEVER=1 -- sh -c 'echo $TAF_TEST_LEVER')"
	same "lever of the user's" 2 \
		"$(TAF_TEST_LEVER=2 "$bin" run --set env.set.TAF_TEST_LEVER=1 -- sh -c 'echo $TAF_TEST_LEVER' 2>err)"
	same "lever of the user's: one line" \
		'taffrail: env.set.TAF_TEST_LEVER has no effect: it is set already, and env.force is off' \
		"$(cat err)"
	TAF_TEST_LEVER=1 "$bin" run --set env.set.TAF_TEST_LEVER=1 -- true 2>err
	same "the same as the user's: no line" '' "$(cat err)"
	same 'lever by force' 1 "$(TAF_TEST_LEVER=2 "$bin" run --set env.set.TAF_TEST_LEVER=1 \
		--set env.force=on -- sh -c 'echo $TAF_TEST_LEVER')"
}

state() {
	mkdir real
	ln -s real link
	echo >file
	[ ! -e state ]
	ok 'a guest without an engine leaves no trace' $?
	says 'state is a link' 0 'symbolic link' --state link -- true
	says 'state is a link, with a slash' 0 'symbolic link' --state link/ -- true
	says 'state is a link, strict' 69 'symbolic link' --strict --state link -- true
	says 'state is a file' 0 'not a directory' --state file -- true
	mkdir -m 777 open
	says 'others may write state' 0 'open may be written by others .mode 0777.; chmod 700' \
		--state open -- true
	says 'others may write state, strict' 69 'may be written by others' --strict --state open -- true
	mkdir -p ours/crumbs && chmod 770 ours/crumbs
	says 'a group may write crumbs' 0 'ours/crumbs may be written by others' --state ours -- true
	chmod 750 ours/crumbs
	says 'a group may read crumbs' 0 '' --state ours -- true
	says 'state below a file' 0 'state directory' --state file/below -- true
	says 'state in /proc' 0 'no crumbs: the state directory' --state /proc/taffrail -- true
	same 'the guest runs all the same' on "$("$bin" run --state link -- echo on 2>/dev/null)"
	if [ "$(id -u)" = 0 ]; then
		mkdir theirs
		chown 65534 theirs
		says "state of another's" 0 'belongs to user 65534' --state theirs -- true
		if mkdir full && mount -t tmpfs -o size=64k,mode=700 none full 2>/dev/null; then
			says 'state is full' 0 'full file system' --state full -- true
			mount -o remount,ro full
			says 'state is read-only' 0 'read-only' --state full -- true
			umount full
		fi
	else
		mkdir -m 500 locked
		says 'state is not writable' 0 'not writable' --state locked -- true
	fi
}

# What is said of the policy before the guest starts.
policy() {
	local rest
	echo '{"mode": "observe" "trace": true}' >broken.json
	echo '{"drain": {"post_sync": true}}' >good.json
	said() { # NAME LINE ARGUMENT...: the last line
		local name=$1 line=$2
		shift 2
		same "$name" "taffrail: $line" "$("$bin" run "$@" 2>&1 >says.out | tail -n 1)"
	}
	rest='is not started, because the policy has'
	says 'a good policy' 0 '' --policy good.json -- true
	said 'no JSON' 'the built-in policy is in force instead' --policy broken.json -- true
	said 'no file' 'the built-in policy is in force instead' --policy none.json -- true
	TAFFRAIL_POLICY=none.json said 'a relative file' 'the built-in policy is in force instead' -- true
	TAFFRAIL_POLICY=none.json says 'relative, but not asked' 0 '' --policy good.json -- true
	TAFFRAIL=off says 'off' 0 '' -- true
	said 'strict' "true $rest 1 mistake; see: taffrail check broken.json --set 'mode=observe'" \
		--strict --policy broken.json --set mode=observe -- true
	said 'strict, of the set' "true $rest 1 mistake; see: taffrail check --set 'mode=x'" \
		--strict --set mode=x -- true
	says 'all in force' 0 '' --set trace=on --set crumbs.journal=on -- true
}

# A guest that runs until `run` has said what it sees of it.
sees() { # NAME PATTERN COMMAND...
	local name=$1 pattern=$2 pid
	shift 2
	rm -f seen says.err
	"$bin" run -- "$@" >says.out 2>says.err </dev/null &
	pid=$!
	await 60 grep -q "^taffrail: .*$pattern" says.err
	: >seen
	wait $pid
	same "$name: status" 0 $?
	same "$name: one line" 1 "$(grep -c '' says.err)"
	grep -q "^taffrail: .*$pattern" says.err
	ok "$name: line" $?
}

# What a look at the running guest finds.
witness() {
	local lib
	lib=$(ldconfig -p | sed -n 's/.*libm\.so\.6 .*=> //p' | head -n 1)
	cp "$lib" libllama-test.so
	sees 'unguarded engine' 'has libllama-test.so loaded but runs unguarded' \
		env LD_PRELOAD="$work/libllama-test.so" sh -c 'until [ -e seen ]; do sleep 0.02; done'
	TAFFRAIL_STATE=$work/st says 'TAFFRAIL=off in the guest' 0 '' -- \
		env TAFFRAIL=off LD_PRELOAD="$work/libllama-test.so" sleep 1.5
	echo GGUF >tiny.gguf
	sees 'a model and no crumb' 'has tiny.gguf mapped but left no crumb' python3 -c '
import mmap, os, time
f = open("tiny.gguf", "r+b")
m = mmap.mmap(f.fileno(), 0)
while not os.path.exists("seen"):
	time.sleep(0.02)'
}

core_file() {
	[ "$(cat /proc/sys/kernel/core_pattern)" = core ] || return 0
	mkdir core-here
	(cd core-here && ulimit -c unlimited && "$bin" run -- sh -c 'kill -SEGV $$') >/dev/null 2>&1
	[ "$(find core-here -type f | wc -l)" -le 1 ]
	ok 'one core file at most' $?
}

for part in ends surroundings signals stops terminal launching unguardable environment state policy witness \
	core_file; do
	$part
done
tally 160
