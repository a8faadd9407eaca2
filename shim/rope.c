/* SPDX-License-Identifier: MIT */
#include "rope.h"

#define WORDS_MAX 32 /* of the parameters: beyond the last setting of every layout */
#define DECIMALS 9 /* at most, of a number for people */

#define ROPE_SETTING(id, name, key, value)
#define ROPE_LAYOUT(scaling, base, first) { first, scaling, base },
static const struct layout {
	uint32_t first;
	uint8_t scaling, base;
} layouts[] = {
#include "rope.def"
};

#define ROPE_SETTING(id, name, key, value) { name, key, value },
#define ROPE_LAYOUT(scaling, base, first)
static const struct {
	char name[20], key[36];
	float value;
} settings[] = {
#include "rope.def"
};

static const struct {
	char name[12];
	enum taf_rope_scaling scaling;
} scalings[] = {
	{ "none", TAF_SCALING_NONE },
	{ "linear", TAF_SCALING_LINEAR },
	{ "yarn", TAF_SCALING_YARN },
	{ "longrope", TAF_SCALING_LONGROPE },
};

/* What the settings are by default: newer engines leave all that is negative to the model. */
static const float by_default[2][TAF_ROPE_ORIG] = {
	{ 0, 0, -1, 1, 32, 1 },
	{ 0, 0, -1, -1, -1, -1 },
};

static bool is_like(const uint32_t *at, const float v[TAF_ROPE_ORIG])
{
	return taf_equal(at, v, TAF_ROPE_ORIG * sizeof(*v)) && !at[TAF_ROPE_ORIG];
}

/* Between the two lie other types, which are -1 by default too, and before them a number. */
static bool is_there(const uint32_t *w, const struct layout *l)
{
	if (w[0] != l->first || (uint8_t)w[l->scaling] != UINT8_MAX ||
	    w[l->scaling - 1] == UINT32_MAX)
		return false;
	for (uint32_t i = l->scaling + 1u; i < l->base; i++)
		if (w[i] != UINT32_MAX)
			return false;
	return is_like(w + l->base, by_default[0]) || is_like(w + l->base, by_default[1]);
}

bool taf_rope_read(const void *defaults, const void *params, struct taf_rope_ask *ask)
{
	uint32_t w[WORDS_MAX];
	uint8_t type;

	for (uint32_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		const struct layout *l = &layouts[i];
		size_t n = (l->base + TAF_ROPE_SETTINGS) * sizeof(*w);

		taf_move(w, defaults, n);
		if (!is_there(w, l))
			continue;
		taf_move(w, params, n);
		type = (uint8_t)w[l->scaling];
		ask->scaling = type == UINT8_MAX ? TAF_SCALING_UNTOLD : type;
		taf_move(ask->v, w + l->base, sizeof(ask->v));
		ask->orig = w[l->base + TAF_ROPE_ORIG];
		return true;
	}
	return false;
}

void taf_rope_own(struct taf_rope_ask *own)
{
	own->scaling = TAF_SCALING_LINEAR;
	own->orig = 0;
	for (int i = 0; i < TAF_ROPE_ORIG; i++)
		own->v[i] = settings[i].value;
}

const char *taf_rope_key(enum taf_rope_setting s)
{
	return s < TAF_ROPE_ORIG ? settings[s].key : "rope.scaling.original_context_length";
}

bool taf_rope_number(const char *text, float *v)
{
	bool is_negative = *text == '-';
	uint64_t whole = 0, part = 0;
	const char *end, *from;
	double unit = 1;

	if (!taf_read_u64(text + is_negative, &end, &whole))
		return false;
	if (*end == '.') {
		from = end + 1;
		if (!taf_read_u64(from, &end, &part))
			return false;
		for (; from < end; from++)
			unit *= 10;
	}
	*v = (float)((double)whole + (double)part / unit);
	if (is_negative)
		*v = -*v;
	return !*end;
}

