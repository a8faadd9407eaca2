#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# signals.sh -- SIGTERM with exit.signals=TERM: drained where it would kill, and
# the program's own view of its handlers everywhere else.
#
# time-limit: 300
# The commands are for eval and perl.
# shellcheck disable=SC2016
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

set_term="TAFFRAIL_SET=exit.signals=TERM;exit.deadline=2s"

# STATE BEFORE STATUS DRAIN: "drained" (and the signal is in the log), "exit"
# (by the program's own exit), "none", or "unseen": the kernel takes a one-shot
# handler away without telling anyone, so the next such signal kills undrained.
table='
kill              -        signal_15  drained
kill              flags    signal_15  drained
raise             -        signal_15  drained
decode            -        signal_15  drained
inside            -        signal_15  drained
inside_now        -        signal_15  drained
inside_return     -        signal_15  drained
inside_exec       -        signal_15  drained
inside_abort      -        signal_15  drained
spin              -        signal_15  drained
thread            -        signal_15  drained
read              -        signal_15  drained
pause             -        signal_15  drained
sleep             -        signal_15  drained
poll              -        signal_15  drained
blocked           -        signal_15  drained
own_then_default  -        signal_15  drained
reset             -        signal_15  unseen
wait              -        exit_3     exit
view              -        exit_3     exit
view              own      exit_3     exit
view              ignored  exit_3     exit
view              flags    exit_3     exit
own               -        exit_5     exit
kill              own      exit_5     exit
own_info          -        exit_3     exit
ignore            -        exit_3     exit
ignore            ignored  exit_3     exit
fork              -        exit_3     exit
fork_view         -        exit_3     exit
fork_view         ignored  exit_3     exit
exec              -        exit_0     none
exec              ignored  exit_0     none
nothing           -        exit_4     none
'

plain_guests guest_signal
while read -r way before status drained; do
	[ -n "$way" ] || continue
	case="$way ${before/-/}"
	same "$case" FAKE_DECODE_MS=1 FAKE_LOG="$work/engine.log" "$set_term" "$tests/guest_signal" "$way" "$before"
	check "$case" status "${status/_/ }" "$(cat shim.status)"
	case $drained in
	drained)
		has "$case" "the signal" '.ev == "signal" and .call == "SIGTERM" and .rc == 15'
		has "$case" "the drain" '.ev == "drain" and .ph == "end" and .rc == 0'
		has "$case" "the end" '.ev == "exit" and .ph == "end" and .rc == -15'
		;;
	unseen) has_not "$case" "a signal was taken" '.ev == "signal"' ;;
	exit)
		has_not "$case" "a signal was taken" '.ev == "signal"'
		has "$case" "its own exit" '.ev == "exit" and .ph == "end" and .rc >= 0'
		;;
	esac
done <<<"$table"

# A fork child that computes has its own session and is drained too.
same fork_decode "$set_term" "$tests/guest_signal" fork_decode
check fork_decode sessions 2 "$(count '.ev == "start"')"
check fork_decode "signals taken" 1 "$(count '.ev == "signal"')"
has fork_decode "the child's end" '.ev == "exit" and .ph == "end" and .rc == -15'

# The first process of a container: the kernel ignores for it what has no handler,
# so one of ours would take away what protects it.
if [ "$(id -u)" -eq 0 ] && unshare --pid --fork true 2>/dev/null; then
	same "first process" "$set_term" timeout -s KILL 100 unshare --pid --fork --kill-child \
		"$tests/guest_signal" first
	check "first process" status "exit 3" "$(cat shim.status)"
	check "first process" lines "process 1 still here" "$(sed 1d shim.out | xargs)"
	has "first process" "that nothing is installed" \
		'.ev == "note" and (.msg | tostring | startswith("exit.signals is not in force: a first process"))'
	has "first process" "its own exit" '.ev == "exit" and .ph == "end" and .rc == 3'
else
	untried 7 "the first process: no process namespaces"
fi

# Without exit.signals nothing is installed, no thread is started, nothing is drained.
same off "$tests/guest_signal" kill
has_not off "a signal was taken" '.ev == "signal" or .ev == "drain" or .ev == "exit"'

# A synchronize that hangs: the deadline passes, and the death is the same.
with_shim FAKE_SYNC_MS=60000 "TAFFRAIL_SET=exit.signals=TERM;exit.deadline=300ms" "$tests/guest_signal" kill
check hung status "signal 15" "$(cat shim.status)"
has hung "what happened" '.ev == "exit" and .ph == "end" and .rule == "exit.deadline"'

# A decode that hangs keeps its context: given up, and the death is the same.
with_shim FAKE_HANG_AT=3 "TAFFRAIL_SET=exit.signals=TERM;exit.deadline=10m;drain.deadline=200ms" \
	"$tests/guest_signal" decode
check hung-decode status "signal 15" "$(cat shim.status)"
has hung-decode "what happened" '.ev == "drain" and (.msg | tostring | startswith("not drained"))'

