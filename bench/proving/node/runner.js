// Runs an operation in every form: awaited one after another, many promises at once, in worker threads, in
// child processes. A program of this directory says what is done once and hands it to main().
"use strict";
const { Worker, isMainThread, parentPort } = require("node:worker_threads");
const { fork } = require("node:child_process");

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

// Hands items to others, each as soon as it is done with the one before.
function inOthers(start) {
  let next = 0;
  let cnt = 0;
  const serve = (worker, send, end) => new Promise((resolve) => {
    const give = () => {
      if (next < Number(operations))
        return send(next++);
      end();
      return resolve();
    };
    worker.on("message", (done) => { cnt += done === true; give(); });
  });
  return Promise.all(Array.from({ length: Number(workers) }, () => serve(...start())))
    .then(() => cnt);
}

function startThread() {
  const worker = new Worker(process.argv[1], { argv: process.argv.slice(2) });
  return [worker, (item) => worker.postMessage(item), () => worker.postMessage(-1)];
}

function startProcess() {
  const child = fork(process.argv[1], process.argv.slice(2),
    { env: { ...process.env, PROVING_CHILD: "1" } });
  return [child, (item) => child.send(item), () => child.send(-1)];
}

// The far side of inOthers(): says when it is there, then does what it is sent, -1 for the end.
function serveItems(operation, port, post, close) {
  port.on("message", async (item) => {
    if (item < 0)
      return close();
    return post((await operation(item)) !== undefined);
  });
  post(null);
}

exports.main = async function main(operation) {
  if (!isMainThread)
    return serveItems(operation, parentPort, (m) => parentPort.postMessage(m),
      () => parentPort.close());
  if (process.env.PROVING_CHILD)
    return serveItems(operation, process, (m) => process.send(m), () => process.disconnect());
  const run = {
    sync: () => inOneThread(operation, 1),
    async: () => inOneThread(operation, Number(workers)),
    threads: () => inOthers(startThread),
    multiprocessing: () => inOthers(startProcess),
  };
  console.log(`${await run[form]()} results`);
  return undefined;
};
