#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# host.sh -- `taffrail doctor --host` over machines that are made up, and over this one.
#
# A machine is a folder with the files of /proc, /sys and /etc that are looked at.
#
# shellcheck disable=SC2154 # lib.sh sets work, state, tests
. "${SRC:?}/tests/integration/lib.sh"

bin=$BUILD/taffrail
export TAFFRAIL_STATE=$work/state
unset KUBERNETES_SERVICE_HOST

put() { # PATH TEXT
	mkdir -p "$root$(dirname "$1")"
	printf '%s\n' "$2" >"$root$1"
}

host() { # STATUS ARGUMENT...
	local wanted=$1
	shift
	"$bin" doctor --host "$@" >out 2>err </dev/null
	check "doctor --host $*" status "$wanted" $?
}

# The sorts of the findings of one id, joined by blanks.
sorts() { # ID
	jq -r "[.findings[] | select(.id == \"$1\").sort] | join(\" \")" out
}

is() { # CASE ID SORTS [PATTERN of a text]
	check "$1" "$2" "$3" "$(sorts "$2")"
	[ $# -lt 4 ] || jq -r ".findings[] | select(.id == \"$2\").text" out | grep -Eq -- "$4"
	check "$1" "$2: ${4:-}" 0 $?
}

# 1. This machine: something is said, nothing is made, and the keys are there.
"$bin" doctor --host --json >out 2>err </dev/null
status=$?
check 'this machine' 'status is 0 or 1' yes "$([ $status -le 1 ] && echo yes)"
check 'this machine' 'status and verdict agree' "$status" \
	"$(jq 'if .verdict == "problems" then 1 else 0 end' out)"
check 'this machine' 'stderr' '' "$(cat err)"
check 'this machine' 'kernel' "$(uname -r)" "$(jq -r .host.kernel out)"
check 'this machine' keys 'driver kernel limit stop_ms swap unit' \
	"$(jq -r '.host | keys | join(" ")' out)"
for id in policy kernel boot-id overcommit memory-limit journal pstore state stop-signal; do
	check 'this machine' "$id is there" yes "$([ -n "$(sorts $id)" ] && echo yes)"
done
check 'this machine' 'nothing is made' gone "$([ -e state ] || echo gone)"
"$bin" doctor --host >out 2>err
check 'this machine' 'every line has a verdict' '' \
	"$(grep -Ev '^  (ok|note|problem) |^this machine|^  [0-9]+ problems?, [0-9]+ notes?$' out)"

mkdir -m 700 "$work/xdg"
XDG_RUNTIME_DIR=$work/xdg "$bin" doctor --host --json >out
check lock 'a place is named' 1 "$(jq '[.findings[] | select(.id == "lock-dir")] | length' out)"
if [ "$(stat -c %u%a /run/taffrail 2>/dev/null)" != 01777 ]; then
	is lock lock-dir note "^$work/xdg/taffrail/lock is this user's"
fi
check lock 'nothing is made' gone "$([ -e xdg/taffrail ] || echo gone)"
printf '{"lock": {"scope": "path", "path": "/dev/null/x"}}' >place.json
host 1 --json --policy place.json
is 'no place for the lock' lock-dir problem

# 2. A good one.
root=$work/good
put /proc/sys/kernel/osrelease 6.1.0-18-amd64
put /proc/sys/kernel/version '#1 SMP'
put /proc/sys/kernel/random/boot_id 0a250ae0-3ba3-403c-b3e6-e91654cd88a1
put /etc/machine-id 3d1219c7c4c5404aaa1f6d2a48adfda4
put /proc/driver/nvidia/version 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22'
put /sys/module/nvidia/version 550.54.14
put /sys/module/xe/version ''
put /sys/class/drm/card0/device/vendor 0x10de
put /sys/class/drm/card0/device/device 0x2684
put /sys/class/drm/card0-DP-1/status connected
ln -s ../../../bus/pci/drivers/nvidia "$root/sys/class/drm/card0/device/driver"
put /proc/swaps "$(printf 'Filename Type Size Used Priority\n/dev/x partition 1048576 0 -2')"
put /proc/meminfo "$(printf 'MemTotal: 16777216 kB\nCommitLimit: 8388608 kB\nCommitted_AS: 1024 kB')"
put /proc/sys/vm/overcommit_memory 0
put /proc/sys/vm/overcommit_ratio 50
put /proc/sys/vm/max_map_count 1048576
put /sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
put /var/log/journal/3d1219c7c4c5404aaa1f6d2a48adfda4/system.journal ''
put /sys/fs/pstore/.keep ''
put /sys/module/pstore/parameters/backend efi_pstore
put /proc/sys/kernel/panic 10
put /proc/sys/kernel/dmesg_restrict 0
put /proc/sys/kernel/core_pattern '|/usr/lib/systemd/systemd-coredump %P'
put /proc/self/cgroup 0::/system.slice/llm.service
put /sys/fs/cgroup/system.slice/llm.service/memory.max max
put /etc/systemd/system/llm.service "$(printf '[Service]\nTimeoutStopSec=30')"
printf '{"exit": {"signals": ["TERM"], "deadline": "8s"}, "drain": {"deadline": "5s"}}' >server.json
host 0 --json --root "$root" --policy server.json
check good verdict ok "$(jq -r .verdict out)"
check good host '6.1.0-18-amd64 nvidia 550.54.14 1073741824 null llm.service 30000' \
	"$(jq -r '.host | "\(.kernel) \(.driver) \(.swap) \(.limit) \(.unit) \(.stop_ms)"' out)"
check good deadlines '8000 5000' "$(jq -r '"\(.exit_deadline_ms) \(.drain_deadline_ms)"' out)"
is good driver 'ok ok' '^nvidia 550\.54\.14$'
is good driver 'ok ok' '^xe of the kernel$'
is good gpu ok '^card0: NVIDIA 0x2684, driver nvidia$'
is good stop ok '^unit llm.service is killed 30\.0s after a stop, and a drain at the end may take 13\.0s$'
is good stop-signal ok
is good core ok '^dumps go to /usr/lib'

# A folder for a journal and nothing in it keeps nothing: gate says the same.
cp -R good hollow
rm -r hollow/var/log/journal/*
host 0 --json --root "$work/hollow" --policy server.json
is hollow journal note '^none here'

# 3. A bad one, line by line.
cp -R good bad
root=$work/bad
put /proc/sys/kernel/random/boot_id ''
put /etc/machine-id ''
put /proc/sys/vm/overcommit_memory 2
put /proc/sys/vm/max_map_count 1024
put /proc/swaps 'Filename Type Size Used Priority'
put /sys/fs/cgroup/system.slice/memory.max 536870912
put /etc/systemd/journald.conf "$(printf '[Journal]\n#Storage=auto\n Storage = volatile')"
put /sys/module/pstore/parameters/backend '(null)'
put /proc/sys/kernel/panic 0
put /run/systemd/system/llm.service.d/20-slow.conf "$(printf '[Service]\nTimeoutStopSec=20')"
put /run/systemd/system/llm.service.d/30-fast.conf "$(printf '[Service]\nTimeoutStopSec=12s')"
put /run/systemd/system/llm.service.d/40-none.txt "$(printf '[Service]\nTimeoutStopSec=99s')"
host 1 --json --root "$root" --policy server.json
for id in boot-id overcommit max-map-count memory-limit journal stop; do
	is bad $id problem
done
for id in machine-id swap pstore panic; do
	is bad $id note
done
is bad overcommit problem 'ratio 50%, 1\.0 MiB of 8\.0 GiB promised.*sysctl vm.overcommit_memory=0$'
is bad memory-limit problem '512\.0 MiB of 16\.0 GiB'
is bad stop problem 'killed 12\.0s after a stop, and exit.deadline with drain.deadline may take 13\.0s; set TimeoutStopSec to at least 13s$'
put /proc/sys/vm/overcommit_memory 1
host 1 --json --root "$root"
is bad overcommit note
is bad stop-signal note 'exit.signals to \["TERM"\]$'

# A unit that says nothing has the manager's time.
rm -r "$root/run/systemd"
put /etc/systemd/system/llm.service '[Service]'
put /etc/systemd/system.conf "$(printf '[Manager]\nDefaultTimeoutStopSec=3s')"
host 1 --json --root "$root"
is 'default of the manager' stop problem 'killed 3\.0s after a stop \(by default\)'
rm "$root/etc/systemd/system/llm.service"
host 1 --json --root "$root"
is 'no file of the unit' stop note 'stop time is unknown'

# In a container.
put /proc/self/cgroup 0::/
put /.dockerenv ''
host 1 --json --root "$root" --policy server.json
is container stop problem '^this container is killed 10\.0s after a stop \(by default\).*stop_grace_period'
host 1 --json --root "$root"
is container stop ok 'may take 5\.0s$'

# 4. Files of supervisors.
root=$work/good
cat >unit.service <<'END'
[Unit]
TimeoutStopSec=99
[Service]
ExecStart=/usr/bin/taffrail run -- llama-server
TimeoutStopSec=1min 5s
END
cat >short.yml <<'END'
services:
  llm:
    image: x
    stop_grace_period: 7s
  web:
    stop_grace_period: 1m30s
  idle:
    image: y
END
cat >agent.plist <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
	<key>ExitTimeOut</key>
	<integer>5</integer>
</dict></plist>
END
host 1 --json --root "$root" --policy server.json --unit unit.service --unit=short.yml \
	--unit agent.plist
is files stop 'ok ok problem ok problem problem' '^unit.service:5 is killed 1m 05s|^unit.service:5 is killed 65\.0s'
is files stop 'ok ok problem ok problem problem' \
	'^short.yml:4: service llm is killed 7\.0s after a stop, and exit.deadline with drain.deadline may take 13\.0s; set stop_grace_period to at least 13s$'
is files stop 'ok ok problem ok problem problem' '^short.yml: service idle is killed 10\.0s after a stop \(by default\)'
is files stop 'ok ok problem ok problem problem' '^agent.plist:3 is killed 5\.0s .*set ExitTimeOut to at least 13s$'
printf '{"lock": {"on_conflict": "wait", "max_wait": "10m"}, "cooldown": {"on_hold": "refuse"},
	"memory": {"on_misfit": "wait", "max_wait": "20s"}}' >waits.json
host 0 --json --root "$root" --policy waits.json --unit unit.service
is waits stop-wait 'note note' '^unit.service:5 is killed 1m 05s .*longer \(lock\.max_wait 10m 00s\): .*below TimeoutStopSec$'
sed 's/10m/25s/' waits.json >short.json
host 0 --json --root "$root" --policy short.json --unit unit.service
is 'short waits' stop-wait ''
sed 's/^{/{"mode": "observe", /' waits.json >observe.json
host 0 --json --root "$root" --policy observe.json --unit unit.service
is 'no waits' stop-wait ''
printf '[Service]\nTimeoutStopSec=soon\n' >bad.service
printf 'bplist00\001' >binary.plist
echo hello >strange.txt
printf 'hello: [' >none.yaml
host 1 --json --root "$root" --unit bad.service
is 'a bad value' stop 'ok problem ok' '^bad.service:2: the value of TimeoutStopSec is none'
host 1 --json --root "$root" --unit binary.plist --unit strange.txt --unit none.yaml
is 'no such file' stop 'ok problem problem problem' 'plutil -convert xml1'
is 'no such file' stop 'ok problem problem problem' '^strange.txt: neither a unit'
is 'no such file' stop 'ok problem problem problem' '^none.yaml: no service is found'
mkfifo pipe.yml
for file in missing.yml pipe.yml .; do
	host 64 --unit "$file"
	check "$file" 'one line' 1 "$(wc -l <err)"
	check "$file" stdout '' "$(cat out)"
done
printf 'services:\n  \033[31mred:\n    stop_grace_period: 1s\n' >colour.yml
host 1 --root "$root" --unit colour.yml
check 'a name cannot steer the terminal' escapes 0 "$(grep -c "$(printf '\033')" out)"

# 5. systemctl is asked first.
mkdir tools
cat >tools/systemctl <<'END'
#!/bin/sh
echo "$@" >>"${0%/*}/calls"
case $* in
*DefaultTimeoutStopUSec) echo DefaultTimeoutStopUSec=4s ;;
*) exit 1 ;;
esac
END
chmod +x tools/systemctl
printf '[Service]\n' >quiet.service
PATH=$work/tools:$PATH host 1 --json --unit quiet.service --policy server.json
is 'systemctl' stop "$(sorts stop)" '^quiet.service is killed 4\.0s after a stop \(by default\)'
check systemctl 'what it was asked' '--system show --property=DefaultTimeoutStopUSec' \
	"$(tail -n 1 tools/calls)"

# 6. Wrong arguments, a bad policy.
for wrong in "--host --" "--host true" "--host -- true" "--unit x" "--root x" "--host --unit" \
	"--host --root=" "--policy x"; do
	# shellcheck disable=SC2086 # several words
	"$bin" doctor $wrong >out 2>err
	check "doctor $wrong" status 64 $?
	check "doctor $wrong" 'one line' 1 "$(wc -l <err)"
done
printf '{"mode": "on"}' >wrong.json
host 1 --json --root "$root" --policy wrong.json
is 'a bad policy' policy problem '1 mistake; see taffrail check'

# 7. A root that is none is said; one that holds nothing is no machine of 0 bytes.
for wrong in "$work/nowhere" bad.service; do
	host 64 --root "$wrong"
	check "$wrong" 'one line' 1 "$(wc -l <err)"
	check "$wrong" stdout '' "$(cat out)"
done
host 64 --root nowhere
check nowhere said 'taffrail: doctor: --root nowhere: No such file or directory' "$(cat err)"
mkdir bare
host 1 --root bare
check bare 'the heading' 'the machine under bare, as the guard sees it' "$(head -n 1 out)"
check bare 'no path without the root' '' "$(grep -v 'mount -t pstore' out | grep -E '(^|[ "])/(proc|sys)/')"
check bare 'no amount of nothing' '' "$(grep -E '\b0 B\b' out)"
host 1 --json --root bare
is bare kernel problem '^bare/proc/sys/kernel/osrelease cannot be read; is that the root'
is bare boot-id problem '^bare/proc/sys/kernel/random/boot_id cannot'
is bare machine-id note 'bare/etc/machine-id'
is bare swap note '^unknown: bare/proc/swaps'
is bare overcommit note '^unknown: bare/proc/sys/vm/overcommit_memory cannot'
is bare memory-limit note 'what the machine has is unknown: bare/proc/meminfo'
is bare kernel-log note '^unknown: bare/proc/sys/kernel/dmesg_restrict'
is bare core note '^unknown: bare/proc/sys/kernel/core_pattern'
rm "$work/bad/proc/meminfo"
put_root=$root root=$work/bad
put /proc/sys/vm/overcommit_memory 2
put /proc/self/cgroup 0::/system.slice/llm.service
host 1 --json --root "$root"
is 'no meminfo' overcommit problem 'an unknown amount of an unknown amount promised'
is 'no meminfo' memory-limit problem '512\.0 MiB of an unknown amount'
root=$put_root

# 8. A session says it in its start record, and what its command looks like.
plain_guests guest_exit
with_shim FAKE_DECODE_MS=2 "$tests/guest_exit" exit
has 'start record' 'the kernel' ".ev == \"start\" and .host.kernel == \"$(uname -r)\""
has 'start record' 'the guess' '.ev == "start" and .guess == "embedded"'
cp "$tests/guest_exit" llama-server
cp "$tests"/libfake_llama.so .
with_shim FAKE_DECODE_MS=2 LD_LIBRARY_PATH="$work" ./llama-server exit
has 'start record' 'the guess for a server' '.ev == "start" and .guess == "server"'
TAFFRAIL_STATE=$state "$bin" report >out 2>err
check report host yes "$(grep -Eq "^  host +kernel $(uname -r)" out && echo yes)"
check report 'looks like' yes "$(grep -Eq '^  looks like server$' out && echo yes)"
TAFFRAIL_STATE=$state "$bin" report --json >out
check 'report --json' host "$(uname -r)" "$(jq -r '.. | objects | select(has("host")).host.kernel' out |
	head -n 1)"
tally 188
