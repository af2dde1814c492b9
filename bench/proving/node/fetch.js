// Ask a slow service and compute on the answer.
"use strict";
const http = require("node:http");
const { compute } = require("./work.js");
const { main } = require("./runner.js");

const [url, delay, computeMs] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

function fetch() {
  return new Promise((resolve, reject) => {
    http.get(`${url}?delay=${delay}`, { agent }, (response) => {
      let text = "";
      response.on("data", (part) => { text += part; });
      response.on("end", () => resolve(text.length + compute(Number(computeMs))));
    }).on("error", reject);
  });
}

main(fetch).then(() => agent.destroy());
