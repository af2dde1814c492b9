"""Ask a slow service from many coroutines: one thread, a hundred requests in flight."""
import asyncio
import sys
from urllib.parse import urlsplit

CLIENTS = 100
REQUESTS_EACH = 4
DELAY = 0.5


async def fetch_async(host, port, delay):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /?delay={delay} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def client(host, port):
    return [await fetch_async(host, port, DELAY) for _ in range(REQUESTS_EACH)]


async def main(url):
    service = urlsplit(url)
    answers = await asyncio.gather(
        *(client(service.hostname, service.port) for _ in range(CLIENTS)))
    print(sum(map(len, answers)), "answers")


asyncio.run(main(sys.argv[1]))
