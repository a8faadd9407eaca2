/* SPDX-License-Identifier: MIT */
/* driver.h -- the objects of the simulated libcuda.so.1 (machine.h: a simulation).
 *
 * Handles are the addresses of these objects and are looked up before they are used
 * (table.h).  Public functions are declared where they are defined; the few that
 * other parts call, here.  Types of CUDA are plain integers and pointers.
 */
#ifndef SIM_DRIVER_H
#define SIM_DRIVER_H

#include <pthread.h>

#include "guest.h"
#include "table.h"

#define SIM_PUBLIC __attribute__((visibility("default")))

enum sim_kind {
	SIM_CONTEXT = 1,
	SIM_STREAM,
	SIM_EVENT,
	SIM_GRAPH,
	SIM_EXEC,
	SIM_POOL,
	SIM_MODULE,
	SIM_PHYSICAL
};

struct sim_object {
	enum sim_kind kind;
};

struct sim_context {
	struct sim_object o;
	int device, refs;
	bool is_primary;
	struct sim_stream *legacy;
};

struct sim_capture {
	struct sim_stream *origin;
	struct sim_graph *graph;
	pthread_t thread;
	int mode; /* 0 global, 1 thread local, 2 relaxed */
	bool is_broken;
};

struct sim_stream {
	struct sim_object o;
	struct sim_context *ctx;
	struct sim_capture *capture; /* under the capture lock */
	int queue;
	unsigned flags; /* 1: does not wait for the legacy stream */
	uint64_t not_before_ns;
};

struct sim_event {
	struct sim_object o;
	struct sim_capture *capture; /* recorded in a stream under capture */
	int queue; /* -1: not recorded */
	uint64_t number, due_ns;
};

enum sim_work { SIM_LAUNCH_NODE, SIM_COPY_NODE, SIM_FILL_NODE, SIM_OTHER_NODE };

struct sim_node {
	enum sim_work work;
	char *to;
	const char *from;
	size_t bytes, rows, to_pitch, from_pitch;
	unsigned value;
	int width; /* of value */
};

struct sim_graph {
	struct sim_object o; /* a graph or an executable one */
	size_t n, room;
	struct sim_node *nodes;
};

enum sim_place { SIM_ON_DEVICE, SIM_MANAGED, SIM_ON_HOST, SIM_REGISTERED, SIM_OF_POOL };

struct sim_piece {
	uint64_t at, bytes;
	enum sim_place place;
	struct sim_context *ctx;
	struct sim_pool *pool;
};

struct sim_pool {
	struct sim_object o;
	int device;
	pthread_mutex_t lock;
	uint64_t used, reserved, used_high, reserved_high, threshold;
	uint64_t unseen; /* freed, and nobody has synchronized since */
};

extern struct sim_table sim_objects, sim_pieces;
extern _Thread_local struct sim_context *sim_current;

/* NULL: no such object of this kind. */
void *sim_object(const void *handle, enum sim_kind kind);
void *sim_object_new(enum sim_kind kind, size_t size);
void sim_object_free(void *object);

/* sim_ready, and a context that is current. */
int sim_enter(void);
int sim_primary(int device, struct sim_context **ctx);
/* Handles 0 and 1: the legacy stream; 2: this thread's own. */
int sim_stream(void *handle, struct sim_stream **s);

/* A command: into the graph where the stream is being captured, else into its queue. */
int sim_command(struct sim_stream *s, const struct sim_node *node);
void sim_node_run(const struct sim_node *node);
int sim_graph_add(struct sim_graph *g, const struct sim_node *node);

/* The process, unless SIMGPU_CAPTURE=error, where a stream is being captured. */
void sim_capture_end_if_open(const char *by);
/* Before a synchronize: of a stream, or of the whole context (NULL). */
int sim_capture_check_sync(const char *by, struct sim_stream *s);
/* Before what may synchronize by itself, an allocation for instance. */
int sim_capture_check_unsafe(void);
struct sim_capture *sim_capture_of(struct sim_stream *s);
int sim_captures_open(void);
void sim_capture_join(struct sim_stream *s, struct sim_capture *c);

int sim_wait_stream(const char *by, struct sim_stream *s);
struct sim_pool *sim_pool_default(int device);
/* What a pool holds beyond its threshold goes back, as at every synchronize. */
void sim_pools_settle(void);
int sim_map(uint64_t *at, uint64_t bytes);
void sim_unmap(uint64_t at, uint64_t bytes);
int sim_piece_add(const struct sim_piece *p);
/* All that a context holds. */
void sim_pieces_drop(struct sim_context *ctx);

#endif
