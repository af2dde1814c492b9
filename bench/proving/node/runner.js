// Runs an operation in every form: awaited one after another, many promises at once, in worker_threads; these
// have an engine each and share nothing, so they count as multiprocessing. A program of this directory says
// what is done once and hands it to main().
"use strict";
const { Worker, isMainThread, parentPort } = require("node:worker_threads");

const at = process.argv.indexOf("--form");
const [, form, , workers, , operations] = process.argv.slice(at);

// Takes items one by one from `take` until there are none; returns how many it did.
async function drain(operation, take) {
  let cnt = 0;
  for (let item = take(); item < Number(operations); item = take())
    cnt += (await operation(item)) !== undefined;
  return cnt;
}

async function inOneThread(operation, lanes) {
  let next = 0;
  const counts = await Promise.all(
    Array.from({ length: lanes }, () => drain(operation, () => next++)));
  return counts.reduce((a, b) => a + b, 0);
}

// Hands items to workers, each as soon as it is done with the one before, and -1 for the end.
function inWorkers() {
  let next = 0;
  let cnt = 0;
  const serve = (worker) => new Promise((resolve, reject) => {
    worker.on("message", (done) => {
      cnt += done === true;
      worker.postMessage(next < Number(operations) ? next++ : -1);
    });
    worker.on("error", reject);
    worker.on("exit", resolve);
  });
  return Promise.all(Array.from({ length: Number(workers) }, () => serve(
    new Worker(process.argv[1], { argv: process.argv.slice(2) })))).then(() => cnt);
}

function serveItems(operation) {
  parentPort.on("message", async (item) => {
    if (item < 0)
      return parentPort.close();
    return parentPort.postMessage((await operation(item)) !== undefined);
  });
  parentPort.postMessage(null); // it is there
}

exports.main = async function main(operation) {
  if (!isMainThread)
    return serveItems(operation);
  const run = {
    sync: () => inOneThread(operation, 1),
    async: () => inOneThread(operation, Number(workers)),
    threads: inWorkers,
    multiprocessing: inWorkers,
  };
  console.log(`${await run[form]()} results`);
  return undefined;
};
