#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# guests.sh -- programs that use no engine cannot tell that the shim is there.
#
# They print the same and end the same, see the same environment but for our
# own variables, and the shim creates no file, opens none and starts no thread.
#
# time-limit: 300
# The commands are for eval.
# shellcheck disable=SC2016
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

has_tool() {
	command -v "$1" >/dev/null
}

plain_guests guest_exit

# CASE | COMMAND (left out where its program is missing)
table='
true|true
false|false
echo|sh -c "echo out; echo err >&2; exit 7"
bash|bash -c "for i in 1 2 3; do /bin/true; done; (exit 3); echo \$?; exit 9"
bash signal|bash -c "kill -TERM \$\$"
bash pipes|bash -c "seq 1000 | sort -n | tail -n 1; echo <(true) | wc -c"
dash|dash -c "exit 3"
zsh|zsh -c "exit 3"
busybox|busybox sh -c "echo busy; exit 3"
python|python3 -c "import sys; print(sys.version_info[:2]); sys.exit(3)"
python exception|python3 -c "1/0"
python abort|python3 -c "import os; os.abort()"
python _exit|python3 -c "import os; os._exit(3)"
python threads|python3 -c "import threading; t=[threading.Thread(target=lambda: None) for _ in range(20)]; [x.start() for x in t]; [x.join() for x in t]; print(1)"
python fork|python3 -c "import multiprocessing as m; p=m.get_context(\"fork\").Process(target=print, args=(5,)); p.start(); p.join(); print(p.exitcode)"
python warns|python3 -W error -c "import os; p=os.fork(); p or os._exit(0); os.wait()"
python ctypes|python3 -c "import ctypes; l=ctypes.CDLL(None); print(l.getpid() > 0, hasattr(l, \"llama_decode\"))"
python dlopen|python3 -c "import sqlite3, ssl, json, hashlib; print(hashlib.sha256(b\"x\").hexdigest())"
perl|perl -MPOSIX -e "print \"x\n\"; POSIX::_exit(3)"
perl die|perl -e "die \"dead\n\""
perl name|perl -e "\$0 = \"another name\"; print \$ENV{HOME} ne \"\" ? 1 : 0; system(\"true\"); exit 3"
node|node -e "console.log(1); process.exitCode = 3"
node throw|node -e "process.on(\"exit\", c => console.log(c)); throw new Error(\"x\")" 
node worker|node -e "new (require(\"worker_threads\").Worker)(\"console.log(5)\", {eval:true})"
node spawn|node -e "console.log(require(\"child_process\").execSync(\"echo x\").toString())"
git|git --version
git log|git -c safe.directory=* -C "$SRC" rev-parse --is-inside-work-tree
find|find "$SRC/policy" -name "*.h" -newer /no/such
grep|grep -c TAF "$SRC/policy/event.h"
tar|sh -c "tar cf - -C $SRC policy | tar tf - | wc -l"
closes all|perl -e "use POSIX; POSIX::close(\$_) for 0 .. 255; POSIX::_exit(6)"
clears|sh -c "env -i /usr/bin/env"
ulimit|sh -c "ulimit -n 8; ulimit -f 0; ulimit -a; exec true"
limited memory|sh -c "ulimit -v 200000; exec sh -c \"exit 3\""
root directory|sh -c "cd /; exec sh -c \"exit 4\""
status|grep -E "^(Threads|SigBlk|SigIgn|SigCgt|NoNewPrivs|Seccomp):" /proc/self/status
files open|sh -c "ls /proc/self/fd | wc -l; ls /proc/\$\$/fd"
'
missing=
while IFS='|' read -r case command; do
	[ -n "$case" ] || continue
	# A pipe inside the command came back with the rest of the line.
	if ! has_tool "${command%% *}"; then
		missing="$missing ${command%% *}"
		continue
	fi
	eval "set -- $command"
	same "$case" "$@"
	check "$case" "files of ours" "" "$(find "$state" "$XDG_RUNTIME_DIR" -type f 2>/dev/null)"
done <<<"$table"

# The environment differs by the preload alone.
without_shim env
with_shim env
check env "the environment" "$(sort plain.out | grep -v '^_=')" \
	"$(grep -vE '^(LD_PRELOAD|TAFFRAIL_[A-Z]*)=|^_=' shim.out | sort)"

# A program with its environment rewritten in place (setproctitle, $0) finds its way all the same.
cat >title.c <<-'END'
	#define _GNU_SOURCE
	#include <stdlib.h>
	#include <string.h>
	#include <unistd.h>
	extern char **environ;
	int main(int argc, char **argv)
	{
		char **copy = calloc(1000, sizeof(*copy)), *end = argv[0] + strlen(argv[0]) + 1;
		int n = 0;
		(void)argc;
		for (char **a = argv; *a; a++)
			end = *a + strlen(*a) + 1;
		for (char **e = environ; *e; e++) {
			end = *e + strlen(*e) + 1;
			copy[n++] = strdup(*e);
		}
		char *guest = strdup(argv[1]);
		environ = copy;
		memset(argv[0], 'x', (size_t)(end - argv[0] - 1));
		return execl(guest, "guest_exit", "exit", (char *)NULL) && 1;
	}
END
sed 's/return execl.*/void *h = dlopen(guest, RTLD_NOW);\n\tvoid *(*load)(const char *, struct fake_value);\n\
	void *p = h ? dlsym(h, "llama_model_load_from_file") : 0;\n\tmemcpy(\&load, \&p, sizeof(p));\n\
	return p \&\& load("\/models\/tiny.gguf", fake_value_of(0)) ? 3 : 4;/;
	1a #include <dlfcn.h>\n#include "fake_value.h"' title.c >title_load.c
