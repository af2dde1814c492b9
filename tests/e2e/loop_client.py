"""An asyncio client of samples/delay_server.py: loop_client.py URL MODE. Prints, as JSON, the seconds
of delay that its requests asked for together, the seconds that they took, and by how much the latest
was later than its answer. In mode "serving" it prints its port and asks for each byte that it gets, until
it is terminated.
"""
import asyncio
import json
import sys
import time
import urllib.request
from urllib.parse import urlsplit

took_s = []
late_s = [0.0]


async def ask(delay):
    service = urlsplit(sys.argv[1])
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(service.hostname, service.port)
    writer.write(f"GET /?delay={delay} HTTP/1.0\r\n\r\n".encode())
    await reader.read()
    took_s.append(time.monotonic() - began)
    late_s.append(took_s[-1] - delay)
    writer.close()


async def together():
    for _ in range(3):
        await asyncio.gather(*(ask(0.4) for _ in range(40)))


async def sequential():
    for _ in range(15):
        await ask(0.1)


async def block(call, times):
    for _ in range(times):
        await asyncio.sleep(0.02)
        call()


async def blocking():
    def fetch():
        urllib.request.urlopen(sys.argv[1] + "?delay=0.25").read()
    await asyncio.gather(block(fetch, 5), *(ask(0.4) for _ in range(10)))


async def sleeping():
    await asyncio.gather(block(lambda: time.sleep(0.25), 5), *(ask(0.4) for _ in range(10)))


def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def computing():
    await asyncio.gather(block(lambda: compute(0.2), 5), *(ask(0.4) for _ in range(10)))


async def serving():
    async def answer(reader, writer):
        while await reader.read(1):
            await ask(0.2)
            writer.write(b"x")
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(globals()[sys.argv[2]]())
print(json.dumps({"asked_s": sum(took_s) - sum(late_s), "took_s": sum(took_s),
                  "late_s": max(late_s)}))