bool taf_rope_scaling_of(const char *text, int32_t *scaling)
{
	for (uint32_t i = 0; i < sizeof(scalings) / sizeof(scalings[0]); i++)
		if (taf_same(text, scalings[i].name)) {
			*scaling = scalings[i].scaling;
			return true;
		}
	return false;
}

static float or_own(const struct taf_rope_ask *ask, const struct taf_rope_ask *own,
		    enum taf_rope_setting s)
{
	return ask->v[s] < 0 ? own->v[s] : ask->v[s];
}

void taf_rope_resolve(const struct taf_rope_ask *ask, const struct taf_rope_ask *own,
		      struct taf_rope_used *used)
{
	int32_t scaling = ask->scaling < 0 ? own->scaling : ask->scaling;
	float factor = own->v[TAF_ROPE_SCALE], v[TAF_ROPE_ORIG];
	bool is_mixed;

	for (int i = TAF_ROPE_EXT; i < TAF_ROPE_ORIG; i++)
		v[i] = or_own(ask, own, (enum taf_rope_setting)i);
	v[TAF_ROPE_BASE] =
		ask->v[TAF_ROPE_BASE] == 0 ? own->v[TAF_ROPE_BASE] : ask->v[TAF_ROPE_BASE];
	v[TAF_ROPE_SCALE] = ask->v[TAF_ROPE_SCALE];
	if (v[TAF_ROPE_SCALE] == 0)
		v[TAF_ROPE_SCALE] = factor == 0 ? 1 : 1 / factor;
	if (scaling == TAF_SCALING_NONE)
		v[TAF_ROPE_SCALE] = 1;
	if (v[TAF_ROPE_EXT] < 0)
		v[TAF_ROPE_EXT] = scaling == TAF_SCALING_YARN;
	is_mixed = v[TAF_ROPE_EXT] != 0;
	if (!is_mixed)
		v[TAF_ROPE_EXT] = v[TAF_ROPE_FAST] = v[TAF_ROPE_SLOW] = 0;
	taf_move(used->bits, v, sizeof(v));
	used->bits[TAF_ROPE_ORIG] = is_mixed ? (ask->orig ? ask->orig : own->orig) : 0;
	used->is_known = true;
}

/* With as few decimals as tell it from its neighbours. */
static void put_float(struct taf_text *t, uint32_t bits)
{
	uint64_t unit = 1, n;
	float v;
	int digits;

	taf_move(&v, &bits, sizeof(v));
	if (!(v > -1e9f && v < 1e9f)) {
		taf_text_put(t, "0x");
		taf_text_hex(t, bits, 8);
		return;
	}
	taf_text_put(t, v < 0 ? "-" : "");
	v = v < 0 ? -v : v;
	for (digits = 0;; digits++, unit *= 10) {
		n = (uint64_t)((double)v * (double)unit + 0.5);
		if (digits == DECIMALS || (float)((double)n / (double)unit) == v)
			break;
	}
	taf_text_u64(t, n / unit);
	if (digits) {
		taf_text_char(t, '.');
		taf_text_pad(t, n % unit, digits);
	}
}

static void put_setting(struct taf_text *t, int s, uint32_t bits)
{
	if (s < TAF_ROPE_ORIG)
		put_float(t, bits);
	else
		taf_text_u64(t, bits);
}

void taf_rope_compare(const struct taf_rope_used *then, const struct taf_rope_used *now,
		      struct taf_text *why)
{
	if (!then->is_known || !now->is_known)
		return;
	for (int i = 0; i < TAF_ROPE_SETTINGS; i++) {
		if (then->bits[i] == now->bits[i])
			continue;
		taf_text_put(why, why->used ? "; " : "");
		taf_text_put(why, i < TAF_ROPE_ORIG ? settings[i].name : "yarn_orig_ctx");
		taf_text_char(why, ' ');
		put_setting(why, i, now->bits[i]);
		taf_text_put(why, ", was ");
		put_setting(why, i, then->bits[i]);
	}
}
