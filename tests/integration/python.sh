#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# python.sh -- taffrail-python: what Python may import while the gate holds work back.
#
# Packages called torch and mlx are made here and say when they are imported.
#
# shellcheck disable=SC2154 # lib.sh sets work, state
. "${SRC:?}/tests/integration/lib.sh"

python=$(command -v /usr/bin/python3 || command -v python3) || {
	echo "needs python3"
	exit 77
}
bin=$BUILD/taffrail
launcher=$BUILD/taffrail-python
export TAFFRAIL_STATE=$state TAFFRAIL_PYTHON=$python
unset PYTHONPATH TAFFRAIL_FORCE TAFFRAIL_HOLD

mkdir -p packages/torch/nn packages/mlx packages/plain site
echo 'print("torch is in")' >packages/torch/__init__.py
echo 'print("torch.nn is in")' >packages/torch/nn/__init__.py
echo 'print("mlx is in")' >packages/mlx/__init__.py
echo 'print("plain is in")' >packages/plain/__init__.py
export PYTHONPATH=$work/packages

py() { # STATUS ARGUMENT...
	local wanted=$1
	shift
	"$launcher" "$@" >out 2>err </dev/null
	check "python $*" status "$wanted" $?
}

says() { # CASE WANTED on stdout
	check "$1" stdout "$2" "$(cat out)"
}

refused() { # CASE PACKAGE
	check "$1" stdout '' "$(cat out)"
	check "$1" 'one ImportError' 1 \
		"$(grep -Ec "^ImportError: taffrail: $2 is not imported: cooldown: 1 panic .*; until " err)"
}

# 1. No hold: the same as without, and nothing is written.
mkdir -p "$work/empty"
export TAFFRAIL_EVIDENCE_ROOT=$work/empty
py 0 -c 'import torch.nn, os; print([k for k in os.environ if k in ("TAFFRAIL_HOLD", "LD_PRELOAD")])'
says 'no hold' "torch is in
torch.nn is in
[]"
check 'no hold' stderr '' "$(cat err)"
check 'no hold' 'no hook is made' none "$(ls -d "$state"/python-* 2>/dev/null || echo none)"
py 7 -c 'raise SystemExit(7)'
py 0 -c 'import sys; print(sys.argv, sys.executable)' a -b --c
says 'arguments' "['-c', 'a', '-b', '--c'] $python"
raw killed "$launcher" -c 'import os; os.kill(os.getpid(), 15)'
check 'a signal' status 'signal 15' "$(cat killed.status)"
"$bin" python -c 'print(1)' >out 2>err
check 'as a verb' status 0 $?
says 'as a verb' 1
TAFFRAIL_PYTHON=no-such-python py 127 -c pass
TAFFRAIL_PYTHON=$launcher py 126 -c pass
check 'itself' 'one line' 1 "$(grep -c 'is this command itself' err)"
TAFFRAIL_FORCE=1 py 0 -c 'import os, torch; print(os.environ.get("TAFFRAIL_FORCE"))'
says 'forced without a hold' "torch is in
None"
check 'forced without a hold' stderr '' "$(cat err)"

# 2. A hold.
# The evidence is that of a machine made up here, whose kernel panicked ten minutes ago.
mkdir -p "$work/machine/sys/fs/pstore"
printf 'Panic#1 Part1\n<0>[   12.3] Kernel panic - not syncing: Fatal exception\n' \
	>"$work/machine/sys/fs/pstore/dmesg-efi-$(($(date +%s) - 600))01001"
export TAFFRAIL_EVIDENCE_ROOT=$work/machine
py 1 -c 'import torch'
refused '-c' torch
py 1 -c 'import torch.nn'
refused 'a part of it' torch
py 1 -c 'from mlx import core'
refused 'from' mlx
echo 'import torch' >script.py
py 1 script.py
refused 'a script' torch
py 1 -u -W ignore -X dev -B script.py
refused 'options before a script' torch
py 1 -m torch
check '-m torch' 'refused' 1 "$(grep -c 'taffrail: torch is not imported' err)"
"$launcher" - <script.py >out 2>err
check 'the input' status 1 $?
refused 'the input' torch
py 1 -c 'import subprocess, sys; sys.exit(subprocess.call([sys.executable, "script.py"]))'
refused 'a child' torch
py 1 -sOc 'import torch'
refused '-sOc' torch

