/* SPDX-License-Identifier: MIT */
/* host.h -- the machine as it was when a session began: what a crash is judged by later.
 *
 * Only small files of /proc, /sys and systemd are read, each of them once, and
 * none that a driver has to compute: the GPU is never touched.  A dozen system
 * calls, less than 100 us together; what cannot be read is unknown.  root is put
 * before every path: "" for this machine.
 */
#ifndef TAF_HOST_H
#define TAF_HOST_H

#include "../policy/grace.h"
#include "crumb.h"

#define TAF_HOST_UNKNOWN 0
#define TAF_HOST_NO_LIMIT UINT64_MAX

struct taf_host {
	char kernel[72]; /* release; "": unknown */
	char driver[72]; /* "nvidia 550.54.14"; "": no GPU driver with a version */
	uint64_t swap; /* bytes of all swap spaces */
	bool has_swaps; /* swap is known */
	uint64_t limit; /* of the tightest cgroup; or one of the words above */
	char cgroup[TAF_PATH_MAX]; /* its path in the hierarchy; "": unknown */
	char unit[96]; /* the systemd unit that this process belongs to; "": none */
	bool is_user_unit; /* of a user's manager */
	struct taf_grace grace; /* of that unit, by its main file alone */
	bool has_grace; /* the file was read, and nothing beside it can change it */
};

void taf_host_read(struct taf_host *h, const char *root);
/* ,"host":{...} for the start record: kernel, driver, swap, limit, unit, stop_ms. */
void taf_host_put(const struct taf_host *h, struct taf_text *out);

/* The unit that a cgroup's path ends in, perhaps with groups of its own behind it;
 * false: there is none, or it is a scope or a user's whole session. */
bool taf_host_unit_of(const char *cgroup, char *unit, size_t room, bool *is_user);
/* "name@instance.service" as "name@.service"; false: no instance. */
bool taf_host_template(const char *unit, char *out, size_t room);
/* Folders of systemd in the order in which they are searched; NULL: no more. */
const char *taf_host_unit_dir(unsigned i, bool is_user);

#endif
