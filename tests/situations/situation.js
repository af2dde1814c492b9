// Situations of Node.js: situation.js NAME DIR ADDRESS runs the function NAME. The server is that of a
// situation in C: it answers each byte after 20 ms.
"use strict";
const net = require("net");

const WAITS = 15;
const WAIT_MS = 20;

const situations = {
  node_timer() {
    let left = WAITS;
    const next = () => left-- && setTimeout(next, WAIT_MS);
    next();
  },

  node_socket(address) {
    let left = WAITS;
    const connection = net.connect(Number(address), "127.0.0.1");
    const ask = () => left-- ? connection.write("x") : connection.destroy();
    connection.on("connect", ask);
    connection.on("data", ask);
  },
};

situations[process.argv[2]](process.argv[4]);
