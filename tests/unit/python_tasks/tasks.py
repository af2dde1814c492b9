"""
Tasks of asyncio that wait in all the ways there are, and threads with names. Tells what Python
itself says of them, then waits for the end of its input:

    child PROCESS THREAD LOST-THREAD a forked child's only thread, and one of its parent's
    thread NUMBER NAME
    loop NUMBER
    task WAITS_FOR NAME             something, time, inside, task
    frame LINE FUNCTION FILE         the innermost first, at most 16
    ready
"""

import asyncio
import gc
import os
import socket
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor

import middle

FRAMES_MAX = 16
VERSION = sys.version_info[:2]
waits_for = {}
kept = []
# Coroutines that end in asyncio.sleep(), as all tasks do that have no name here.
SLEEPERS = ("sleep_long", "iterate", "close_slowly", "descend", "next_with_default")


def tell(*words):
    """Prints a line, words parted by tabs."""
    line = "\t".join(str(word) for word in words) + "\n"
    sys.stdout.buffer.write(line.encode())
    sys.stdout.buffer.flush()


def start(name, coroutine, waits="something", make=None):
    """Makes a task, of which it is known what it waits for."""
    loop = asyncio.get_running_loop()
    task = make(coroutine, loop=loop, name=name) if make else asyncio.create_task(
        coroutine, name=name)
    waits_for[task] = "time" if coroutine.__name__ in SLEEPERS else waits
    kept.append(task)
    return task


# --- what Python says ---

def referent(wrapper):
    """The coroutine or generator that an awaitable without a way to ask it stands for."""
    kinds = (types.CoroutineType, types.AsyncGeneratorType, types.GeneratorType)
    for held in gc.get_referents(wrapper):
        if isinstance(held, kinds) or type(held).__name__ == "async_generator_asend":
            return held
    return None


def step(awaitable):
    """Its frame, and what it awaits."""
    if isinstance(awaitable, types.CoroutineType):
        return awaitable.cr_frame, awaitable.cr_await
    if isinstance(awaitable, types.GeneratorType):
        return awaitable.gi_frame, awaitable.gi_yieldfrom
    if isinstance(awaitable, types.AsyncGeneratorType):
        return awaitable.ag_frame, awaitable.ag_await
    if type(awaitable).__name__ in ("coroutine_wrapper", "async_generator_asend",
                                    "async_generator_athrow", "anext_awaitable"):
        return None, referent(awaitable)
    return None, None


def tell_frames(coroutine):
    """The chain of a coroutine, the innermost frame first."""
    frames = []
    while coroutine is not None:
        frame, coroutine = step(coroutine)
        if frame is not None:
            frames.append(frame)
    for frame in frames[::-1][:FRAMES_MAX]:
        code = frame.f_code
        tell("frame", frame.f_lineno, getattr(code, "co_qualname", code.co_name),
             code.co_filename)


# --- ways to wait ---

async def sleep_long():
    await asyncio.sleep(3600)


async def await_it(awaitable):
    return await awaitable


async def gather_sleeps():
    await asyncio.gather(sleep_long(), sleep_long())


async def gather_futures():
    loop = asyncio.get_running_loop()
    await asyncio.gather(loop.create_future(), loop.create_future())


async def count_slowly():
    yield 1
    await asyncio.sleep(3600)
    yield 2


async def iterate():
    async for number in count_slowly():
        assert number == 1


async def next_with_default():
    numbers = count_slowly()
    await anext(numbers)
    await anext(numbers, None)


async def close_slowly():
    async def slow_to_close():
        try:
            yield 1
        finally:
            await asyncio.sleep(3600)

    numbers = slow_to_close()
    async for _ in numbers:
        break
    await numbers.aclose()


async def lock_twice():
    lock = asyncio.Lock()
    async with lock:
        async with lock:
            pass


async def get_from_queue():
    queue = asyncio.Queue()
    await queue.get()


