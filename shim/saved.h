/* SPDX-License-Identifier: MIT */
/* saved.h -- files in which a program kept what a context held, and whose they are.
 *
 *   saved     taf_saved_look, then taf_saved_enter: an entry in STATE/saved
 *   restored  taf_saved_look, then taf_saved_judge: does it belong to what is there now?
 *
 * FORMAT of STATE/saved (version 1): lines as share_text.h states them, each closed by
 * its checksum, the oldest first, TAF_SAVED_MAX of them, or fewer where names are so long that
 * there is no room for all; a file has one line:
 *
 *   taffrail saved 1
 *   saved path=HEX dev=N ino=N size=N mtime=N hash=HEX print=HEX adapters=HEX seq=N vocab=N
 *      ctx=N k=N v=N rope=N turn=HEX,... name="FILE" model="ID" engine="VERSION"   (one line)
 *
 * path and hash are the first 64 bits of a SHA-256: of the absolute path, and of the
 * first, middle and last 64 KiB of the file with its size.  The first bytes hold the engine's
 * own number of its format.  print is the model's (model_id.h), adapters those that were
 * set, seq whether it is one sequence, ctx the tokens that the context had room for, k and v
 * bytes of 32 elements of the cache; 0 and "" are unknown and never compared.
 *
 * rope: a model of LongRoPE has two sets of factors by which positions are turned, and what is in
 * the cache is turned already.  Which one is by the room of a sequence alone (llama.cpp,
 * llama_model::get_rope_factors): 1 short, 2 long.  turn: RoPE's settings as the context used
 * them (rope.h), the bits of seven numbers of 32.  Entries of before have neither.
 *
 * ctx: an engine restores a state into any context that has room for it, which is right: a
 * bigger one is as good, and a smaller one too as long as the tokens fit. How many there are
 * is told by the file: "ggsn" or "ggsq" as a number, the number of its format, and theirs. A
 * file that tells of more than the context had in which it was made tells something else.
 *
 * The tokenizer is not entered: it is in the file of the model, whose print is.
 *
 * No figure of an entry is used before its checksum was right.  The file is read and
 * written inside the section of share.h, and replaced whole.  Damaged lines are skipped and
 * told, and before anything is written the damaged file is kept as saved.damaged-<utc>.
 */
#ifndef TAF_SAVED_H
#define TAF_SAVED_H

#include "../policy/text.h"
#include "crumb_scan.h"
#include "model_id.h"
#include "rope.h"

#define TAF_SAVED_MAX 256

struct taf_saved {
	uint64_t path; /* hash of it */
	uint64_t dev, ino, size, mtime_ns, hash;
	uint64_t print, adapters, is_sequence, vocab, ctx, k_unit, v_unit, rope;
	struct taf_rope_used turn;
	/* Not part of an entry: */
	bool is_link; /* the path is one */
	uint32_t tokens; /* that the file tells of; 0 unknown */
	char name[64], model[TAF_MODEL_ID], engine[48];
};

enum taf_rope { TAF_ROPE_ALIKE, TAF_ROPE_SHORT, TAF_ROPE_LONG };

enum taf_saved_word {
	TAF_SAVED_FITS,
	TAF_SAVED_FITS_PARTLY, /* but RoPE's settings, here or there, are not known */
	TAF_SAVED_NEW, /* there is no entry of it */
	TAF_SAVED_DIFFERS,
	TAF_SAVED_UNASKED, /* the entries cannot be read */
};

/* Fills what the file tells; the rest stays. 0 or -errno. */
int taf_saved_look(const char *path, struct taf_saved *s);
/* Enters it. 0 or -errno. trouble: one line where entries were damaged, else "". */
int taf_saved_enter(const struct taf_saved *s, struct taf_text *trouble);
/* What the entries say of it; why gets what differs. */
enum taf_saved_word taf_saved_judge(const struct taf_saved *now, struct taf_text *why,
				    struct taf_text *trouble);

/* saved_text.c: one line, without its end. */
void taf_saved_put(struct taf_text *t, const struct taf_saved *s);
bool taf_saved_take(const char *line, size_t n, struct taf_saved *s);
/* Puts what speaks against now being e; nothing when it fits. */
void taf_saved_compare(const struct taf_saved *e, const struct taf_saved *now,
		       struct taf_text *why);

#endif
