#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# propagation.sh -- which children are guarded (core.md 6.3).
#
# A child is guarded when libtaffrail.so is mapped in it.  `inherit` leaves
# environments as the program made them; `force` puts ours back where the
# program cleared it, unless the child's environment says TAFFRAIL=off.  A
# program sees no other change in what it hands to its children.
#
# time-limit: 300
# The commands are for eval.
# shellcheck disable=SC2016
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

# Prints 1 when the shim is mapped in this process, else 0.
cat >probe.c <<-'END'
	#include <stdio.h>
	#include <string.h>
	int main(void)
	{
		char line[4096];
		int found = 0;
		FILE *f = fopen("/proc/self/maps", "r");
		while (f && fgets(line, sizeof(line), f))
			found |= strstr(line, "/libtaffrail.so") != NULL;
		printf("%d\n", found);
		return 0;
	}
END
"${CC:-cc}" -o probe probe.c || exit 1
probe=$work/probe # of the commands below
: "$probe"

# Runs the probe in the way that argv[1] names, with an environment of its own.
cat >spawner.c <<-'END'
	#define _GNU_SOURCE
	#include <spawn.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <sys/wait.h>
	#include <unistd.h>
	extern char **environ;
	int main(int argc, char **argv)
	{
		char *none[] = { NULL }, *other[] = { "LD_PRELOAD=libm.so.6", "A=b", NULL };
		char *off[] = { "TAFFRAIL=off", NULL }, *args[] = { "probe", NULL };
		const char *how = argv[1], *probe = argv[2];
		pid_t pid = 0;
		int status = 0;
		(void)argc;
		if (!strcmp(how, "spawn-none"))
			posix_spawn(&pid, probe, NULL, NULL, args, none);
		else if (!strcmp(how, "spawnp-none"))
			posix_spawnp(&pid, probe, NULL, NULL, args, none);
		else if (!strcmp(how, "exec-none"))
			execve(probe, args, none);
		else if (!strcmp(how, "exec-null"))
			execve(probe, args, NULL);
		else if (!strcmp(how, "exec-other"))
			execve(probe, args, other);
		else if (!strcmp(how, "exec-off"))
			execve(probe, args, off);
		else if (!strcmp(how, "execle-none"))
			execle(probe, "probe", (char *)NULL, none);
		else if (!strcmp(how, "execvpe-none"))
			execvpe(probe, args, none);
		else if (!strcmp(how, "clearenv-execv") && !clearenv())
			execv(probe, args);
		else if (!strcmp(how, "clearenv-execl") && !clearenv())
			execl(probe, "probe", (char *)NULL);
		else if (!strcmp(how, "unsetenv-execvp") && !unsetenv("LD_PRELOAD"))
			execvp(probe, args);
		else if (!strcmp(how, "vfork-none") && !(pid = vfork())) {
			execve(probe, args, none);
			_exit(1);
		}
		if (pid > 0)
			waitpid(pid, &status, 0);
		return status ? 1 : 0;
	}
END
"${CC:-cc}" -w -o spawner spawner.c || exit 1

