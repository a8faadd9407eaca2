#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# runner.sh -- the runner of these tests tells what was left out, and loses no failure.
# shellcheck disable=SC2154 # lib_cli.sh sets work, passed, failed
. "${SRC:?}/tests/integration/lib_cli.sh"
needs setsid timeout flock

item() { # NAME LINES
	printf '#!/usr/bin/env bash\n%s\n' "$2" >"$1.sh"
}

# shellcheck disable=SC2016 # for the item
lib='. "${SRC:?}/tests/integration/lib_base.sh"'

item whole "$lib; pass; tally 1"
item partly "$lib; pass; untried 4 'reboots: no mount namespace'; untried 2 'links: not root'; tally 7"
item few "$lib; pass; untried 4 'reboots: no mount namespace'; tally 6"
item none 'echo "needs strace"; exit 77'
item bad "$lib; fail it; untried 4 'reboots'; tally 1"

"$SRC/tests/run.sh" -j 1 ./whole.sh ./partly.sh ./few.sh ./none.sh ./bad.sh >says.out 2>&1
same 'status' 1 $?
line() { # NAME WANTED
	same "$1" "$2" "$(sed -En "s/^(pass|skip|FAIL) +[0-9.]+ s  $1\.sh(.*)\$/\1\2/p" says.out)"
}
line whole pass
line partly 'pass; not tried: reboots: no mount namespace; links: not root'
line none 'skip: needs strace'
line few 'FAIL: exit status 1'
line bad 'FAIL: exit status 1'
grep -q '| 1 checks passed, 0 failed, 6 not tried' says.out
same 'the count of one that passed is not shown' 1 $?
grep -q '| 0 checks passed, 1 failed, 4 not tried' says.out
ok 'the count of one that failed is' $?
same 'the last line' '2 passed, 2 failed, 1 skipped' "$(tail -n 1 says.out)"
# Who counts checks that were left out by itself says it in words that this runner does not show.
same 'only untried counts what is left out' tests/integration/lib_base.sh \
	"$(cd "$SRC" && grep -rlE --include='*.sh' 'left_out=[$0-9]' tests)"
tally 10
