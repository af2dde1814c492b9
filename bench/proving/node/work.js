// Work that computes.
"use strict";

const ROUNDS_PER_MS = 1000000; // about a millisecond on the machine of docs/accuracy.md

exports.compute = function compute(milliseconds) {
  let state = 1;
  for (let i = milliseconds * ROUNDS_PER_MS; i > 0; i--)
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state;
};
