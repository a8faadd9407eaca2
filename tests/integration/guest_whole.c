/* SPDX-License-Identifier: MIT */
/* guest_whole.c -- uses the fakes of whisper.cpp and of stable-diffusion.cpp.
 *
 *   guest_whole WORD...
 *
 *   whisper=PATH   loads a model
 *   full state parallel   transcribes; with a state of its own; in parts
 *   steps          the encoder and two tokens
 *   free           frees the newest state or model of whisper.cpp
 *   small=PATH     loads it six times in the old whisper.cpp, whose parameters are a byte
 *   sd=PATH old=PATH   loads a model of the new and of the old stable-diffusion.cpp
 *   image=WIDTH video=WIDTH   of the new one; 0 fails
 *   bool=PATH      loads a model of the one that says of images whether they went well
 *   good=WIDTH     an image of that one; 0 fails
 *   text=WIDTH from=WIDTH     of the old one: of a text, of an image
 *   larger         makes an image larger
 *   end            frees the newest model of them
 *   stranger       calls a library that only has the same names
 */
#include <stdbool.h>

#include "guest.h"

struct image {
	uint32_t width, height, channel;
	uint8_t *data;
};
struct small {
	bool use_gpu;
};
struct wide {
	double at[9];
};

static void *whisper, *small, *sd, *old, *yes_no, *stranger;
static void *ctx, *state, *image_ctx;

#define IN(lib, name, ret, ...) \
	static ret (*name)(__VA_ARGS__); \
	if (!name) \
	guest_symbol(&name, lib, #name)

static void *open_lib(const char *file)
{
	char path[4096];
	void *lib;

	guest_beside(path, sizeof(path), file);
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		fprintf(stderr, "guest: %s\n", dlerror());
		_exit(95);
	}
	return lib;
}

static void load_whisper(const char *path)
{
	IN(whisper, whisper_init_from_file_with_params, void *, const char *, struct fake_batch);

	ctx = whisper_init_from_file_with_params(path, fake_batch_of(5));
	printf("whisper %s\n", ctx ? "loaded" : "failed");
}

/* With a GPU at odd addresses, without at even ones. */
static void load_small(const char *path)
{
	IN(small, whisper_init_from_file_with_params, void *, const char *, struct small);
	IN(small, whisper_init_from_buffer_with_params, void *, void *, size_t, struct small);
	IN(small, whisper_init_with_params, void *, void *, struct small);
	IN(small, whisper_free, void, void *);
	char where[2][256];
	int n = 0;

	for (int i = 0; i < 2; i++) {
		char *at = where[i] + (((uintptr_t)where[i] & 1) != (uintptr_t)i);
		struct small params = { .use_gpu = i };
		void *got[3];

		snprintf(at, sizeof(where[i]) - 1, "%s", path);
		got[0] = whisper_init_from_file_with_params(at, params);
		got[1] = whisper_init_from_buffer_with_params(at, 77, params);
		got[2] = whisper_init_with_params(at, params);
		for (int k = 0; k < 3; k++) {
			n += got[k] != NULL;
			whisper_free(got[k]);
		}
	}
	printf("small whisper %d of 6\n", n);
}

static void transcribe(const char *how)
{
	IN(whisper, whisper_full, int, void *, struct fake_value, const void *, int);
	IN(whisper, whisper_init_state, void *, void *);
	IN(whisper, whisper_full_with_state, int, void *, void *, struct fake_value, const void *,
	   int);
	IN(whisper, whisper_full_parallel, int, void *, struct fake_value, const void *, int, int);
	int rc;

	if (*how == 'f') {
		rc = whisper_full(ctx, fake_value_of(9), how, 9);
	} else if (*how == 's') {
		state = whisper_init_state(ctx);
		rc = whisper_full_with_state(ctx, state, fake_value_of(9), how, 9);
	} else {
		rc = whisper_full_parallel(ctx, fake_value_of(9), how, 9, 2);
	}
	printf("%s: %d\n", how, rc);
}

static void steps(void)
{
	IN(whisper, whisper_encode, int, void *, int, int);
	IN(whisper, whisper_decode, int, void *, const void *, int, int, int);

	printf("steps: %d %d %d\n", whisper_encode(ctx, 0, 1), whisper_decode(ctx, &ctx, 1, 0, 1),
	       whisper_decode(ctx, &ctx, 1, 1, 1));
}

static void free_one(void)
{
	IN(whisper, whisper_free, void, void *);
	IN(whisper, whisper_free_state, void, void *);

	if (state)
		whisper_free_state(state);
	else
		whisper_free(ctx);
	state = NULL;
}

static void load_sd(const char *path)
{
	IN(sd, sd_ctx_params_init, void, void *);
	IN(sd, new_sd_ctx, void *, void *);
	const char *params[41];

	sd_ctx_params_init(params);
	params[0] = path;
	image_ctx = new_sd_ctx(params);
	printf("sd %s\n", image_ctx ? "loaded" : "failed");
}

static void load_bool(const char *path)
{
	IN(yes_no, sd_ctx_params_init, void, void *);
	IN(yes_no, new_sd_ctx, void *, void *);
	const char *params[41];

	sd_ctx_params_init(params);
	params[0] = path;
	image_ctx = new_sd_ctx(params);
	printf("sd of yes and no %s\n", image_ctx ? "loaded" : "failed");
}

