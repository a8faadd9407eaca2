#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# doctor_mlx.sh -- names of MLX with parameters that no row has: of a library that is linked,
# and of one that a Python would import. `doctor --strict` fails by both, `run --strict` by the
# second where the command names MLX.
# shellcheck disable=SC2154 # lib_doctor.sh sets bin, work, passed, failed
. "${SRC:?the source folder}/tests/integration/lib_doctor.sh"

python=$(python3 -c 'import sys; print(sys.executable)')
compile try -shared -fPIC <<<'int x;' || {
	echo "needs a compiler"
	exit 77
}
# Names that real versions have are known.
mlx() { # FILE NAME...
	local i=0 file=$1
	shift
	for name; do
		printf 'void f%d(void) __asm__("%s"); void f%d(void) {}\n' $i "$name" $i
		i=$((i + 1))
	done | compile "$file" -shared -fPIC -Wl,-soname,libmlx.so
}
core=_ZN3mlx4core string=RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE
known=("${core}5array4evalEv" "${core}4evalIJRNS0_5arrayEEvEEvDpOT_" "${core}10new_streamEv"
	"${core}16load_safetensorsE${string}St7variantIJSt9monostateNS0_6StreamENS0_6DeviceEEE")
later=${core}16load_safetensorsE${string}NS0_3NewE
importing() { # CASE verdict-text id NAME...: a Python that would import such a library
	local case=$1 text=$2 id=$3
	shift 3
	mkdir -p venv/bin venv/lib/python3.11/site-packages/mlx/lib
	ln -sf "$python" venv/bin/python && : >venv/pyvenv.cfg
	mlx venv/lib/python3.11/site-packages/mlx/lib/libmlx.so "$@"
	verdict "$case" "$text" "$id" venv/bin/python -c pass
	doctor --json -- venv/bin/python -c pass
	says "$case" '"importable" in f and [e["engine"] for e in d["engines"]] == ["mlx"]'
}
mlx libmlx.so "${known[@]}"
compile by_mlx -L. -Wl,--no-as-needed -lmlx "-Wl,-rpath,\$ORIGIN" <<<'int main(void) { return 0; }'
verdict "MLX, linked" guarded guarded ./by_mlx
mlx libmlx.so "${known[@]}" "$later" "${core}10async_evalENS0_3NewE"
strict=69 verdict "later MLX, linked" "guarded in part: .*libmlx.so spells mlx::core::.* and others as no version" partly ./by_mlx
doctor --json -- ./by_mlx
says "later MLX, linked" '"later" in f'
if [ "$(basename "$(readlink -f "$python")")" = python3.11 ]; then
	importing "MLX, imported" guarded guarded "${known[@]}"
	"$bin" run --strict -- venv/bin/python -c 'print(1)' >out 2>err
	[ $? -eq 0 ] && [ "$(cat out)" = 1 ]
	ok "MLX, imported: run --strict" $?
	strict=69 importing "later MLX, imported" "guarded in part: .*/mlx/lib/libmlx.so spells mlx::core::load_safetensors as no" partly \
		"${known[@]:0:3}" "$later"
	says "later MLX, imported" '"no-load" in f'
	# `run` counts that where the command names MLX: who installs or prints loads nothing.
	site=venv/lib/python3.11/site-packages
	mkdir $site/mlx_lm
	echo 'print(2)' | tee $site/mlx_lm/__init__.py >$site/mlx_lm/server.py
	echo 'print(3)' | tee serve.py >mlx_serve.py
	script mlx_lm.generate '#!/usr/bin/env -S venv/bin/python' 'print(4)'
	# shellcheck disable=SC2086 # several words
	for words in "-c print(1)" serve.py "serve.py mlx_lm" "-m platform mlx_lm"; do
		"$bin" run --strict -- venv/bin/python $words >out 2>err
		[ $? -eq 0 ] && [ -s out ] && ! grep -q "cannot be guarded" err
		ok "later MLX, not named: run --strict, $words" $?
		TAFFRAIL_STRICT=1 "$bin" run -- venv/bin/python $words >out 2>err
		[ $? -eq 0 ] && [ -s out ] && ! grep -q "cannot be guarded" err
		ok "later MLX, not named: TAFFRAIL_STRICT, $words" $?
	done
	# shellcheck disable=SC2086 # several words
	for words in "-m mlx_lm server" "-um mlx_lm.server" "-m mlx.launch" mlx_serve.py "-c __import__('mlx.core')" "-Bc__import__('mlx')"; do
		"$bin" run --strict -- venv/bin/python $words >out 2>err
		[ $? -eq 69 ] && [ ! -s out ] && grep -q "cannot be guarded: mlx::core::load_safetensors in .*libmlx.so is spelled" err
		ok "later MLX, named: run --strict, $words" $?
	done
	ln -s python venv/bin/py
	"$bin" run --strict -- venv/bin/py -m mlx_lm >out 2>err
	[ $? -eq 69 ] && [ ! -s out ]
	ok "later MLX, by a Python of another name: run --strict" $?
	"$bin" run --strict -- ./mlx_lm.generate >out 2>err
	[ $? -eq 69 ] && [ ! -s out ]
	ok "later MLX, named by a script: run --strict" $?
	strict=69 PYTHONPATH=/nowhere:$work/venv/lib/python3.11/site-packages importing "by PYTHONPATH" "guarded in part" partly "$later" "${core}5array4evalEv"

	# Options and variables that leave folders out.
	found() { # WANTED VARIABLE... -- OPTION...
		local wanted=$1 vars=()
		shift
		while [ "$1" != -- ]; do
			vars+=("$1")
			shift
		done
		shift
		env "${vars[@]}" "$bin" doctor --json -- venv/bin/python "$@" -c pass >out 2>err
		says "found: ${vars[*]} $*" "(\"importable\" in f) == $wanted"
	}
	path=PYTHONPATH=$work/apart
	found True HOME=/nowhere --
	found False HOME=/nowhere -- -S
	mkdir -p apart home/.local/lib/python3.11
	mv $site home/.local/lib/python3.11/
	cp -r home/.local/lib/python3.11/site-packages/mlx apart/
	found False HOME=/nowhere --
	# shellcheck disable=SC2086 # or none
	for options in "" -s -S; do found True HOME=/nowhere "$path" -- $options; done
	for options in -E -I -BE; do found False HOME=/nowhere "$path" -- $options; done
	rm venv/pyvenv.cfg
	if [ "$("$bin" doctor --json -- "$python" | grep -c importable)" = 0 ]; then
		user=HOME=$work/home
		# shellcheck disable=SC2086 # or none
		for options in "" -E -B; do found True "$user" -- $options; done
		for options in -s -I -S -BsE; do found False "$user" -- $options; done
		found False "$user" PYTHONNOUSERSITE=1 --
		found True "$user" PYTHONNOUSERSITE= --
		found True "$user" PYTHONNOUSERSITE=1 -- -E
	else
		left_out "folders of the user: the system has MLX"
	fi
	rm -r venv/lib
	PYTHONPATH=/nowhere:$work doctor --json -- venv/bin/python
	says "no MLX" '"importable" not in f and d["engines"] == []'
else
	left_out "a virtual environment: $python is no python3.11"
fi

echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