"${CC:-cc}" -I"$SRC/tests/fake" -o title_load title_load.c -ldl || exit 1
same "title rewritten" ./title_load "$tests/libfake_llama.so"
check "title rewritten" status "exit 3" "$(cat shim.status)"
has "title rewritten" "the load" '.ev == "load" and .ph == "end"'
check "title rewritten" "a process name in the log" 1 "$(count '.ev == "start" and .run != "" and (.argv | tostring | contains("xxxx") | not)')"

# Environment changed by the program itself, before and after the engine.
cat >setenv.c <<-'END'
	#define _GNU_SOURCE
	#include <stdio.h>
	#include <stdlib.h>
	int main(void)
	{
		char name[32];
		for (int i = 0; i < 3000; i++) {
			snprintf(name, sizeof(name), "V%d", i);
			setenv(name, "x", 1);
		}
		printf("%d\n", system("env | grep -c ^V"));
		unsetenv("V7");
		clearenv();
		putenv("PATH=/usr/bin:/bin");
		return system("exit 3") >> 8;
	}
END
"${CC:-cc}" -o setenv setenv.c || exit 1
same setenv ./setenv

# Instrumented programs: clang's and gcc's runtimes, with a planted bug and without.
cat >planted.c <<-'END'
	#include <pthread.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <dlfcn.h>
	static int shared;
	static void *racer(void *p) { shared++; return p; }
	int main(int argc, char **argv)
	{
		char *p = malloc(8);
		pthread_t t;
		(void)argv;
		if (argc > 1) {
			p[8 * (argc - 1)] = 1;
			shared = 2147483647;
			shared += argc;
			pthread_create(&t, NULL, racer, NULL);
			shared++;
			pthread_join(t, NULL);
		}
		printf("%d\n", dlsym(RTLD_DEFAULT, "llama_decode") != NULL);
		free(p);
		return 3;
	}
END
sanitized() { # COMPILER FLAGS PRELOAD-IN-FRONT
	local name="$1 $2" in_front=$3
	has_tool "$1" || return
	"$1" -g -O1 "-fsanitize=$2" -o planted planted.c -ldl -lpthread 2>/dev/null || return
	for arg in "" bug; do
		raw plain env ${in_front:+LD_PRELOAD="$in_front"} ASAN_OPTIONS=detect_leaks=0 ./planted $arg
		fresh
		raw shim env LD_PRELOAD="${in_front:+$in_front:}$shim" ASAN_OPTIONS=detect_leaks=0 ./planted $arg
		check "$name $arg" status "$(cat plain.status)" "$(cat shim.status)"
		check "$name $arg" out "$(cat plain.out)" "$(cat shim.out)"
		check "$name $arg" finding "$(grep -oE 'ERROR: [A-Za-z]*|WARNING: [A-Za-z]*|runtime error' plain.err | sort -u)" \
			"$(grep -oE 'ERROR: [A-Za-z]*|WARNING: [A-Za-z]*|runtime error' shim.err | sort -u)"
	done
}
sanitized clang address ""
sanitized clang thread ""
sanitized clang undefined ""
sanitized gcc undefined ""
# gcc's shared runtime wants to come first.
sanitized gcc address "$(gcc -print-file-name=libasan.so 2>/dev/null)"
sanitized gcc thread "$(gcc -print-file-name=libtsan.so 2>/dev/null)"

# Another allocator in front of us and behind us, also when the engine is used.
for allocator in libjemalloc.so.2 libmimalloc.so libtcmalloc_minimal.so.4; do
	lib=$(ldconfig -p 2>/dev/null | sed -n "s/.* => \(.*\/$allocator.*\)/\1/p" | head -n 1)
	if [ -z "$lib" ]; then
		missing="$missing $allocator"
		continue
	fi
	for order in "$lib:$shim" "$shim:$lib"; do
		for command in "bash -c 'echo x; exit 3'" "python3 -c 'print(1)'" "'$tests/guest_exit' exit"; do
			eval "set -- $command"
			has_tool "$1" || continue
			raw plain env LD_PRELOAD="$lib" "$@"
			fresh
			raw shim env LD_PRELOAD="$order" TAFFRAIL_STATE="$state" "$@"
			for part in status out err; do
				check "$allocator $order $1" "$part" "$(cat plain.$part)" "$(cat shim.$part)"
			done
		done
	done
done

# Armed: nothing of ours is opened, made or started.  strace sees every process.
if has_tool strace && strace -o /dev/null true 2>/dev/null; then
	# In the root directory, since a shell looks at each folder above it.
	strace -f -qq -e trace=file,desc,process,memory -E LD_PRELOAD="$shim" -E TAFFRAIL_STATE="$state" \
		-o armed.trace env -u PWD -u OLDPWD -C / bash -c '/bin/true; exit 0' </dev/null >/dev/null 2>&1
	check strace "paths of ours" "" "$(grep -E 'taffrail|/proc/self|/dev/shm' armed.trace |
		grep -vE 'libtaffrail\.so|execve\(' | head -n 3)"
	check strace "opens of the object itself" "" "$(grep 'libtaffrail' armed.trace |
		grep -vE 'openat\([^)]*O_RDONLY\|O_CLOEXEC\)|execve\(' | head -n 3)"
	strace -qq -f -e trace=clone,clone3,rt_sigaction,madvise -E LD_PRELOAD="$shim" -o armed.trace /bin/true
	check strace "threads, handlers" "" "$(grep -v exited armed.trace)"
else
	untried 3 "what an armed process opens: strace cannot trace"
fi

[ -z "$missing" ] || untried 0 "what this machine lacks:$missing"
tally 160
