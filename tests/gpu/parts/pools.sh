# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# pools.sh -- PyTorch with its other allocators: pools of the driver, and mapped segments.

if has_module torch; then
	for pools in backend:cudaMallocAsync expandable_segments:True; do
		for case in allocate graph short; do
			alike "PyTorch, $pools, $case" PYTORCH_CUDA_ALLOC_CONF=$pools "$python" "$here/torch_check.py" $case
		done
	done
else
	skip "PyTorch, its pools: not installed for $python, or the GPU is simulated"
fi
