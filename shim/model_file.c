/* SPDX-License-Identifier: MIT */
/* model_file.c -- identifies a model from its files: headers, parts, config.json. */
#include "../policy/text.h"
#include "gguf.h"
#include "model.h"
#include "safetensors.h"
#include "scratch.h"
#include "sys.h"

#include <errno.h>

#define WINDOW (64u << 10)
#define HEADER_LIMIT (1u << 20) /* of a safetensors header; the sizes need none of it */
#define PARTS_MAX 1000u
#define PRINT 4096 /* bytes of the file that go into its fingerprint */
#define KIND 0170000u
#define KIND_DIR 0040000u
#define KIND_FILE 0100000u
#define DIRENT_NAME 19 /* offset of d_name in struct linux_dirent64 */

/* One identification under way. */
struct look {
	struct taf_model *m;
	uint8_t *window; /* mapped, or small */
	size_t room;
	char path[TAF_MODEL_PATH]; /* of the file at hand */
	uint8_t small[PRINT];
	union {
		struct taf_gguf gguf;
		struct taf_safetensors safetensors;
		struct taf_config config;
	} of; /* the file at hand */
	uint8_t names[1024] __attribute__((aligned(8))); /* of a directory */
	char dir[TAF_MODEL_PATH];
};

struct file {
	struct taf_stat st;
	struct taf_reader r;
	int fd;
};

/* Opens l->path; only regular files. */
static int open_file(struct look *l, struct file *f)
{
	int err;

	f->fd = taf_sys_open_any(l->path);
	if (f->fd < 0)
		return f->fd;
	err = taf_sys_fstat(f->fd, &f->st);
	if (!err && (f->st.mode & KIND) != KIND_FILE)
		err = (f->st.mode & KIND) == KIND_DIR ? -EISDIR : -EINVAL;
	if (err) {
		taf_sys_close(f->fd);
		return err;
	}
	taf_reader_of_fd(&f->r, f->fd, f->st.size);
	taf_reader_window(&f->r, l->window, l->room);
	return 0;
}

static void add_bytes(struct taf_model *m, uint64_t n)
{
	if (__builtin_add_overflow(m->bytes, n, &m->bytes))
		m->bytes = UINT64_MAX;
}

static void keep_flaw(struct taf_model *m, const struct taf_reader *r)
{
	struct taf_text t;

	taf_text_init(&t, m->flaw, sizeof(m->flaw));
	taf_reader_tell(r, &t);
}

static void take_print(struct look *l, struct file *f)
{
	int64_t n = taf_sys_pread(f->fd, l->small, sizeof(l->small), 0);

	/* A sum, because a directory lists its files in any order. */
	l->m->fingerprint +=
		taf_model_fingerprint(f->st.size, f->st.mtime_ns, l->small, n > 0 ? (size_t)n : 0);
}

/* Sets l->path to dir + name. False when it does not fit. */
static bool set_path(struct look *l, const char *path, size_t dir, const char *name)
{
	struct taf_text t;

	taf_text_init(&t, l->path, sizeof(l->path));
	taf_text_put_n(&t, path, dir);
	taf_text_put(&t, name);
	return !t.is_cut;
}

/* Sets l->path to part no of the split whose name is the first stem bytes of path. */
static bool set_part(struct look *l, const char *path, size_t stem, const uint32_t no_of[2])
{
	struct taf_text t;

	taf_text_init(&t, l->path, sizeof(l->path));
	taf_text_put_n(&t, path, stem);
	taf_text_char(&t, '-');
	taf_text_pad(&t, no_of[0], 5);
	taf_text_put(&t, "-of-");
	taf_text_pad(&t, no_of[1], 5);
	taf_text_put(&t, taf_ends(path, ".gguf") ? ".gguf" : ".safetensors");
	return !t.is_cut;
}

static void take_shape(struct taf_model *m, const struct taf_shape *s)
{
	m->layers = s->layers;
	m->heads = s->heads;
	m->context = s->context;
	taf_copy(m->arch, s->arch, sizeof(m->arch));
	taf_shape_cache(s, &m->cache);
}

static void take_largest(struct taf_model *m, uint64_t bytes)
{
	if (bytes > m->largest)
		m->largest = bytes;
}

/* Figures of the model stand in the first part; others only add their bytes. */
static void take_gguf(struct taf_model *m, const struct taf_gguf *g)
{
	m->format = TAF_FORMAT_GGUF;
	m->is_odd = m->is_odd || g->is_odd;
	m->is_short = m->is_short || g->is_short;
	m->has_rope_sets = m->has_rope_sets || g->has_rope_sets;
	take_largest(m, g->largest);
	if (m->arch[0] || !g->shape.arch[0])
		return;
	take_shape(m, &g->shape);
	m->experts = g->expert_count;
	m->rope_turn = g->rope_turn ? g->rope_turn : g->shape.context;
	taf_copy(m->name, g->name, sizeof(m->name));
	taf_copy(m->quant, taf_gguf_quant(g), sizeof(m->quant));
	if (taf_same(g->type, "mmproj") || taf_same(g->shape.arch, "clip"))
		m->role = TAF_ROLE_MMPROJ;
	else if (taf_same(g->type, "adapter"))
		m->role = TAF_ROLE_LORA;
	else if (taf_starts(g->shape.arch, "eagle") || taf_same(g->shape.arch, "dflash"))
		m->role = TAF_ROLE_DRAFT;
}

