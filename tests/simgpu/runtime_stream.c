/* SPDX-License-Identifier: MIT */
/* runtime_stream.c -- streams, events, captures and graphs of the simulated runtime. */
#include "runtime.h"

SIM_FORWARD(cudaStreamCreate, (void **stream), cuStreamCreate, (stream, 0))
SIM_FORWARD(cudaStreamCreateWithFlags, (void **stream, unsigned flags), cuStreamCreate,
	    (stream, flags))
SIM_FORWARD(cudaStreamCreateWithPriority, (void **stream, unsigned flags, int priority),
	    cuStreamCreateWithPriority, (stream, flags, priority))
SIM_FORWARD(cudaStreamDestroy, (void *stream), cuStreamDestroy, (stream))
SIM_STREAMED(cudaStreamSynchronize, (void *stream), cuStreamSynchronize, (stream))
SIM_STREAMED(cudaStreamQuery, (void *stream), cuStreamQuery, (stream))
SIM_STREAMED(cudaStreamWaitEvent, (void *stream, void *event, unsigned flags), cuStreamWaitEvent,
	     (stream, event, flags))
SIM_STREAMED(cudaStreamBeginCapture, (void *stream, int mode), cuStreamBeginCapture, (stream, mode))
SIM_STREAMED(cudaStreamEndCapture, (void *stream, void **graph), cuStreamEndCapture,
	     (stream, graph))
SIM_STREAMED(cudaStreamIsCapturing, (void *stream, int *status), cuStreamIsCapturing,
	     (stream, status))
SIM_FORWARD(cudaThreadExchangeStreamCaptureMode, (int *mode), cuThreadExchangeStreamCaptureMode,
	    (mode))

SIM_FORWARD(cudaEventCreate, (void **event), cuEventCreate, (event, 0))
SIM_FORWARD(cudaEventCreateWithFlags, (void **event, unsigned flags), cuEventCreate, (event, flags))
SIM_FORWARD(cudaEventDestroy, (void *event), cuEventDestroy, (event))
SIM_STREAMED(cudaEventRecord, (void *event, void *stream), cuEventRecord, (event, stream))
SIM_FORWARD(cudaEventQuery, (void *event), cuEventQuery, (event))
SIM_FORWARD(cudaEventSynchronize, (void *event), cuEventSynchronize, (event))
SIM_FORWARD(cudaEventElapsedTime, (float *ms, void *from, void *to), cuEventElapsedTime,
	    (ms, from, to))

SIM_FORWARD(cudaGraphCreate, (void **graph, unsigned flags), cuGraphCreate, (graph, flags))
SIM_FORWARD(cudaGraphDestroy, (void *graph), cuGraphDestroy, (graph))
SIM_FORWARD(cudaGraphGetNodes, (void *graph, void **nodes, size_t *n), cuGraphGetNodes,
	    (graph, nodes, n))
SIM_FORWARD(cudaGraphInstantiate, (void **exec, void *graph, unsigned long long flags),
	    cuGraphInstantiateWithFlags, (exec, graph, flags))
SIM_FORWARD(cudaGraphInstantiateWithFlags, (void **exec, void *graph, unsigned long long flags),
	    cuGraphInstantiateWithFlags, (exec, graph, flags))
SIM_FORWARD(cudaGraphExecUpdate, (void *exec, void *graph, void *info), cuGraphExecUpdate,
	    (exec, graph, info))
SIM_FORWARD(cudaGraphExecDestroy, (void *exec), cuGraphExecDestroy, (exec))
SIM_STREAMED(cudaGraphUpload, (void *exec, void *stream), cuGraphUpload, (exec, stream))
SIM_STREAMED(cudaGraphLaunch, (void *exec, void *stream), cuGraphLaunch, (exec, stream))
SIM_STREAMED(cudaLaunchHostFunc, (void *stream, void (*fn)(void *), void *arg), cuLaunchHostFunc,
	     (stream, fn, arg))
