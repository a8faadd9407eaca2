/* SPDX-License-Identifier: MIT */
/* sites_text.h -- TAFFRAIL_SITES, by which `run` tells where a program calls an engine of its own.
 *
 *   1;BUILD-ID;ROW=ADDRESS:SITE,SITE,...;ROW=ADDRESS;...
 *
 *   1         version of the format
 *   BUILD-ID  of the one program that it is about, in hexadecimal; for others it says nothing
 *   ROW       name of an entry point of the tables
 *   ADDRESS   of that function in the file's own numbers (virtual, before relocation), hexadecimal
 *   SITE      likewise, of an instruction that calls it (site.h), ascending; a row without
 *             sites only says where the function is
 *
 * Whoever sets our environment wrote it, so every byte is doubted: taf_sites_row
 * reads a row whole before it hands it out, within the limits below.  Nothing is
 * copied, nothing is kept. */
#ifndef TAF_SITES_TEXT_H
#define TAF_SITES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAF_SITES_VAR "TAFFRAIL_SITES"
#define TAF_SITES_ROWS_MAX 256u
#define TAF_SITES_MAX 12288u /* the kernel takes a variable of 128 KiB */
#define TAF_SITES_ID_MAX 64u /* bytes */

struct taf_sites_text {
	const char *at;
	const char *fault; /* what is wrong; NULL: nothing so far */
	unsigned char id[TAF_SITES_ID_MAX];
	unsigned n_id, rows, sites;
};

struct taf_sites_row {
	const char *name; /* n_name bytes */
	size_t n_name;
	uint64_t address;
	unsigned n_sites;
	const char *list; /* the sites that are still to come */
};

/* Reads version and build id. False: fault says why not. */
bool taf_sites_begin(struct taf_sites_text *t, const char *value);
/* The next row. False at the end, or fault says why. */
bool taf_sites_row(struct taf_sites_text *t, struct taf_sites_row *r);
/* The next site of a row. False: there was none left. */
bool taf_sites_site(struct taf_sites_row *r, uint64_t *site);

#endif
