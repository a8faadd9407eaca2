/* SPDX-License-Identifier: MIT */
#include "format.h"

/* One conversion: how wide its argument is, and what it is. */
struct conversion {
	bool is_long;
	char what;
	const char *after;
};

static struct conversion read_conversion(const char *p)
{
	struct conversion c = { false, 0, p };

	for (; *p == 'l' || *p == 'z' || *p == 'h' || *p == 'j' || *p == 't'; p++)
		c.is_long = c.is_long || *p != 'h';
	c.what = *p;
	c.after = *p ? p + 1 : p;
	return c;
}

static void put_signed(struct taf_text *t, uint64_t v, bool is_long)
{
	taf_text_i64(t, is_long ? (int64_t)v : (int32_t)v);
}

/* False: not one that we know. */
static bool put(struct taf_text *t, const struct conversion *c, uint64_t v)
{
	union {
		uint64_t n;
		const char *s;
	} u = { .n = v };

	switch (c->what) {
	case 's': taf_text_put(t, u.s ? u.s : "(null)"); return true;
	case 'd':
	case 'i': put_signed(t, v, c->is_long); return true;
	case 'u': taf_text_u64(t, c->is_long ? v : (uint32_t)v); return true;
	case 'x': taf_text_hex(t, c->is_long ? v : (uint32_t)v, 1); return true;
	case 'c': taf_text_char(t, (char)v); return true;
	case 'p':
		taf_text_put(t, "0x");
		taf_text_hex(t, v, 1);
		return true;
	default: return false;
	}
}

void taf_format(struct taf_text *t, const struct taf_regs *r, unsigned n)
{
	union {
		uint64_t n;
		const char *s;
	} u = { .n = taf_regs_arg(r, n) };
	const char *p = u.s ? u.s : "";

	while (*p) {
		struct conversion c;

		if (*p != '%') {
			taf_text_char(t, *p++);
			continue;
		}
		c = read_conversion(p + 1);
		if (c.what == '%') {
			taf_text_char(t, '%');
		} else if (!put(t, &c, taf_regs_arg(r, ++n))) {
			taf_text_put(t, p);
			return;
		}
		p = c.after;
	}
}
