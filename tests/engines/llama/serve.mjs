// SPDX-License-Identifier: MIT
// serve.mjs -- a guest: a small inference program on the stock node-llama-cpp.
// It knows nothing of taffrail. It loads a GGUF, makes a context, generates
// twice with a pause between (two inferences), gives everything back and ends.
//
//   node serve.mjs [--twice] [--hang] [--no-dispose] [--tokens N] [--context N] [--generations N] [--pause MS] [--gpu NAME] MODEL...
//
//   --twice       load, generate and dispose a second time (the second MODEL, or the same)
//   --hang        after the first generation print "hanging" and generate until killed
//   --no-dispose  end with the model and the context still alive
//   --generations N  on each model; 2 unless told
//   --pause MS    between two generations; 600 unless told
//   --gpu NAME    on that GPU build (fetch.sh NAME) instead of the CPU
//
// Tokens go to stdout, one line a generation; everything else to stderr.
// 77 when the engine has not been fetched, 64 on wrong use.

import {existsSync} from "node:fs";
import path from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";
import {setTimeout as sleep} from "node:timers/promises";

// Random weights may end a text at once; it goes on to the length asked for.
const SAMPLING = {temperature: 0, yieldEogToken: true};

function usage(reason) {
    console.error(`serve.mjs: ${reason}`);
    console.error("usage: node serve.mjs [--twice] [--hang] [--no-dispose] [--tokens N] [--context N] [--generations N] [--pause MS] [--gpu NAME] MODEL...");
    process.exit(64);
}

function readArguments() {
    try {
        const {values, positionals} = parseArgs({
            allowPositionals: true,
            options: {
                twice: {type: "boolean", default: false},
                hang: {type: "boolean", default: false},
                "no-dispose": {type: "boolean", default: false},
                tokens: {type: "string", default: "8"},
                context: {type: "string", default: "128"},
                generations: {type: "string", default: "2"},
                pause: {type: "string", default: "600"},
                gpu: {type: "string", default: ""}
            }
        });
        if (positionals.length === 0)
            usage("no model given");
        return {
            ...values, models: positionals,
            tokens: Number(values.tokens), context: Number(values.context), pause: Number(values.pause),
            generations: Number(values.generations)
        };
    } catch (error) {
        return usage(error.message);
    }
}

async function importEngine(gpu) {
    const here = path.dirname(fileURLToPath(import.meta.url));
    const cache = process.env.TAFFRAIL_CACHE ?? path.join(here, "..", "..", "..", "build", "cache");
    const entry = path.join(cache, gpu, "llama", "node_modules", "node-llama-cpp", "dist", "index.js");
    if (!existsSync(entry)) {
        console.error("serve.mjs: the engine has not been fetched: tests/engines/llama/fetch.sh");
        process.exit(77);
    }
    return await import(pathToFileURL(entry).href);
}

async function generate(model, sequence, prompt, limit) {
    const tokens = [];
    for await (const token of sequence.evaluate(model.tokenize(prompt), SAMPLING)) {
        tokens.push(token);
        if (tokens.length >= limit)
            break;
    }
    console.log(tokens.join(" "));
}

async function hang(model, sequence) {
    console.log("hanging");
    for (;;) {
        await sequence.clearHistory();
        let n = 0;
        for await (const token of sequence.evaluate(model.tokenize("hello a b"), SAMPLING)) {
            if (token === undefined || ++n >= 64)
                break;
        }
    }
}

async function serve(llama, file, options) {
    const model = await llama.loadModel({modelPath: path.resolve(file)});
    // One thread: the model is tiny, and threads that wait for each other starve on a busy machine.
    const context = await model.createContext({contextSize: options.context, threads: 1});
    const sequence = context.getSequence();

    await generate(model, sequence, "hello a b", options.tokens);
    if (options.hang)
        await hang(model, sequence);
    for (let i = 1; i < options.generations; i++) {
        await sleep(options.pause);
        await sequence.clearHistory();
        await generate(model, sequence, "hello b a", options.tokens);
    }
    if (options["no-dispose"]) {
        kept.push(model, context);
        return;
    }
    await context.dispose();
    await model.dispose();
}

// What is not given back must stay in sight, or the collector gives it back.
const kept = [];
const options = readArguments();
const {getLlama, LlamaLogLevel} = await importEngine(options.gpu);
const llama = await getLlama({
    gpu: options.gpu || false, build: "never", skipDownload: true, progressLogs: false, logLevel: LlamaLogLevel.error
});
const rounds = options.twice ? 2 : 1;
for (let round = 0; round < rounds; round++)
    await serve(llama, options.models[round % options.models.length], options);
if (kept.length > 0)
    process.exit(0);
await llama.dispose();
