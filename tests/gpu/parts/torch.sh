# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# torch.sh -- PyTorch, where it is installed.

if has_module torch; then
	for case in numbers allocate graph threads processes fork short leave; do
		alike "PyTorch, $case" "$python" "$here/torch_check.py" $case
	done
else
	skip "PyTorch: not installed for $python, or the GPU is simulated"
fi
