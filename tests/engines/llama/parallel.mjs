// SPDX-License-Identifier: MIT
// parallel.mjs -- a guest: several generations at once on the stock node-llama-cpp.
// It knows nothing of taffrail. One model, a context for each generation, all
// of them under way together on the threads of node.
//
//   node parallel.mjs [--contexts N] [--tokens N] MODEL
//
// Prints the tokens of each, in the order of the contexts.

import {existsSync} from "node:fs";
import path from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {contexts: {type: "string", default: "4"}, tokens: {type: "string", default: "8"}}
});
const here = path.dirname(fileURLToPath(import.meta.url));
const cache = process.env.TAFFRAIL_CACHE ?? path.join(here, "..", "..", "..", "build", "cache");
const entry = path.join(cache, "llama", "node_modules", "node-llama-cpp", "dist", "index.js");
if (!existsSync(entry)) {
    console.error("parallel.mjs: the engine has not been fetched: tests/engines/llama/fetch.sh");
    process.exit(77);
}
const {getLlama, LlamaLogLevel} = await import(pathToFileURL(entry).href);

// A text as long as asked for, in pieces that fit the context; only the first piece is kept.
async function generate(model, context, prompt, limit) {
    const sequence = context.getSequence();
    const kept = [];
    let n = 0;
    while (n < limit) {
        await sequence.clearHistory();
        let piece = 0;
        for await (const token of sequence.evaluate(model.tokenize(prompt), {temperature: 0, yieldEogToken: true})) {
            if (kept.length < 100)
                kept.push(token);
            if (++n >= limit || ++piece >= 64)
                break;
        }
    }
    return kept.join(" ");
}

const llama = await getLlama({
    gpu: false, build: "never", skipDownload: true, progressLogs: false, logLevel: LlamaLogLevel.error
});
const model = await llama.loadModel({modelPath: path.resolve(positionals[0])});
const contexts = [];
for (let i = 0; i < Number(values.contexts); i++)
    contexts.push(await model.createContext({contextSize: 128, threads: 1}));
const prompts = ["hello a b", "hello b a", "a hello b", "b b hello"];
const texts = await Promise.all(contexts.map((context, i) =>
    generate(model, context, prompts[i % prompts.length], Number(values.tokens))));
console.log(texts.join("\n"));
for (const context of contexts)
    await context.dispose();
await model.dispose();
await llama.dispose();
