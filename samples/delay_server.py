#!/usr/bin/env python3
"""A local HTTP server that stands for a slow API: GET /?delay=SECONDS is answered that much later.

Prints its port on stdout and serves until it is terminated or, so that none is left behind, until
its stdin is closed. One event loop holds any number of connections at next to no CPU time.
"""
import asyncio
import sys
import urllib.parse

BODY = b"Hello from a slow service.\n"
RESPONSE = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY), BODY)
BAD_REQUEST = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def requested_delay(request_line):
    """Seconds asked for by b"GET /?delay=0.1 HTTP/1.0"; ValueError when it isn't such a line."""
    _method, target, _version = request_line.decode("ascii").split()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
    return float(query.get("delay", ["0"])[0])


async def answer(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        delay = requested_delay(head.split(b"\r\n", 1)[0])
        await asyncio.sleep(delay)
        writer.write(RESPONSE)
        await writer.drain()
    except ValueError:
        writer.write(BAD_REQUEST)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass  # the client went away or never spoke HTTP: nobody to answer
    finally:
        writer.close()


async def serve():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    stdin_closed = loop.run_in_executor(None, sys.stdin.buffer.read)
    await stdin_closed


if __name__ == "__main__":
    asyncio.run(serve())
