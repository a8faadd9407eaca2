// SPDX-License-Identifier: MIT
// node_tokens.mjs -- tokens a second of node-llama-cpp, bare and guarded, in turn (bench_tokens.sh).
//
//   node node_tokens.mjs TAFFRAIL MODEL       the bench: starts copies of itself
//   node node_tokens.mjs guest MODEL          one copy: a line in, a figure out
//
// One copy is bare, one under `taffrail run` with no policy file: its profile for llama.cpp
// under node waits for the device after each generation.  They generate in turn, so that a pair
// is measured within a second or two; a pause before each is long enough for the last one to end.
// They are started anew a few times: where their memory lies lasts as long as they do.

import path from "node:path";
import readline from "node:readline";
import {spawn} from "node:child_process";
import {setTimeout as sleep} from "node:timers/promises";
import {fileURLToPath, pathToFileURL} from "node:url";

const STARTS = 5, PAIRS_EACH = 24, TOKENS = 40, PAUSE_MS = 300;
const SAMPLING = {temperature: 0, yieldEogToken: true};
const self = fileURLToPath(import.meta.url);

async function open(file) {
    const cache = process.env.TAFFRAIL_CACHE ?? path.join(path.dirname(self), "..", "..", "build", "cache");
    const entry = path.join(cache, "llama", "node_modules", "node-llama-cpp", "dist", "index.js");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(entry).href);
    const llama = await getLlama({gpu: false, build: "never", progressLogs: false, logLevel: LlamaLogLevel.error});
    const model = await llama.loadModel({modelPath: file});
    const context = await model.createContext({contextSize: 128, threads: 1});
    return {model, sequence: context.getSequence()};
}

async function guest(file) {
    const {model, sequence} = await open(file);

    console.log("ready");
    for await (const _ of readline.createInterface({input: process.stdin})) {
        await sequence.clearHistory();
        const begin = process.hrtime.bigint();
        let n = 0;
        for await (const token of sequence.evaluate(model.tokenize("hello a b"), SAMPLING))
            if (token === undefined || ++n >= TOKENS)
                break;
        console.log(n / Number(process.hrtime.bigint() - begin) * 1e9);
    }
    process.exit(0);
}

class Copy {
    constructor(front, model) {
        const command = [...front, process.execPath, self, "guest", model];
        this.p = spawn(command[0], command.slice(1), {stdio: ["pipe", "pipe", "ignore"]});
        this.lines = readline.createInterface({input: this.p.stdout})[Symbol.asyncIterator]();
    }

    async line() {
        const {value, done} = await this.lines.next();
        if (done)
            throw new Error("a copy has ended");
        return value;
    }

    async ask() {
        await sleep(PAUSE_MS);
        this.p.stdin.write("tokens\n");
        return Number(await this.line());
    }

    async end() {
        const over = new Promise((resolve) => this.p.on("close", resolve));
        this.p.stdin.end();
        await over;
    }
}

const byValue = (a, b) => a - b;
const median = (list) => {
    const s = [...list].sort(byValue), n = s.length;
    return n % 2 ? s[(n - 1) / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
};

function row(what, bare, guarded, goal) {
    const ratios = bare.map((b, i) => guarded[i] / b).sort(byValue), n = ratios.length;
    // The 95 % interval of a median, from order statistics.
    const k = Math.max(0, Math.trunc(n / 2 - 0.98 * Math.sqrt(n)));
    const f = (x) => x.toPrecision(4);
    console.log(`| ${what} | ${f(median(bare))} /s | ${f(median(guarded))} /s | x${f(median(ratios))} ` +
        `| ${f(ratios[k])} .. ${f(ratios[n - 1 - k])} | ${n} | ${goal} |`);
}

async function main(taffrail, model) {
    const got = [[], []];

    for (let s = 0; s < STARTS; s++) {
        const copies = [new Copy([], model), new Copy([taffrail, "run", "--"], model)];
        for (const c of copies) {
            await c.line();
            await c.ask();
        }
        for (let i = 0; i < PAIRS_EACH; i++)
            for (const c of i % 2 ? [0, 1] : [1, 0])
                got[c].push(await copies[c].ask());
        for (const c of copies)
            await c.end();
    }
    row("node-llama-cpp, tokens a second, built-in profile", got[0], got[1], "at least x0.99");
}

if (process.argv[2] === "guest")
    await guest(process.argv[3]);
else
    await main(process.argv[2], process.argv[3]);
