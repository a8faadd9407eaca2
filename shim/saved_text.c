/* SPDX-License-Identifier: MIT */
/* saved_text.c -- an entry of STATE/saved as text, and what differs between two. */
#include "saved.h"
#include "share_line.h"

static void put_hex(struct taf_text *t, const char *key, uint64_t v)
{
	taf_text_put(t, key);
	taf_text_hex(t, v, 16);
}

static void put_turn(struct taf_text *t, const struct taf_rope_used *turn)
{
	taf_text_put(t, turn->is_known ? " turn=" : "");
	for (int i = 0; turn->is_known && i < TAF_ROPE_SETTINGS; i++) {
		taf_text_put(t, i ? "," : "");
		taf_text_hex(t, turn->bits[i], 8);
	}
}

void taf_saved_put(struct taf_text *t, const struct taf_saved *s)
{
	size_t from = t->used;

	put_hex(t, "saved path=", s->path);
	taf_line_put_number(t, " dev=", s->dev);
	taf_line_put_number(t, " ino=", s->ino);
	taf_line_put_number(t, " size=", s->size);
	taf_line_put_number(t, " mtime=", s->mtime_ns);
	put_hex(t, " hash=", s->hash);
	put_hex(t, " print=", s->print);
	put_hex(t, " adapters=", s->adapters);
	taf_line_put_number(t, " seq=", s->is_sequence);
	taf_line_put_number(t, " vocab=", s->vocab);
	taf_line_put_number(t, " ctx=", s->ctx);
	taf_line_put_number(t, " k=", s->k_unit);
	taf_line_put_number(t, " v=", s->v_unit);
	taf_line_put_number(t, " rope=", s->rope);
	put_turn(t, &s->turn);
	taf_line_put_text(t, " name=", s->name);
	taf_line_put_text(t, " model=", s->model);
	taf_line_put_text(t, " engine=", s->engine);
	taf_line_end(t, from, TAF_SHARE_SAVED);
}

static bool take_hex(struct taf_cursor *c, const char *key, uint64_t *v)
{
	return taf_line_eat(c, key) && taf_line_hex(c, v);
}

static bool take_rope(struct taf_cursor *c, uint64_t *v)
{
	*v = 0;
	return !taf_line_eat(c, " rope") || taf_line_number(c, "=", v);
}

static bool take_hex32(struct taf_cursor *c, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < 8; i++, c->p++) {
		int d = c->p < c->end ? taf_hex_digit(*c->p) : -1;

		if (d < 0)
			return false;
		*v = *v << 4 | (unsigned)d;
	}
	return true;
}

static bool take_turn(struct taf_cursor *c, struct taf_rope_used *turn)
{
	*turn = (struct taf_rope_used){ 0 };
	if (!taf_line_eat(c, " turn="))
		return true;
	for (int i = 0; i < TAF_ROPE_SETTINGS; i++)
		if ((i && !taf_line_eat(c, ",")) || !take_hex32(c, &turn->bits[i]))
			return false;
	turn->is_known = true;
	return true;
}

bool taf_saved_take(const char *line, size_t n, struct taf_saved *s)
{
	struct taf_cursor c;

	s->is_link = false;
	s->tokens = 0;
	return taf_line_is_whole(line, n, TAF_SHARE_SAVED, &c) &&
	       take_hex(&c, "saved path=", &s->path) && taf_line_number(&c, " dev=", &s->dev) &&
	       taf_line_number(&c, " ino=", &s->ino) && taf_line_number(&c, " size=", &s->size) &&
	       taf_line_number(&c, " mtime=", &s->mtime_ns) && take_hex(&c, " hash=", &s->hash) &&
	       take_hex(&c, " print=", &s->print) && take_hex(&c, " adapters=", &s->adapters) &&
	       taf_line_number(&c, " seq=", &s->is_sequence) &&
	       taf_line_number(&c, " vocab=", &s->vocab) && taf_line_number(&c, " ctx=", &s->ctx) &&
	       taf_line_number(&c, " k=", &s->k_unit) && taf_line_number(&c, " v=", &s->v_unit) &&
	       take_rope(&c, &s->rope) && take_turn(&c, &s->turn) &&
	       taf_line_text(&c, " name=", s->name, sizeof(s->name)) &&
	       taf_line_text(&c, " model=", s->model, sizeof(s->model)) &&
	       taf_line_text(&c, " engine=", s->engine, sizeof(s->engine)) && c.p == c.end;
}

