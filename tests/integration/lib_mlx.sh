# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced before
# lib_mlx.sh -- makes the engine and the program of throwing_mlx.cpp. Sourced, never run.
#
# Ends the test with 77 where nothing in C++ can be made.
needs c++
echo '#include <string>
int main() { return !std::string("x").size(); }' >try.cpp
if ! c++ -o try try.cpp 2>/dev/null || ! ./try; then
	echo "needs a C++ compiler and its library"
	exit 77
fi

cxx=(c++ -std=c++17 -O1 -pthread)
"${cxx[@]}" -shared -fPIC -DENGINE -o libmlx.so "$SRC/tests/integration/throwing_mlx.cpp" &&
	"${cxx[@]}" -o program "$SRC/tests/integration/throwing_mlx.cpp" -L. -lmlx -Wl,-rpath,"$work" || exit 1
