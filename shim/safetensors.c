/* SPDX-License-Identifier: MIT */
#include "safetensors.h"

#include "scan.h"

#include <errno.h>

#define DTYPES 24

struct walk {
	struct taf_scan scan;
	struct taf_safetensors *s;
	/* bytes by dtype, in the order of appearance */
	char dtype[DTYPES][16];
	uint64_t bytes_of[DTYPES];
	int n_dtypes;
};

struct tensor {
	char dtype[16];
	uint64_t elements, begin, end;
};

static void charge(struct walk *w, const struct tensor *t)
{
	int i = 0;

	while (i < w->n_dtypes && !taf_same(w->dtype[i], t->dtype))
		i++;
	if (i == DTYPES)
		return;
	if (i == w->n_dtypes) {
		w->n_dtypes++;
		taf_copy(w->dtype[i], t->dtype, sizeof(w->dtype[i]));
	}
	w->bytes_of[i] += t->end - t->begin;
}

/* Adapters name their two halves lora_a and lora_b, in one case or the other. */
static bool is_lora_name(const char *s)
{
	for (; *s; s++)
		if (taf_starts(s, "lora_") &&
		    (s[5] == 'a' || s[5] == 'A' || s[5] == 'b' || s[5] == 'B' ||
		     taf_starts(s + 5, "down") || taf_starts(s + 5, "up")))
			return true;
	return false;
}

static void read_shape(struct walk *w, struct tensor *t)
{
	enum taf_scan_token k;

	t->elements = 1;
	while ((k = taf_scan_next(&w->scan)) == TAF_SCAN_NUMBER)
		if (!w->scan.is_whole ||
		    __builtin_mul_overflow(t->elements, w->scan.number, &t->elements)) {
			w->s->is_odd = true;
			t->elements = 0;
		}
	if (k != TAF_SCAN_CLOSE)
		taf_reader_fail(w->scan.r, -EINVAL, "a shape is no list of numbers");
}

static void read_offsets(struct walk *w, struct tensor *t)
{
	uint64_t v[2] = { 0, 0 };
	int n = 0;
	enum taf_scan_token k;

	while ((k = taf_scan_next(&w->scan)) == TAF_SCAN_NUMBER) {
		if (!w->scan.is_whole || n == 2)
			break;
		v[n++] = w->scan.number;
	}
	if (k != TAF_SCAN_CLOSE || n != 2)
		taf_reader_fail(w->scan.r, -EINVAL, "data_offsets is no pair of numbers");
	t->begin = v[0];
	t->end = v[1];
}

static void read_member(struct walk *w, struct tensor *t)
{
	struct taf_scan *s = &w->scan;
	bool is_shape = taf_same(s->text, "shape"), is_dtype = taf_same(s->text, "dtype");
	bool is_offsets = taf_same(s->text, "data_offsets");
	enum taf_scan_token k = taf_scan_next(s);

	if (is_shape && k == TAF_SCAN_ARRAY)
		read_shape(w, t);
	else if (is_offsets && k == TAF_SCAN_ARRAY)
		read_offsets(w, t);
	else if (is_dtype && k == TAF_SCAN_STRING)
		taf_copy(t->dtype, s->text, sizeof(t->dtype));
	else
		taf_scan_skip(s, k);
}

/* The members of one tensor, its '{' being read. */
static void read_tensor(struct walk *w)
{
	struct tensor t = { .begin = 0 };

	while (taf_scan_next(&w->scan) == TAF_SCAN_KEY)
		read_member(w, &t);
	if (w->scan.r->err)
		return;
	w->s->n_tensors++;
	if (__builtin_add_overflow(w->s->n_elements, t.elements, &w->s->n_elements))
		w->s->is_odd = true;
	if (t.end < t.begin) {
		w->s->is_odd = true;
		return;
	}
	if (t.end > w->s->data_bytes)
		w->s->is_short = true;
	if (t.end - t.begin > w->s->largest)
		w->s->largest = t.end - t.begin;
	charge(w, &t);
}

static void read_metadata(struct walk *w)
{
	struct taf_scan *s = &w->scan;

	while (taf_scan_next(s) == TAF_SCAN_KEY) {
		bool is_format = taf_same(s->text, "format");
		enum taf_scan_token k = taf_scan_next(s);

		if (is_format && k == TAF_SCAN_STRING)
			taf_copy(w->s->format, s->text, sizeof(w->s->format));
		else
			taf_scan_skip(s, k);
	}
}

static void read_members(struct walk *w)
{
	struct taf_scan *s = &w->scan;

	if (taf_scan_next(s) != TAF_SCAN_OBJECT) {
		taf_reader_fail(s->r, -EINVAL, "the header is no JSON object");
		return;
	}
	while (taf_scan_next(s) == TAF_SCAN_KEY) {
		bool is_metadata = taf_same(s->text, "__metadata__");

		w->s->is_lora = w->s->is_lora || is_lora_name(s->text);
		if (taf_scan_next(s) != TAF_SCAN_OBJECT) {
			taf_reader_fail(s->r, -EINVAL, "a tensor is no JSON object");
			return;
		}
		if (is_metadata)
			read_metadata(w);
		else
			read_tensor(w);
	}
}

static void name_dtype(struct walk *w)
{
	uint64_t most = 0;

	for (int i = 0; i < w->n_dtypes; i++)
		if (w->bytes_of[i] > most) {
			most = w->bytes_of[i];
			taf_copy(w->s->dtype, w->dtype[i], sizeof(w->s->dtype));
		}
}

int taf_safetensors_measure(struct taf_reader *r, struct taf_safetensors *s)
{
	uint64_t n;

	taf_zero(s, sizeof(*s));
	if (taf_reader_u64(r, &n))
		return r->err;
	if (!n || n >= TAF_SAFETENSORS_HEADER_MAX)
		return taf_reader_fail(r, -EINVAL,
				       "no safetensors file: the header's length is absurd");
	if (n > r->size - r->at)
		return taf_reader_fail(r, -ENODATA, "the header goes past the end of the file");
	s->header_bytes = n;
	s->data_offset = r->at + n;
	s->data_bytes = r->size - s->data_offset;
	return 0;
}

int taf_safetensors_read(struct taf_reader *r, struct taf_safetensors *s, uint64_t limit)
{
	struct walk w;
	uint64_t end;

	if (taf_safetensors_measure(r, s))
		return r->err;
	taf_zero(&w, sizeof(w));
	s->is_partial = limit < s->header_bytes;
	end = r->at + (s->is_partial ? limit : s->header_bytes);
	taf_scan_init(&w.scan, r, end);
	w.s = s;
	read_members(&w);
	name_dtype(&w);
	/* Where we stopped on purpose, the end that the scanner ran into is no flaw. */
	if (r->err == -EINVAL && s->is_partial && r->at >= end) {
		r->err = 0;
		r->flaw = NULL;
	}
	return r->err;
}
