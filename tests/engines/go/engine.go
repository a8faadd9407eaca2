// SPDX-License-Identifier: MIT

// engine.go -- a guest: an engine in a Go program, opened at run time and called by dlsym
// through cgo, as Ollama's runner opens libmlxc.
//
//	engine llama LIBLLAMA MODEL END
//	engine mlxc LIBMLXC FOLDER END
//
// Every call is made by a goroutine of its own, half of which have a thread of their
// own that ends with them, while others keep the runtime busy with preemption.
// END is how it ends: return, exit (os.Exit), cexit (the C library's), panic,
// notify (a handler of SIGTERM that returns), term (nobody handles it).
package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Structs of the engine that grow between versions: never looked into.
struct params { uint64_t words[64]; };
struct batch { int32_t n; void *token, *embd, *pos, *n_seq, *seq, *logits; };

static void *lib;

static int lib_open(const char *path)
{
	lib = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
	if (!lib)
		fprintf(stderr, "%s\n", dlerror());
	return lib != NULL;
}

static void quiet(int level, const char *text, void *data)
{
}

static void *llama_open(const char *path)
{
	struct params (*dflt)(void) = dlsym(lib, "llama_model_default_params");
	void *(*load)(const char *, struct params) = dlsym(lib, "llama_model_load_from_file");
	void (*set_log)(void *, void *) = dlsym(lib, "llama_log_set");

	set_log(quiet, NULL);
	return load(path, dflt());
}

static void *llama_context(void *model)
{
	struct params (*dflt)(void) = dlsym(lib, "llama_context_default_params");
	void *(*make)(void *, struct params) = dlsym(lib, "llama_init_from_model");
	void (*set_threads)(void *, int32_t, int32_t) = dlsym(lib, "llama_set_n_threads");
	void *ctx = make(model, dflt());

	if (ctx)
		set_threads(ctx, 1, 1); // or they spin against each other on a busy machine
	return ctx;
}

static int llama_step(void *ctx, int token)
{
	int32_t tokens[1] = { token };
	struct batch (*one)(int32_t *, int32_t) = dlsym(lib, "llama_batch_get_one");
	int (*decode)(void *, struct batch) = dlsym(lib, "llama_decode");

	return decode(ctx, one(tokens, 1));
}

static void llama_close(void *ctx, void *model)
{
	void (*free_ctx)(void *) = dlsym(lib, "llama_free");
	void (*free_model)(void *) = dlsym(lib, "llama_model_free");

	free_ctx(ctx);
	free_model(model);
}

static int mlx_step(void)
{
	int (*eval)(void *) = dlsym(lib, "mlx_eval");

	return eval(NULL);
}

static int mlx_limit(unsigned long n)
{
	size_t before = 0;
	int (*set)(size_t *, size_t) = dlsym(lib, "mlx_set_wired_limit");

	return set(&before, n);
}
*/
import "C"

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Calls f on some other thread, and now and then on one that ends with it.
func elsewhere(n int, f func()) {
	done := make(chan struct{})
	go func() {
		if n%2 == 0 {
			runtime.LockOSThread()
		}
		defer close(done)
		f()
	}()
	<-done
}

var isOver atomic.Bool

// Work that the runtime has to take the processor from by a signal.
func spin() {
	var x uint64
	for !isOver.Load() {
		for i := 0; i < 100000; i++ {
			x = x*31 + uint64(i)
		}
		_ = make([]byte, 1<<16)
	}
	runtime.KeepAlive(x)
}

func text(s string) *C.char { return C.CString(s) }

func llama(path string) {
	var model, ctx unsafe.Pointer
	elsewhere(0, func() { model = C.llama_open(text(path)) })
	if model == nil {
		fmt.Println("no model")
		os.Exit(1)
	}
	elsewhere(1, func() { ctx = C.llama_context(model) })
	for i := 0; i < 12; i++ {
		elsewhere(i, func() { fmt.Print(C.llama_step(ctx, C.int(3+i)), " ") })
	}
	fmt.Println()
	if os.Args[4] == "return" {
		elsewhere(0, func() { C.llama_close(ctx, model) })
	}
}

func mlxc() {
	for i := 0; i < 12; i++ {
		elsewhere(i, func() { fmt.Print(C.mlx_step(), " ") })
	}
	elsewhere(0, func() { fmt.Println(C.mlx_limit(1 << 20)) })
}

// Dies of it by its default action, after the runtime had its say.
func term() {
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	select {}
}

func end(how string) {
	switch how {
	case "exit":
		os.Exit(3)
	case "cexit":
		C.exit(4)
	case "panic":
		panic("by design")
	case "notify":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		fmt.Println(<-c)
		os.Exit(5)
	case "term":
		term()
	}
}

func main() {
	runtime.GOMAXPROCS(4)
	if C.lib_open(text(os.Args[2])) == 0 {
		os.Exit(77)
	}
	go spin()
	if os.Args[1] == "llama" {
		llama(os.Args[3])
	} else {
		mlxc()
	}
	isOver.Store(true)
	end(os.Args[4])
}
