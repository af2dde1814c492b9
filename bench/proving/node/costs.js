// One run of one measurement of bench/proving/costs in Node.js: a figure a line, "name value unit".
"use strict";
const { Worker, isMainThread, parentPort } = require("node:worker_threads");
const { spawnSync } = require("node:child_process");
const { performance } = require("node:perf_hooks");

const ITEMS = 20000;
const MESSAGES = 2000;

function show(name, value, unit) {
  console.log(`${name}\t${value.toPrecision(4)}\t${unit}`);
}

async function promises() {
  const start = performance.now();
  await Promise.all(Array.from({ length: ITEMS }, async (_, i) => { await null; return i; }));
  show("Node.js: a promise awaited", 1e3 * (performance.now() - start) / ITEMS, "us");
}

function answer(worker, message) {
  return new Promise((resolve) => { worker.once("message", resolve); worker.postMessage(message); });
}

async function workers() {
  for (const cnt of [1, 4]) {
    const rss = process.memoryUsage().rss;
    const start = performance.now();
    const all = Array.from({ length: cnt }, () => new Worker(__filename));
    await Promise.all(all.map((worker) => answer(worker, 0)));
    show(`Node.js: start of a worker, of ${cnt}`, (performance.now() - start) / cnt, "ms");
    show(`Node.js: memory of a worker, of ${cnt}`,
      (process.memoryUsage().rss - rss) / cnt / 1024, "KiB");
    const begin = performance.now();
    for (let i = 0; i < MESSAGES; i++)
      await answer(all[0], i);
    show(`Node.js: message to a worker and back, of ${cnt}`,
      1e3 * (performance.now() - begin) / MESSAGES, "us");
    await Promise.all(all.map((worker) => worker.terminate()));
  }
}

function start() {
  const begin = performance.now();
  spawnSync(process.execPath, ["-e", "0"]);
  show("Node.js: start and end", performance.now() - begin, "ms");
}

if (isMainThread)
  ({ promises, workers, start })[process.argv[2]]();
else
  parentPort.on("message", (message) => parentPort.postMessage(message));
