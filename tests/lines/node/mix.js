// The planted lines in JavaScript: mix.js TRUTH PARTNER SECONDS FORM. "sync": waits in a system call of its
// own, for a FIFO; "loop": for a socket, through the event loop.
"use strict";
const fs = require("fs");
const net = require("net");
const [truthPath, place, seconds, form] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
const truth = {};
for (const name of ["HOT", "OTHER", "WAIT", "WAIT2", "OTHER_WAIT"])
  truth[name] = { cpu_s: 0, wait_s: 0 };

function clocks() {
  const [, delayNs] = fs.readFileSync("/proc/self/schedstat", "latin1").split(" ");
  return { delayMs: Number(delayNs) / 1e6, nowMs: performance.now() };
}

// What computes doesn't wait, and the other way round: so a thread's own clock, which Node.js doesn't
// have, is not needed.
function book(name, kind, what) {
  const begin = clocks();
  const result = what();
  const after = clocks();
  truth[name][kind] += (after.nowMs - begin.nowMs - (after.delayMs - begin.delayMs)) / 1000;
  return result;
}

function hot(count) {
  let x = 1;
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) ^ (x >>> 7)) + Math.imul(x ^ i, 1013904223); // HOT
  }
  return x;
}

function other(count) {
  const texts = [];
  for (let i = 0; i < count; i++) texts.push(String(i));
  return texts.sort().length;
}

function question(us) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(us);
  return bytes;
}

function waitHere(questions, answers) {
  fs.writeSync(questions, question(5000));
  return fs.readSync(answers, Buffer.alloc(1)); // WAIT
}

function runSync() {
  const questions = fs.openSync(place + "/questions", "w");
  const answers = fs.openSync(place + "/answers", "r");
  while (performance.now() < end) {
    book("HOT", "cpu_s", () => hot(4e6));
    book("OTHER", "cpu_s", () => other(4000));
    book("WAIT", "wait_s", () => waitHere(questions, answers));
  }
  fs.appendFileSync(truthPath, JSON.stringify(truth) + "\n");
}

function runLoop() {
  const partner = net.connect(Number(place), "127.0.0.1", () => {
    partner.setNoDelay(true);
    partner.write(question(5000));
  });
  partner.on("data", () => {
    book("HOT", "cpu_s", () => hot(4e6));
    book("OTHER", "cpu_s", () => other(4000));
    if (performance.now() < end) return partner.write(question(5000));
    fs.appendFileSync(truthPath, JSON.stringify(truth) + "\n");
    return partner.end();
  });
}

({ sync: runSync, loop: runLoop })[form]();