static void load_old(const char *path)
{
	IN(old, new_sd_ctx, void *, const char *, const char *, const char *, const char *,
	   const char *, const char *, const char *, bool, bool, bool, int, int, int, int, bool,
	   bool, bool);

	image_ctx = new_sd_ctx(path, path + 1, path + 2, path + 3, path + 4, path + 5, path + 6,
			       true, false, true, 11, 12, 13, 14, true, false, true);
	printf("old sd %s\n", image_ctx ? "loaded" : "failed");
}

static void make_image(int width)
{
	IN(sd, generate_image, struct image *, void *, const int *);
	struct image *i = generate_image(image_ctx, &width);

	printf("image %u\n", i ? i->width : 0);
}

static void make_good(int width)
{
	IN(yes_no, generate_image, bool, void *, const int *, struct image **, int *);
	struct image *images = NULL;
	int n = -1;
	bool is_good = generate_image(image_ctx, &width, &images, &n);

	printf("good image %d %u %d\n", is_good, images ? images->width : 0, n);
}

static void make_video(int width)
{
	IN(sd, generate_video, bool, void *, const int *, struct image **, int *, void **);
	struct image *frames = NULL;
	void *audio = NULL;
	int n = 0;
	bool is_good = generate_video(image_ctx, &width, &frames, &n, &audio);

	printf("video %d %u %d %d\n", is_good, frames ? frames->width : 0, n, audio == image_ctx);
}

static void make_of_text(int width)
{
	IN(old, txt2img, struct image *, void *, const char *, const char *, int, float, int, int,
	   int, int, int64_t, int, const struct image *, float, float, bool, const char *);
	const char *p = "prompt";
	struct image *i = txt2img(image_ctx, p, p + 1, -3, 7.5f, width, width + 1, 5, 6, INT64_MIN,
				  8, NULL, 0.25f, -1e-40f, true, p + 2);

	printf("of a text %u\n", i ? i->width : 0);
}

static void make_of_image(int width)
{
	IN(old, img2img, struct image *, void *, struct image, const char *, const char *, int,
	   float, int, int, int, int, float, int64_t, int);
	struct image from = { 1, 2, 3, image_ctx };
	const char *p = "prompt";
	struct image *i =
		img2img(image_ctx, from, p, p + 1, 4, 5.5f, width, width + 1, 6, 7, 0.75f, 8, 9);

	printf("of an image %u\n", i ? i->width : 0);
}

static void make_larger(void)
{
	IN(sd, new_upscaler_ctx, void *, const char *, bool, bool, int, int, const char *,
	   const char *);
	IN(sd, free_upscaler_ctx, void, void *);
	IN(sd, upscale, struct image, void *, struct image, uint32_t);
	const char *path = "larger.gguf";
	void *up = new_upscaler_ctx(path, true, false, 4, 128, path, path + 1);
	struct image i = upscale(up, (struct image){ 3, 4, 5, image_ctx }, 7);

	printf("larger %u %u %u %d\n", i.width, i.height, i.channel, i.data == image_ctx);
	free_upscaler_ctx(up);
}

static void end_sd(void)
{
	IN(sd, free_sd_ctx, void, void *);

	free_sd_ctx(image_ctx);
}

static void meet(void)
{
	IN(stranger, generate_image, struct wide, double, struct wide, long, float);
	IN(stranger, txt2img, double, const char *, ...);
	struct wide w =
		generate_image(0.5, (struct wide){ { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }, 6, 1.5f);

	for (int i = 0; i < 9; i++)
		printf("%g ", w.at[i]);
	printf("%g\n", txt2img("dldldldldldldldldldl", 1.5, 2l, 1.5, 2l, 1.5, 2l, 1.5, 2l, 1.5, 2l,
			       1.5, 2l, 1.5, 2l, 1.5, 2l, 1.5, 2l, 1.5, 2l));
}

static void run(const char *word, const char *value)
{
	if (!strncmp(word, "whisper=", 8))
		load_whisper(value);
	else if (!strncmp(word, "small=", 6))
		load_small(value);
	else if (!strcmp(word, "full") || !strcmp(word, "state") || !strcmp(word, "parallel"))
		transcribe(word);
	else if (!strcmp(word, "steps"))
		steps();
	else if (!strcmp(word, "free"))
		free_one();
	else if (!strncmp(word, "sd=", 3))
		load_sd(value);
	else if (!strncmp(word, "bool=", 5))
		load_bool(value);
	else if (!strncmp(word, "good=", 5))
		make_good(atoi(value));
	else if (!strncmp(word, "old=", 4))
		load_old(value);
	else if (!strncmp(word, "image=", 6))
		make_image(atoi(value));
	else if (!strncmp(word, "video=", 6))
		make_video(atoi(value));
	else if (!strncmp(word, "text=", 5))
		make_of_text(atoi(value));
	else if (!strncmp(word, "from=", 5))
		make_of_image(atoi(value));
	else if (!strcmp(word, "larger"))
		make_larger();
	else if (!strcmp(word, "end"))
		end_sd();
	else if (!strcmp(word, "stranger"))
		meet();
	else
		exit(64);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	whisper = open_lib("libfake_whisper.so");
	small = open_lib("libfake_whisper_old.so");
	sd = open_lib("libfake_sd.so");
	old = open_lib("libfake_sd_old.so");
	yes_no = open_lib("libfake_sd_bool.so");
	stranger = open_lib("libfake_stranger.so");
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		run(argv[i], value ? value + 1 : argv[i]);
	}
	return 0;
}
