"""GET from redis, each after the answer to the one before it, a connection for each worker."""
import socket
import threading

import runner

(port,) = runner.arguments(int)
REQUEST = b"*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n"  # a key that isn't there: the answer is $-1
mine = threading.local()
idle = []


def get(_item):
    if not hasattr(mine, "connection"):
        mine.connection = socket.create_connection(("127.0.0.1", port))
        mine.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    mine.connection.sendall(REQUEST)
    return mine.connection.recv(4096)


async def get_async(_item):
    import asyncio
    reader, writer = connection = (idle.pop() if idle else
                                   await asyncio.open_connection("127.0.0.1", port))
    writer.write(REQUEST)
    answer = await reader.readuntil(b"\r\n")
    idle.append(connection)
    return answer


runner.main(get, get_async)
