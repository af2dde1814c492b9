#!/usr/bin/env python3
"""Small services for test_services.py, and the slow upstream that they call.

usage: service_programs.py upstream DELAY_S
       service_programs.py threaded|asyncio|prefork|reuseport UPSTREAM_PORT BURN_S

Each prints its port (prefork and reuseport: and the PIDs of their workers) and serves until its
stdin is closed or it is killed. A request to a service burns BURN_S seconds of CPU time and is
answered when the upstream has answered. At the end the upstream prints, as JSON, when it took in
each request and when it had answered it: what was really offered to whoever called it.
"""
import asyncio
import http.client
import http.server
import json
import os
import select
import socket
import sys
import time

HOST = "127.0.0.1"
WORKERS = 2
BODY = b"done\n"
RESPONSE = (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (len(BODY), BODY))
REQUEST = b"GET / HTTP/1.1\r\nHost: upstream\r\nConnection: close\r\n\r\n"


def burn(cpu_s):
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        pass


def ask(upstream_port):
    connection = http.client.HTTPConnection(HOST, upstream_port)
    connection.request("GET", "/", headers={"Connection": "close"})
    connection.getresponse().read()
    connection.close()


def announce(*numbers):
    print(*numbers, flush=True)


async def until_stdin_closes():
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: sys.stdin.buffer.read1() or closed.set())
    await closed.wait()


async def upstream(delay_s):
    served = []

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        begin = time.time()
        await asyncio.sleep(delay_s)
        writer.write(RESPONSE)
        served.append((begin, time.time()))
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0, backlog=1024)
    announce(server.sockets[0].getsockname()[1])
    await until_stdin_closes()
    json.dump(served, sys.stdout)


def threaded(upstream_port, burn_s):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            burn(burn_s)
            ask(upstream_port)
            self.wfile.write(RESPONSE)

        def log_message(self, format, *args):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128

    server = Server((HOST, 0), Handler)
    announce(server.server_port)
    server.serve_forever()


async def asynchronous(upstream_port, burn_s):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        burn(burn_s)
        from_upstream, to_upstream = await asyncio.open_connection(HOST, upstream_port)
        to_upstream.write(REQUEST)
        await from_upstream.read()
        to_upstream.close()
        writer.write(RESPONSE)
        writer.close()

    server = await asyncio.start_server(handle, HOST, 0, backlog=128)
    announce(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


def listen(port=0):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((HOST, port))
    listener.listen(128)
    return listener


def work(listener, upstream_port, burn_s):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            burn(burn_s)
            ask(upstream_port)
            connection.sendall(RESPONSE)


def fork_workers(listener_of_worker, upstream_port, burn_s):
    """Returns their PIDs when all of them listen."""
    listening, tell = os.pipe()
    workers = []
    for _ in range(WORKERS):
        workers.append(os.fork())
        if not workers[-1]:
            listener = listener_of_worker()
            os.write(tell, b".")
            work(listener, upstream_port, burn_s)
    for _ in workers:
        os.read(listening, 1)
    return workers


def master(port, workers):
    """As gunicorn's: looks after its workers once a second."""
    announce(port, *workers)
    while True:
        select.select([sys.stdin], [], [], 1)


def prefork(upstream_port, burn_s):
    listener = listen()
    workers = fork_workers(lambda: listener, upstream_port, burn_s)
    master(listener.getsockname()[1], workers)


def reuseport(upstream_port, burn_s):
    """The parent only holds the port: it never listens."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((HOST, 0))
    port = holder.getsockname()[1]
    master(port, fork_workers(lambda: listen(port), upstream_port, burn_s))


def main():
    mode, *numbers = sys.argv[1:]
    if mode == "upstream":
        asyncio.run(upstream(float(numbers[0])))
    elif mode == "asyncio":
        asyncio.run(asynchronous(int(numbers[0]), float(numbers[1])))
    else:
        {"threaded": threaded, "prefork": prefork, "reuseport": reuseport}[mode](
            int(numbers[0]), float(numbers[1]))


if __name__ == "__main__":
    main()
