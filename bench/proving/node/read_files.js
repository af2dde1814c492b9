// Read whole files, one for each operation, over and over if there are not enough.
"use strict";
const { readFile } = require("node:fs/promises");
const { main } = require("./runner.js");

const [directory, files] = process.argv.slice(2);

main(async (item) => (await readFile(`${directory}/${item % Number(files)}`)).length);
