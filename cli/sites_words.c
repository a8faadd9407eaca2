/* SPDX-License-Identifier: MIT */
#include "elf_lib.h"

#include "sites_words.h"

#include <stdlib.h>
#include <string.h>

/* The first that is found names the program: llama.cpp and whisper.cpp have ggml in them.
 * Words as of llama.cpp b10434, whisper.cpp 1.8.5 and mlx 0.29 to 0.32; the one of ggml is
 * older than all of them, that of llama.cpp came with GGUF. */
static const struct {
	enum taf_engine engine;
	const char *name, *words;
} engines[] = {
	{ TAF_ENGINE_LLAMA, "llama.cpp", "loaded meta data with %d key-value pairs" },
	{ TAF_ENGINE_WHISPER, "whisper.cpp", "n_audio_ctx   = %d" },
	{ TAF_ENGINE_MLX, "MLX", "N3mlx4core9PrimitiveE" },
	{ TAF_ENGINE_GGML, "ggml", "not enough space in the context's memory pool" },
};

#define ENGINES (sizeof(engines) / sizeof(*engines))

const char *taf_sites_words_name(enum taf_engine engine)
{
	for (size_t i = 0; i < ENGINES; i++)
		if (engines[i].engine == engine)
			return engines[i].name;
	return taf_engine_name(engine);
}

/* Lowers *found to the first of the table that lies in there. */
static void look(struct taf_object *o, uint64_t at, uint64_t size, size_t *found)
{
	Elf_Data *data = taf_elf_chunk(o, at, size, ELF_T_BYTE);

	for (size_t i = 0; data && data->d_buf && i < *found; i++)
		if (memmem(data->d_buf, data->d_size, engines[i].words, strlen(engines[i].words)))
			*found = i;
}

/* Constants of an ordinary linker. False: the file has no such section. */
static bool look_at_section(struct taf_object *o, size_t *found)
{
	Elf_Scn *s = NULL;
	bool is_there = false;
	size_t names, n = 0;
	const char *name;
	GElf_Shdr h;

	if (taf_libelf.elf_getshdrstrndx(o->elf, &names))
		return false;
	while ((s = taf_libelf.elf_nextscn(o->elf, s)) && n++ < TAF_ELF_SECTIONS_MAX) {
		if (!taf_libelf.gelf_getshdr(s, &h) || h.sh_type != SHT_PROGBITS)
			continue;
		name = taf_libelf.elf_strptr(o->elf, names, h.sh_name);
		if (!name || strncmp(name, ".rodata", 7) != 0)
			continue;
		is_there = true;
		look(o, h.sh_offset, h.sh_size, found);
	}
	return is_there;
}

static void look_at_segments(struct taf_object *o, size_t *found)
{
	GElf_Phdr p;
	size_t n;

	if (taf_libelf.elf_getphdrnum(o->elf, &n))
		return;
	for (size_t i = 0; i < n && i < TAF_ELF_SEGMENTS_MAX; i++)
		if (taf_libelf.gelf_getphdr(o->elf, (int)i, &p) && p.p_type == PT_LOAD)
			look(o, p.p_offset, p.p_filesz, found);
}

enum taf_engine taf_sites_words(struct taf_object *o)
{
	size_t found = ENGINES;

	if (!look_at_section(o, &found))
		look_at_segments(o, &found);
	return found < ENGINES ? engines[found].engine : TAF_ENGINE_NONE;
}