# Who sent it.
with_shim "$set_term" perl -e 'my $p = open(my $from, "-|") // die; if (!$p) { exec @ARGV }
	<$from>; kill TERM => $p; waitpid $p, 0; print $? & 127, "\n"' \
	"$tests/guest_signal" decode_alone
check sender "signal of the child" 15 "$(tail -n 1 shim.out)"
has sender "the sender" '.ev == "signal" and (.msg | tostring | startswith("sent by process "))'

# Programs with signal handling of their own.  CASE | COMMAND
others='
python KeyboardInterrupt|python3 -c "import os,time
try:
    os.kill(os.getpid(), 2); time.sleep(2)
except KeyboardInterrupt: print(\"kept\")"
python SIGINT|python3 -c "import os,time; os.kill(os.getpid(),2); time.sleep(2)"
python SIG_IGN|python3 -c "import os,signal; signal.signal(2, signal.SIG_IGN); os.kill(os.getpid(),2); print(signal.getsignal(2))"
python SIGTERM|python3 -c "import os,time; os.kill(os.getpid(),15); time.sleep(2)"
python handler|python3 -c "import os,signal,sys,time; signal.signal(15, lambda *a: sys.exit(5)); os.kill(os.getpid(),15); time.sleep(2)"
python faulthandler|bash -c "python3 -X faulthandler -c \"import os; os.kill(os.getpid(), 11)\" 2>&1 | grep -v 0x; exit \${PIPESTATUS[0]}"
node SIGTERM|node -e "process.kill(process.pid,\"SIGTERM\"); setTimeout(()=>{},2000)"
node handler|node -e "process.on(\"SIGTERM\",()=>process.exit(5)); process.kill(process.pid,\"SIGTERM\"); setTimeout(()=>{},2000)"
bash trap|bash -c "trap \"echo trapped; exit 5\" TERM; kill -TERM \$\$; sleep 1"
bash default|bash -c "kill -TERM \$\$; sleep 1"
bash ignored, inherited|bash -c "trap \"\" INT; exec python3 -c \"import signal; print(signal.getsignal(2))\""
perl handler|perl -e "\$SIG{TERM} = sub { print \"caught\n\"; exit 5 }; kill TERM => \$\$; sleep 1"
'
# Each to others.list: CASE, a zero byte, COMMAND, a zero byte.
split_others() {
	local line
	printf '%s' "$others" | perl -0777 -ne 'for (split /\n(?=\w[\w ,]*\|)/) { s/^\n//; s/\n$//; print "$_\0" if /\S/ }' |
		while IFS= read -r -d '' line; do
			case=${line%%|*}
			printf '%s\0%s\0' "$case" "${line#*|}"
		done >others.list
}
split_others
while IFS= read -r -d '' case && IFS= read -r -d '' line; do
	command -v "${line%% *}" >/dev/null || continue
	eval "set -- $line"
	same "$case" "TAFFRAIL_SET=exit.signals=TERM,INT" "$@"
done <others.list

# Python that computes, through ctypes: SIGINT stays a KeyboardInterrupt, SIGTERM drains.
cat >compute.py <<'END'
import ctypes, os, sys, time
lib = ctypes.CDLL(sys.argv[1])
class Value(ctypes.Structure):
    _fields_ = [("n", ctypes.c_int32), ("pad", ctypes.c_int32), ("words", ctypes.c_uint64 * 38),
                ("mark", ctypes.c_uint64)]
class Batch(ctypes.Structure):
    _fields_ = [("n", ctypes.c_int32), ("pad", ctypes.c_int32), ("words", ctypes.c_uint64 * 9),
                ("mark", ctypes.c_uint64)]
def value(n, of=Value):
    return of(n=n, mark=0x7461666672616b65 ^ n)
for f in ("llama_model_load_from_file", "llama_init_from_model"):
    getattr(lib, f).restype = ctypes.c_void_p
lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Value]
lib.llama_init_from_model.argtypes = [ctypes.c_void_p, Value]
lib.llama_decode.argtypes = [ctypes.c_void_p, Batch]
ctx = lib.llama_init_from_model(lib.llama_model_load_from_file(b"/models/tiny.gguf", value(0)), value(0))
print(lib.llama_decode(ctx, value(1, Batch)), flush=True)
try:
    os.kill(os.getpid(), int(sys.argv[2]))
    time.sleep(2)
    print("came back", flush=True)
except KeyboardInterrupt:
    print("kept", flush=True)
    sys.exit(4)
END
if command -v python3 >/dev/null; then
	same "python computing, INT" "TAFFRAIL_SET=exit.signals=TERM,INT" python3 compute.py "$tests/libfake_llama.so" 2
	check "python computing, INT" out "kept" "$(tail -n 1 shim.out)"
	same "python computing, TERM" "TAFFRAIL_SET=exit.signals=TERM,INT" python3 compute.py "$tests/libfake_llama.so" 15
	has "python computing, TERM" "the drain" '.ev == "drain" and .ph == "end" and .rc == 0'
fi

tally 200
