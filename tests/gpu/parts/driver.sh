# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# driver.sh -- programs on the driver, by every route.

link_driver() {
	local libcuda
	libcuda=$(ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1.*x86-64.*=> //p;s/.*libcuda\.so\.1.*AArch64.*=> //p' | head -n 1)
	[ -n "$libcuda" ] || libcuda=$(find /usr/local/nvidia -name libcuda.so.1 2>/dev/null | head -n 1) # containers
	[ -n "$is_simulated" ] && libcuda=$BUILD/tests/simgpu/libcuda.so.1
	[ -n "$libcuda" ] &&
		"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -DLINK -o driver_link "$here/driver.c" "$libcuda" -pthread 2>link.log
}
routes="dlsym getproc ptsz"
if link_driver; then
	routes="$routes link"
else
	skip "driver, link: $(tail -n 1 link.log 2>/dev/null)"
fi
on_driver() { # ROUTE CASE
	echo "./driver$([ "$1" != link ] || echo _link)"
}
for route in $routes; do
	for case in basic async graph kinds mapped threads child leave; do
		alike "driver, $route, $case" "$(on_driver "$route")" "$route" "$case"
	done
done