static int read_gguf(struct look *l, struct file *f)
{
	struct taf_gguf *g = &l->of.gguf;
	int err = taf_gguf_read(&f->r, g);

	take_gguf(l->m, g);
	add_bytes(l->m, err ? f->st.size : g->data_bytes);
	return err;
}

static int read_safetensors(struct look *l, struct file *f)
{
	struct taf_model *m = l->m;
	struct taf_safetensors s;
	int err;

	m->format = TAF_FORMAT_SAFETENSORS;
	if (m->files) { /* the figures are known */
		err = taf_safetensors_measure(&f->r, &s);
	} else {
		err = taf_safetensors_read(&f->r, &s, HEADER_LIMIT);
		taf_copy(m->quant, s.dtype, sizeof(m->quant));
		m->is_odd = s.is_odd;
		m->is_short = s.is_short;
		take_largest(m, s.largest);
		m->role = s.is_lora ? TAF_ROLE_LORA : TAF_ROLE_MAIN;
	}
	add_bytes(m, err ? f->st.size : s.data_bytes);
	return err;
}

/* Of whisper.cpp: eleven numbers stand behind the first bytes, and everything else is
 * weights, or next to it. */
static int read_whisper(struct look *l, struct file *f)
{
	enum { AUDIO_LAYERS = 4, TEXT_LAYERS = 8, TYPE = 10, NUMBERS };
	struct taf_model *m = l->m;
	uint32_t n[NUMBERS];

	add_bytes(m, f->st.size);
	if (taf_sys_pread(f->fd, n, sizeof(n), 4) != sizeof(n))
		return taf_reader_fail(&f->r, -EINVAL, "it ends in its first numbers");
	m->layers = n[AUDIO_LAYERS] + n[TEXT_LAYERS];
	taf_copy(m->arch, "whisper", sizeof(m->arch));
	taf_copy(m->quant,
		 n[TYPE] == 0	? "F32"
		 : n[TYPE] == 1 ? "F16"
				: "quantized",
		 sizeof(m->quant));
	return 0;
}

/* By its first bytes: Ollama's blobs have no suffix. */
static int read_one(struct look *l)
{
	struct file f;
	uint8_t magic[4] = { 0 };
	int err = open_file(l, &f);

	if (err)
		return err;
	take_print(l, &f);
	if (taf_sys_pread(f.fd, magic, sizeof(magic), 0) < 0)
		err = -EIO;
	else if (taf_equal(magic, "GGUF", 4) || taf_ends(l->path, ".gguf"))
		err = read_gguf(l, &f);
	else if (taf_ends(l->path, ".safetensors"))
		err = read_safetensors(l, &f);
	else if (taf_equal(magic, "lmgg", 4))
		err = read_whisper(l, &f);
	else
		err = taf_reader_fail(&f.r, -EINVAL, "neither GGUF nor safetensors");
	l->m->files++;
	if (f.r.err && !l->m->flaw[0])
		keep_flaw(l->m, &f.r);
	taf_sys_close(f.fd);
	return err;
}

/* Every part of a split that exists. The error is that of the first part. */
static int read_split(struct look *l, const char *path, size_t stem, uint32_t count)
{
	int first = 0;

	for (uint32_t i = 1; i <= count && i <= PARTS_MAX; i++) {
		uint32_t no_of[2] = { i, count };
		int err = set_part(l, path, stem, no_of) ? read_one(l) : -ENAMETOOLONG;

		if (err == -ENOENT)
			l->m->missing++;
		if (i == 1)
			first = err;
	}
	return first;
}

/* A name of the directory in dents at *at; moves on. NULL at the end. The
 * kernel ends a name with NUL and leaves what is behind it as it was. */
static const char *next_name(const uint8_t *dents, size_t n, size_t *at)
{
	const uint8_t *d = dents + *at;
	size_t len, i;

	if (n - *at < DIRENT_NAME + 1)
		return NULL;
	len = (size_t)d[16] | (size_t)d[17] << 8;
	if (len < DIRENT_NAME + 1 || len > n - *at)
		return NULL;
	for (i = DIRENT_NAME; i < len && d[i]; i++)
		;
	*at += len;
	return i < len ? (const char *)d + DIRENT_NAME : NULL;
}