# What needs no GPU goes on, and sees the world as it would be.
py 0 -c 'import plain, json, tomllib' || py 0 -c 'import plain, json'
says 'other packages' 'plain is in'
py 0 -c 'import importlib.util as u; print(u.find_spec("torch").origin.endswith("__init__.py"))'
says 'looked for, not imported' True
py 0 -c 'import importlib.util as u; print(u.find_spec("jax"))'
says 'not installed' None
py 1 -c 'import jax'
check 'not installed' 'as ever' 1 "$(grep -c "^ModuleNotFoundError: No module named 'jax'" err)"
py 0 -c 'import sys; print([p for p in sys.path if "/state/" in p or ("taffrail" in p and not p.endswith("/packages"))])'
says 'sys.path' '[]'
py 0 -c 'try:
    import torch
except ImportError as e:
    print(e.name)'
says 'caught' torch
py 9 -c 'raise SystemExit(9)'
py 0 -V
py 0 -IV
"$launcher" -m venv --without-pip --system-site-packages env >out 2>err && check venv 'is made' yes \
	"$([ -e env/bin/python ] && echo yes)"
for words in '-m pip --version' '-u -m pip --version' '-mpip --version' '-I -m pip --version'; do
	if "$python" -m pip --version >/dev/null 2>&1; then
		# shellcheck disable=SC2086 # several words
		py 0 $words
	fi
done

# The user's own sitecustomize runs, and what is wrong in it is told as ever.
echo 'print("mine"); import sys; print(__file__.endswith("site/sitecustomize.py"))' >site/sitecustomize.py
PYTHONPATH=$work/site:$work/packages py 1 -c 'print(1)
import torch'
says 'their sitecustomize' "mine
True
1"
echo 'x = 1 / 0' >site/sitecustomize.py
PYTHONPATH=$work/site:$work/packages py 0 -c 'print(1)'
says 'a broken sitecustomize' 1
check 'a broken sitecustomize' 'is told' 1 "$(grep -c ZeroDivisionError err)"

# 3. Where the hook would not be seen, Python is not started.
for words in '-I' '-E' '-S' '-ES' '-uI'; do
	py 75 $words -c 'print("started")'
	says "$words" ''
	check "$words" 'one line' 1 "$(wc -l <err)"
done
# A gate that cannot judge costs one line, and more only where the policy says so.
echo >hidden
TAFFRAIL_EVIDENCE_ROOT=$work/empty TAFFRAIL_STATE=$work/hidden py 0 -c 'print(1)'
says 'no state' 1
check 'no state' 'one line' 1 "$(grep -c 'goes on without the gate' err)"
TAFFRAIL_EVIDENCE_ROOT=$work/empty TAFFRAIL_STATE=$work/hidden TAFFRAIL_SET=cooldown.blind=hold \
	py 75 -c 'print(1)'
says 'no state, blind is hold' ''
TAFFRAIL_STATE=$work/hidden py 75 -c 'print(1)'
says 'no state, and there is a hold' ''
TAFFRAIL_SET=mode=observe py 0 -c 'import torch'
says 'observe' 'torch is in'

# 4. By force, once.
TAFFRAIL_FORCE=1 py 0 -c 'import os, torch; print(os.environ.get("TAFFRAIL_FORCE"))'
says 'forced' "torch is in
None"
check 'forced' 'one line' 1 "$(wc -l <err)"
check 'forced' 'a remark in the log' 1 "$("$bin" log --ev note --json | grep -c 'forced through a hold')"
TAFFRAIL_FORCE=1 py 0 -I -c 'print(1)'
says 'forced, -I' 1
TAFFRAIL_FORCE=yes py 1 -c 'import torch'
TAFFRAIL=off py 0 -c 'import torch'
says 'off' 'torch is in'

# 5. The hold ends: by its time inside a program that runs, and for the next start.
hook=$(echo "$state"/python-*)
held_until() { # UNTIL STATUS
	TAFFRAIL_HOLD="$1 some reason" PYTHONPATH=$hook:$work/packages "$python" -c 'import torch' >out 2>err
	check "TAFFRAIL_HOLD=$1" status "$2" $?
}
held_until 1 0
held_until 9999999999 1
held_until 0 1
held_until nonsense 0
check 'the hook' modes '700 600' "$(stat -c %a "$hook" "$hook/sitecustomize.py" | xargs)"
echo damaged >"$hook/sitecustomize.py"
py 1 -c 'import torch'
refused 'a damaged hook is written again' torch
TAFFRAIL_SET=cooldown.stage1=5m py 0 -c 'import torch'
says 'the hold is over' 'torch is in'
"$bin" hold --for 1h --why 'by hand' >out 2>err
check 'hold --for 1h' status 0 $?
export TAFFRAIL_SET=cooldown.stage1=5m
py 1 -c 'import torch'
check 'by hand' 'refused' 1 "$(grep -c '^ImportError: taffrail: torch is not imported: held by hand' err)"
"$bin" hold --clear >out 2>err
check 'hold --clear' status 0 $?
py 0 -c 'import torch'
says 'after the hold' 'torch is in'
tally 70