/* Begins a reason behind the ones before. */
static struct taf_text *reason(struct taf_text *why)
{
	taf_text_put(why, why->used ? "; " : "");
	return why;
}

static void put_two(struct taf_text *why, const char *what, uint64_t then, uint64_t now)
{
	taf_text_put(reason(why), what);
	taf_text_char(why, ' ');
	taf_text_u64(why, now);
	taf_text_put(why, ", was ");
	taf_text_u64(why, then);
}

static void compare_numbers(struct taf_text *why, const char *what, uint64_t then, uint64_t now)
{
	if (then && now && then != now)
		put_two(why, what, then, now);
}

static void compare_texts(struct taf_text *why, const char *what, const char *then, const char *now)
{
	if (!then[0] || !now[0] || taf_same(then, now))
		return;
	taf_text_put(reason(why), what);
	taf_text_char(why, ' ');
	taf_text_put(why, now);
	taf_text_put(why, ", was ");
	taf_text_put(why, then);
}

static void compare_files(const struct taf_saved *e, const struct taf_saved *now,
			  struct taf_text *why)
{
	bool is_same = e->dev == now->dev && e->ino == now->ino;

	if (!is_same && now->is_link && e->path == now->path)
		taf_text_put(reason(why), "the link leads to another file");
	else if (!is_same && (e->size != now->size || e->hash != now->hash))
		taf_text_put(reason(why), "another file lies there");
	else if (e->size != now->size)
		put_two(why, "bytes", e->size, now->size);
	else if (e->hash != now->hash || (is_same && e->mtime_ns != now->mtime_ns))
		taf_text_put(reason(why), "it was written to since");
}

/* A model that was renamed is the same, and so is one of which less is known. */
static void compare_models(const struct taf_saved *e, const struct taf_saved *now,
			   struct taf_text *why)
{
	if (e->print && e->print == now->print)
		return;
	if (!taf_model_id_same(e->model, now->model))
		compare_texts(why, "model", e->model, now->model);
	else if (e->print && now->print)
		taf_text_put(reason(why), "the files of the model have changed");
}

/* Whether it has room (saved.h). */
static void compare_room(const struct taf_saved *e, const struct taf_saved *now,
			 struct taf_text *why)
{
	if (!e->ctx || !now->ctx || now->tokens > e->ctx || now->tokens <= now->ctx)
		return;
	put_two(why, "room for tokens", e->ctx, now->ctx);
	taf_text_put(why, ", and it holds ");
	taf_text_u64(why, now->tokens);
}

void taf_saved_compare(const struct taf_saved *e, const struct taf_saved *now, struct taf_text *why)
{
	compare_files(e, now, why);
	compare_models(e, now, why);
	if (e->is_sequence != now->is_sequence)
		taf_text_put(reason(why), now->is_sequence ? "it is no sequence alone"
							   : "it is one sequence alone");
	if (e->adapters != now->adapters)
		taf_text_put(reason(why), "other adapters are set");
	compare_numbers(why, "vocabulary", e->vocab, now->vocab);
	compare_room(e, now, why);
	compare_numbers(why, "bytes of 32 keys", e->k_unit, now->k_unit);
	compare_numbers(why, "bytes of 32 values", e->v_unit, now->v_unit);
	if (e->rope && now->rope && e->rope != now->rope)
		taf_text_put(reason(why),
			     now->rope == TAF_ROPE_LONG
				     ? "the RoPE factors of a long context, was short"
				     : "the RoPE factors of a short context, was long");
	taf_rope_compare(&e->turn, &now->turn, why);
	compare_texts(why, "engine", e->engine, now->engine);
}