/* Every file like pattern in the directory, the first dir bytes of path. */
static int read_like(struct look *l, const char *path, size_t dir, const char *pattern)
{
	const char *name;
	int64_t n;
	int fd, err = -ENOENT;

	if (!set_path(l, path, dir, "."))
		return -ENAMETOOLONG;
	fd = taf_sys_open_any(l->path);
	if (fd < 0)
		return fd;
	while ((n = taf_sys_getdents(fd, l->names, sizeof(l->names))) > 0 &&
	       l->m->files < PARTS_MAX)
		for (size_t at = 0; (name = next_name(l->names, (size_t)n, &at));) {
			if (!taf_glob(pattern, name) || !set_path(l, path, dir, name))
				continue;
			if (!read_one(l))
				err = 0;
			else if (err == -ENOENT)
				err = -EINVAL;
		}
	taf_sys_close(fd);
	return n < 0 ? (int)n : err;
}

static void name_quant(struct taf_model *m, const struct taf_config *c)
{
	struct taf_text t;

	if (!c->quant_bits && !c->quant_method[0])
		return;
	taf_text_init(&t, m->quant, sizeof(m->quant));
	taf_text_put(&t, c->quant_method);
	if (c->quant_method[0] && c->quant_bits)
		taf_text_char(&t, ' ');
	if (c->quant_bits) {
		taf_text_u64(&t, c->quant_bits);
		taf_text_put(&t, "-bit");
	}
}

/* The config.json beside weights fills in the shape; without one it stays unknown. */
static void read_config(struct look *l, const char *path, size_t dir)
{
	struct taf_config *c = &l->of.config;
	struct file f;

	if (!set_path(l, path, dir, "config.json") || open_file(l, &f))
		return;
	if (!taf_config_read(&f.r, c)) {
		l->m->has_config = true;
		take_shape(l->m, &c->shape);
		l->m->experts = c->expert_count;
		taf_copy(l->m->name, c->model_type, sizeof(l->m->name));
		name_quant(l->m, c);
	} else if (!l->m->flaw[0]) {
		keep_flaw(l->m, &f.r);
	}
	taf_sys_close(f.fd);
}

/* The first dir bytes of path are a directory of weights. */
static int read_dir(struct look *l, const char *path, size_t dir)
{
	int err = read_like(l, path, dir, "model*.safetensors");

	if (err == -ENOENT)
		err = read_like(l, path, dir, "*.safetensors");
	if (err == -ENOENT)
		err = read_like(l, path, dir, "*.gguf");
	read_config(l, path, dir);
	return err;
}

static int read_any(struct look *l, const char *path)
{
	const char *base = taf_base(path);
	size_t dir = (size_t)(base - path), stem;
	uint32_t no, count;
	int err;

	stem = taf_model_split(base, &no, &count);
	if (taf_glob("model*.safetensors", base)) {
		err = read_dir(l, path, dir);
		if (l->m->files)
			return err;
	}
	if (stem && count > 1) {
		err = read_split(l, path, dir + stem, count);
	} else {
		if (!set_path(l, path, taf_len(path), ""))
			return -ENAMETOOLONG;
		err = read_one(l);
	}
	if (err == -EISDIR && set_path(l, path, taf_len(path), "/")) {
		taf_copy(l->dir, l->path, sizeof(l->dir));
		taf_model_id_of_dir(path, l->m->id);
		return read_dir(l, l->dir, taf_len(l->dir));
	}
	if (l->m->format == TAF_FORMAT_SAFETENSORS)
		read_config(l, path, dir);
	return err;
}

/* Weights with a config.json are one model whatever the file is called. */
static void name_model(struct look *l, const char *path)
{
	struct taf_model *m = l->m;
	size_t n = (size_t)(taf_base(path) - path);

	if (!m->has_config || !n || n >= sizeof(l->dir) || !taf_ends(path, ".safetensors"))
		return;
	taf_move(l->dir, path, n);
	l->dir[n] = '\0';
	taf_model_id_of_dir(l->dir, m->id);
}

static int identify(struct look *l, const char *path)
{
	struct taf_model *m = l->m;
	int err;

	l->window = taf_sys_map(WINDOW);
	l->room = WINDOW;
	if (!l->window) {
		l->window = l->small;
		l->room = sizeof(l->small);
	}
	err = read_any(l, path);
	name_model(l, path);
	if (m->role == TAF_ROLE_MAIN && taf_starts(taf_base(path), "mmproj"))
		m->role = TAF_ROLE_MMPROJ;
	if (m->role == TAF_ROLE_MAIN && taf_starts(taf_base(path), "adapter"))
		m->role = TAF_ROLE_LORA;
	if (l->window != l->small)
		taf_sys_unmap(l->window, WINDOW);
	return err;
}

int taf_model_identify(const char *path, struct taf_model *m)
{
	struct look *l;
	int err;

	taf_zero(m, sizeof(*m));
	if (!taf_model_id(path, m->id))
		return -EINVAL;
	l = taf_scratch_take(sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->m = m;
	err = identify(l, path);
	taf_scratch_give(l);
	return err;
}

const char *taf_model_role_name(enum taf_model_role role)
{
	static const char names[][8] = { "main", "draft", "mmproj", "lora" };

	return names[role & 3];
}