async def read_stream():
    ours, theirs = socket.socketpair()
    kept.append(theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    kept.append(writer)
    await reader.readline()


async def wait_for_tasks():
    await asyncio.wait({asyncio.ensure_future(sleep_long())}, timeout=3600)


async def wait_for_futures():
    await asyncio.wait({asyncio.get_running_loop().create_future()})


async def wait_for_timeout():
    await asyncio.wait_for(sleep_long(), 3600)


async def shield_a_task():
    await asyncio.shield(sleep_long())


async def run_blocking():
    # Not the default executor, for which asyncio.run() would wait.
    executor = ThreadPoolExecutor(1, thread_name_prefix="blocking")
    await asyncio.get_running_loop().run_in_executor(executor, os.read, 0, 1)
    os._exit(0)


@types.coroutine
def old_style(future):
    yield from future


class Awaitable:
    """Awaits by a generator."""

    def __init__(self, future):
        self.future = future

    def __await__(self):
        yield from self.future.__await__()


class Wrapped:
    """Awaits by what the interpreter wraps a coroutine in."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        return self.coroutine.__await__()


async def descend(depth):
    if depth:
        await descend(depth - 1)
    else:
        await asyncio.sleep(3600)


class OwnTask(asyncio.Task):
    """A subclass, with attributes of its own."""

    def __init__(self, coroutine, **options):
        super().__init__(coroutine, **options)
        self.own = 1


def start_grouped():
    """TaskGroup is new in 3.11, and its syntax isn't the matter."""
    async def group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sleep_long(), name="in group")

    start("group", group(), waits="task")


def start_eager():
    """Tasks that began before they were scheduled."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    start("eager", sleep_long())
    loop.set_task_factory(None)


def start_all():
    future = asyncio.get_running_loop().create_future
    start("sleep", sleep_long())
    start("a future", await_it(future()))
    start("a task", await_it(start("awaited", sleep_long())), waits="task")
    start("gather", gather_sleeps(), waits="task")
    start("gather futures", gather_futures())
    start("iterate", iterate())
    start("aclose", close_slowly())
    start("lock", lock_twice(), waits="inside")
    start("queue", get_from_queue(), waits="inside")
    start("event", asyncio.Event().wait())
    start("stream", read_stream())
    start("wait", wait_for_tasks(), waits="task")
    start("wait futures", wait_for_futures())
    start("wait_for", wait_for_timeout(), waits="task" if VERSION < (3, 12) else "time")
    start("shield", shield_a_task(), waits="task")
    start("executor", run_blocking())
    start("old style", await_it(old_style(future())))
    start("awaitable", await_it(Awaitable(future())))
    start("wrapped", await_it(Wrapped(sleep_long())), waits="time")
    start("three files", middle.pass_on(future()))
    start("deep", descend(30))
    start("na\u00efve", sleep_long())
    start("\u4efb\u52a1 \u03c9", sleep_long())
    start("\U0001f600", sleep_long())
    start("x" * 400, sleep_long())
    start("Tasks", sleep_long())
    start("own", sleep_long(), make=OwnTask)
    start("pure", sleep_long(), make=asyncio.tasks._PyTask)
    if VERSION >= (3, 10):
        start("anext", next_with_default())
    if VERSION >= (3, 11):
        start_grouped()
    if VERSION >= (3, 12):
        start_eager()
    kept.append(asyncio.ensure_future(asyncio.sleep(0)))  # done, and kept


# --- threads ---

def other_loop():
    """Tasks of another loop aren't those of the main thread's."""
    async def main():
        start("elsewhere", sleep_long())
        await asyncio.sleep(3600)

    asyncio.run(main())


def blocked_loop():
    """A task that doesn't give its loop back."""
    async def main():
        asyncio.current_task().set_name("holds up")
        time.sleep(3600)

    asyncio.run(main())


def thread(name, target):
    worker = threading.Thread(target=target, name=name, daemon=True)
    worker.start()
    return worker


def start_threads():
    thread("plain", lambda: time.sleep(3600))
    thread("before", lambda: time.sleep(3600)).name = "r\u00e9nomm\u00e9"
    thread(None, lambda: time.sleep(3600))
    thread("other loop", other_loop)
    thread("blocked loop", blocked_loop)
    pool = ThreadPoolExecutor(2, thread_name_prefix="pool")
    kept.append([pool.submit(time.sleep, 1) for _ in range(2)])


def fork():
    """Of a child that a thread forked, only that thread is left, and its loop doesn't run."""
    plain = next(one for one in threading.enumerate() if one.name == "plain")
    child = os.fork()
    if not child:
        os.read(0, 1)
        os._exit(0)
    tell("child", child, threading.get_ident(), plain.ident)


async def main():
    start_all()
    # Until all have run as far as they can.
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.sleep(0.2)
    fork()
    for one in threading.enumerate():
        tell("thread", one.ident, one.name)
    tell("loop", threading.get_ident())
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        tell("task", waits_for.get(task, "time"), task.get_name())
        tell_frames(task.get_coro())
    tell("ready")
    asyncio.current_task().set_name("main")
    await asyncio.get_running_loop().create_future()


start_threads()
asyncio.run(main())
