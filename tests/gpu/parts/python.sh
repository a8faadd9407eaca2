# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# python.sh -- other libraries of Python that bring their own way to the GPU, where they are
# installed, and kernels that PyTorch compiles.

# shellcheck disable=SC2034 # alike looks at it
is_foreign=1
for module in cupy jax triton numba; do
	if has_module $module; then
		alike $module XLA_PYTHON_CLIENT_PREALLOCATE=false "$python" "$here/${module}_check.py"
	else
		skip "$module: not installed for $python, or the GPU is simulated"
	fi
done
if has_module torch && has_module triton; then
	alike "PyTorch, compiled" "$python" "$here/torch_check.py" compiled
fi
unset is_foreign
