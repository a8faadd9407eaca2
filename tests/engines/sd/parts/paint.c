/* SPDX-License-Identifier: MIT */
/* paint.c -- a program on stable-diffusion.cpp, which knows nothing of taffrail.
 *
 *	paint STEP...
 *
 * STEP, one after the other:
 *
 *   load=FILE,DECODER   loads a model, in the place of the one before; prints whether it could
 *   image=SEED          makes an image, 32 by 32, and prints a sum of its bytes
 *   video               asks for a video, which such a model cannot make
 *   upscale=FILE        loads an upscaler, makes the last image larger with it, frees it
 *   canny               finds the edges of the last image, without a model
 *   free                gives the model up
 *   die=N               an image, and in its first step signal N
 *   exit=N              leaves by exit
 *
 * With BY_NAME it opens the library and asks for each function by name, as a binding of a
 * scripting language does.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stable-diffusion.h>

#ifdef BY_NAME
#define SD(name) ((__typeof__(name) *)by_name(#name))

static void *by_name(const char *name)
{
	static void *library;

	if (!library)
		library = dlopen("libstable-diffusion.so", RTLD_NOW | RTLD_LOCAL);
	if (!library || !dlsym(library, name)) {
		fprintf(stderr, "%s\n", dlerror());
		exit(70);
	}
	return dlsym(library, name);
}
#else
#define SD(name) name
#endif

static sd_ctx_t *ctx;
static sd_image_t image;
static int deadly;

static void on_step(int step, int steps, float time, void *data)
{
	(void)step;
	(void)steps;
	(void)time;
	(void)data;
	if (deadly)
		kill(getpid(), deadly);
}

static void sum(const char *what, const sd_image_t *i)
{
	uint32_t n = 2166136261u;

	for (size_t k = 0; i->data && k < (size_t)i->width * i->height * i->channel; k++)
		n = (n ^ i->data[k]) * 16777619u;
	printf("%s %ux%u %08x\n", what, i->width, i->height, n);
}

static void load(const char *value)
{
	char file[256], *decoder;
	sd_ctx_params_t p;

	snprintf(file, sizeof(file), "%s", value);
	decoder = strchr(file, ',');
	if (decoder)
		*decoder++ = '\0';
	if (ctx)
		SD(free_sd_ctx)(ctx);
	SD(sd_ctx_params_init)(&p);
	p.model_path = file;
	p.taesd_path = decoder;
	p.n_threads = 1;
	ctx = SD(new_sd_ctx)(&p);
	puts(ctx ? "loaded" : "not loaded");
}

static void make_image(int64_t seed)
{
	sd_img_gen_params_t p;
	sd_image_t *made;

	SD(sd_img_gen_params_init)(&p);
	p.prompt = "a rail round the stern of a ship";
	p.width = p.height = 32;
	p.seed = seed;
	p.sample_params.sample_steps = 2;
	p.sample_params.guidance.txt_cfg = 1;
	made = SD(generate_image)(ctx, &p);
	free(image.data);
	image = (sd_image_t){ 0 };
	if (made) {
		image = made[0];
		made[0].data = NULL;
		SD(free_sd_images)(made, 1);
	}
	sum("image", &image);
}

static void make_video(void)
{
	sd_vid_gen_params_t p;
	sd_image_t *frames = NULL;
	sd_audio_t *audio = NULL;
	int n = 0;

	SD(sd_vid_gen_params_init)(&p);
	p.prompt = "the same at sea";
	p.width = p.height = 32;
	p.video_frames = 5;
	puts(SD(generate_video)(ctx, &p, &frames, &n, &audio) ? "video" : "no video");
}

static void enlarge(const char *file)
{
	upscaler_ctx_t *up = SD(new_upscaler_ctx)(file, false, 1, 0, NULL, NULL);
	sd_image_t big;

	if (!up) {
		puts("no upscaler");
		return;
	}
	big = SD(upscale)(up, image, (uint32_t)SD(get_upscale_factor)(up));
	sum("upscaled", &big);
	free(big.data);
	SD(free_upscaler_ctx)(up);
}

static void do_step(const char *step, const char *value)
{
	if (!strncmp(step, "load", 4)) {
		load(value);
	} else if (!strncmp(step, "image", 5)) {
		make_image(atoi(value));
	} else if (!strncmp(step, "upscale", 7)) {
		enlarge(value);
	} else if (!strncmp(step, "die", 3)) {
		deadly = atoi(value);
		make_image(1);
	} else if (!strncmp(step, "exit", 4)) {
		exit(atoi(value));
	} else if (!strcmp(step, "video")) {
		make_video();
	} else if (!strcmp(step, "canny")) {
		SD(preprocess_canny)(image, 0.08f, 0.08f, 0.8f, 1, false);
		sum("edges", &image);
	} else {
		SD(free_sd_ctx)(ctx);
		ctx = NULL;
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	SD(sd_set_progress_callback)(on_step, NULL);
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		do_step(argv[i], value ? value + 1 : "");
	}
	return 0;
}