# CASE | inherit | force | COMMAND, which the shim is preloaded into
table='
plain fork and exec|1|1|sh -c "$probe; :"
env|1|1|env A=b "$probe"
bash -p|1|1|bash -p -c "$probe; :"
setsid|1|1|setsid -w "$probe"
env -i|0|1|env -i "$probe"
env -i sh|0|1|env -i sh -c "$probe; :"
env -u|0|1|env -u LD_PRELOAD "$probe"
unset in sh|0|1|sh -c "unset LD_PRELOAD; $probe; :"
unset in bash|0|1|bash -c "unset LD_PRELOAD; $probe; :"
replaced in sh|0|1|sh -c "LD_PRELOAD=libm.so.6 $probe; :"
perl cleared|0|1|perl -e "%ENV=(); system { \$ARGV[0] } \@ARGV" "$probe"
python cleared|0|1|python3 -c "import subprocess,sys; subprocess.run(sys.argv[1:], env={})" "$probe"
python cleared, own session|0|1|python3 -c "import subprocess,sys; subprocess.run(sys.argv[1:], env={}, start_new_session=True)" "$probe"
python execve|0|1|python3 -c "import os,sys; os.execve(sys.argv[1], sys.argv[1:], {})" "$probe"
python posix_spawn|0|1|python3 -c "import os,sys; os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], {}), 0)" "$probe"
node cleared|0|1|node -e "process.stdout.write(require(\"child_process\").spawnSync(process.argv[1], [], {env:{}}).stdout)" "$probe"
posix_spawn cleared|0|1|./spawner spawn-none "$probe"
posix_spawnp cleared|0|1|./spawner spawnp-none "$probe"
execve cleared|0|1|./spawner exec-none "$probe"
execve NULL|0|1|./spawner exec-null "$probe"
execve replaced|0|1|./spawner exec-other "$probe"
execle cleared|0|1|./spawner execle-none "$probe"
execvpe cleared|0|1|./spawner execvpe-none "$probe"
clearenv execv|0|1|./spawner clearenv-execv "$probe"
clearenv execl|0|1|./spawner clearenv-execl "$probe"
unsetenv execvp|0|1|./spawner unsetenv-execvp "$probe"
vfork execve cleared|0|1|./spawner vfork-none "$probe"
off wins|0|0|./spawner exec-off "$probe"
off in sh|1|1|sh -c "TAFFRAIL=off $probe; :"
off, cleared|0|0|env -i TAFFRAIL=off "$probe"
'

while IFS='|' read -r case inherit force command; do
	[ -n "$case" ] || continue
	case ${command%% *} in
	node | perl | python3) command -v "${command%% *}" >/dev/null || continue ;;
	esac
	eval "set -- $command"
	with_shim "$@"
	check "$case" inherit "$inherit:" "$(cat shim.out):$(cat shim.err)"
	with_shim TAFFRAIL_PROPAGATE=force "$@"
	check "$case" force "$force:" "$(cat shim.out):$(cat shim.err)"
done <<<"$table"

# What force puts back, and nothing else: the preload and our own variables.
with_shim TAFFRAIL_PROPAGATE=force TAFFRAIL_LABEL=x env -i KEPT=1 env
grep -v '^TAFFRAIL_' shim.out | sort >kept.txt
check env-i "what the child gets" "KEPT=1
LD_PRELOAD=$shim" "$(cat kept.txt)"
check env-i "our variables" "TAFFRAIL_LABEL TAFFRAIL_PROPAGATE TAFFRAIL_STATE" \
	"$(sed -n 's/^\(TAFFRAIL_[A-Z]*\)=.*/\1/p' shim.out | sort | grep -v '^TAFFRAIL_RUN$' | paste -sd' ')"
with_shim TAFFRAIL_PROPAGATE=force sh -c 'LD_PRELOAD=libm.so.6 env'
check replaced "ours, then theirs" "LD_PRELOAD=$shim:libm.so.6" "$(grep '^LD_PRELOAD=' shim.out)"

# An environment that goes on as it is is the same array, entry for entry.
raw plain env -i A=1 B=2 LD_PRELOAD= env
raw shim env -i A=1 B=2 LD_PRELOAD="$shim" env
check inherit "the child's environment" "$(grep -v LD_PRELOAD plain.out)" "$(grep -v LD_PRELOAD shim.out)"

plain_guests guest_exit
# One run over the tree: given, or made by the first that becomes active.
with_shim TAFFRAIL_RUN=0123456789abcdef sh -c "'$tests/guest_exit' exit; '$tests/guest_exit' fork_decode; :"
check "run given" runs 0123456789abcdef "$(crumbs | jq -r .run | sort -u)"
check "run given" sessions 3 "$(count '.ev == "start"')"
with_shim "$tests/guest_exit" fork_decode
check "run made" runs 1 "$(crumbs | jq -r .run | sort -u | wc -l)"
with_shim "$tests/guest_exit" exec_again
check "run made, exec" runs 1 "$(crumbs | jq -r .run | sort -u | wc -l)"
check "run made, exec" sessions 2 "$(count '.ev == "start"')"

tally 65
