// Compute.
"use strict";
const { compute } = require("./work.js");
const { main } = require("./runner.js");

main(async () => compute(Number(process.argv[2])));
