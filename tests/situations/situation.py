"""Situations of Python programs: situation.py NAME DIR ADDRESS runs the function NAME.

Where the far end is a server, it is that of a situation in C: it answers each byte after 20 ms.
Runs on CPython 3.8 and later.
"""
import asyncio
import concurrent.futures
import multiprocessing
import queue
import socket
import subprocess
import sys
import threading
import time

WAITS = 15
WAIT_S = 0.02
THREADS = 4
COMPUTING_SHELL = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"


def connect(address):
    return socket.create_connection(("127.0.0.1", int(address)))


def ask(connection):
    connection.sendall(b"x")
    connection.recv(1)


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


def run_threads(target, *args):
    threads = [threading.Thread(target=target, args=args) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def python_gil(_address):
    run_threads(compute, WAITS * WAIT_S / THREADS)


def python_sleep(_address):
    for _ in range(WAITS):
        time.sleep(WAIT_S)


def python_recv(address):
    connection = connect(address)
    for _ in range(WAITS):
        ask(connection)


def python_recv_settimeout(address):
    """A socket with a timeout doesn't block: Python polls it first."""
    connection = connect(address)
    connection.settimeout(10)
    for _ in range(WAITS):
        ask(connection)


def fetch_into(answers, address):
    connection = connect(address)
    for _ in range(WAITS):
        ask(connection)
        answers.put(1)


def python_queue(address):
    answers = queue.Queue()
    threading.Thread(target=fetch_into, args=(answers, address)).start()
    for _ in range(WAITS):
        answers.get()


def python_event_timeout(_address):
    never = threading.Event()
    for _ in range(WAITS):
        never.wait(WAIT_S)


def python_condition_timeout(_address):
    condition = threading.Condition()
    with condition:
        for _ in range(WAITS):
            condition.wait(WAIT_S)


def hold_while_asking(lock, is_held, address):
    connection = connect(address)
    with lock:
        is_held.set()
        for _ in range(WAITS):
            ask(connection)


def python_lock(address):
    lock, is_held = threading.Lock(), threading.Event()
    threading.Thread(target=hold_while_asking, args=(lock, is_held, address)).start()
    is_held.wait()
    with lock:
        pass


def ask_often(address):
    connection = connect(address)
    for _ in range(WAITS):
        ask(connection)


def python_thread_pool(address):
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(ask_often, [address] * THREADS):
            pass


def python_process(_address):
    process = multiprocessing.Process(target=compute, args=(WAITS * WAIT_S,))
    process.start()
    process.join()


def python_subprocess(_address):
    subprocess.run(["/bin/sh", "-c", COMPUTING_SHELL], check=True)


def python_subprocess_output(_address):
    subprocess.run(["/bin/sh", "-c", COMPUTING_SHELL], check=True, stdout=subprocess.PIPE)


async def ask_async(address):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address))
    for _ in range(WAITS):
        writer.write(b"x")
        await reader.read(1)
    writer.close()


def python_asyncio(address):
    asyncio.run(ask_async(address))


async def ask_several_async(address):
    await asyncio.gather(*(ask_async(address) for _ in range(THREADS)))


def python_asyncio_gather(address):
    asyncio.run(ask_several_async(address))


async def sleep_async():
    for _ in range(WAITS):
        await asyncio.sleep(WAIT_S)


def python_asyncio_sleep(_address):
    asyncio.run(sleep_async())


async def ask_in_executor(address):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, ask_often, address)


def python_asyncio_executor(address):
    asyncio.run(ask_in_executor(address))


async def ask_blocking(address):
    ask_often(address)


def python_asyncio_blocking(address):
    asyncio.run(ask_blocking(address))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[3])
