// A Node.js client of samples/delay_server.py: loop_client.js URL MODE. Prints, as JSON, the seconds
// of delay that its requests asked for together, and those that they took. In mode "reading" it reads its standard input, and blocks.
const fs = require("fs");
const http = require("http");

let askedS = 0;
let tookMs = 0;

function ask(delay) {
	const began = performance.now();
	return new Promise((resolve, reject) => {
		const request = http.get(`${process.argv[2]}?delay=${delay}`, (answer) => {
			answer.resume();
			answer.on("end", () => {
				askedS += delay;
				tookMs += performance.now() - began;
				resolve();
			});
		});
		request.on("error", reject);
	});
}

const modes = {
	async together() {
		for (let i = 0; i < 3; i++)
			await Promise.all(Array.from({ length: 20 }, () => ask(0.4)));
	},
	async sequential() {
		for (let i = 0; i < 15; i++)
			await ask(0.1);
	},
	async reading() {
		const byte = Buffer.alloc(1);
		await ask(0.05);
		while (fs.readSync(0, byte) === 1)
			await new Promise((resolve) => setTimeout(resolve, 10));
	},
};

modes[process.argv[3]]().then(() =>
	console.log(JSON.stringify({ asked_s: askedS, took_s: tookMs / 1000 })));
