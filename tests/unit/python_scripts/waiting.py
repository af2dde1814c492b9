"""Waits in one Python construct after the other, and tells before each where it is, by its own account.

For each case: lines "thread NUMBER", then "function<TAB>file<TAB>line<TAB>first line" for each frame,
innermost first, and an empty line, for each thread; then "."; then it waits for a byte on stdin, on the line that it told.
"""
import asyncio
import functools
import os
import sys
import threading


def out(text):
    os.write(1, text.encode("utf-8", "replace"))


def describe(thread, frame):
    lines = [f"thread {thread}"]
    while frame:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        lines.append(f"{name}\t{code.co_filename}\t{frame.f_lineno}\t{code.co_firstlineno}")
        frame = frame.f_back
    return "\n".join(lines) + "\n\n"


def tell():
    out(describe(threading.get_ident(), sys._getframe(1)) + ".\n")


def wait():
    tell(), os.read(0, 1)


def call_over_lines():
    return max(
        1,
        wait() or
        2,
        3)


def generator():
    yield 1
    wait()
    yield 2


def delegating():
    yield from generator()


def comprehensions():
    return [x
            for x in {y: y for y in delegating()}
            if [z for z in (1,)]]


async def coroutine():
    wait()


async def asynchronous_generator():
    yield 1
    await coroutine()
    yield 2


async def awaiting():
    async for _ in asynchronous_generator():
        pass


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        # A comment between.
        return function(
            *args,
            **kwargs)
    return wrapper


class Case:
    attribute = (lambda self: wait())

    @property
    def value(self):
        return self.attribute()

    @classmethod
    def create(cls):
        return cls().value

    @decorated
    def method(self, *unused):
        return self.create()

    def __lt__(self, other):
        return bool(self.method(other))

    def __exit__(self, *unused):
        sorted([self, self])

    def __enter__(self):
        return self

    def __del__(self):
        if ready_to_die:
            wait()


ready_to_die = False


def context():
    with Case():
        if len("x"):
            pass


def class_body():
    class Body:
        wait()


def in_exec():
    exec(compile("def f():\n\n  wait()\nf()\n", "<made up>", "exec"), globals())


def far_away():
    text = "\n" * 70000 + "def f():\n" + "\n" * 300 + " x = 1; wait()" + "\n" * 500 + " return\nf()\n"
    exec(compile(text, "far.py", "exec"), globals())


def long_function():
    # Jumps of more than 255 bytes and more than 127 lines in one function.
    text = "def f(a):\n" + " a = a + 1; a = a * 2 - 1\n" * 400 + "\n" * 200 + " wait()\n" + "f(1)\n"
    exec(compile(text, "long.py", "exec"), globals())


def in_finally():
    try:
        try:
            raise ValueError
        except ValueError as error:
            raise KeyError from error
        finally:
            wait()
    except KeyError:
        wait()


def named(name, file):
    code = compile("wait()", file, "exec")
    if hasattr(code, "co_qualname"):
        code = code.replace(co_qualname=name)
    exec(code.replace(co_name=name), globals())


def names():
    named("œuvre", "/tmp/é.py")
    named("жизнь_" * 10, "/tmp/ж/中.py")
    named("𝔘😀" * 20, "/tmp/😀é.py")
    named("x" * 200, "/" + "d" * 900)
    named("ÿ" * 100, "\u0100" * 400)


def recursive(depth):
    if depth:
        return recursive(depth - 1)
    wait()


def callbacks():
    list(map(functools.partial(lambda a, b: wait(), 1), [2]))


def finalizer():
    global ready_to_die
    case = Case()
    ready_to_die = True
    del case
    ready_to_die = False


def thrown():
    made = generator_that_catches()
    next(made)
    try:
        made.throw(ValueError())
    except StopIteration:
        pass


def generator_that_catches():
    try:
        yield 1
    except ValueError:
        wait()


def hold(lock, begun):
    begun.set()
    lock.acquire()
    lock.release()


def of_threads():
    """All threads wait, this one too."""
    lock = threading.Lock()
    lock.acquire()
    threads = []
    for _ in range(4):
        begun = threading.Event()
        threads.append(threading.Thread(target=hold, args=(lock, begun)))
        threads[-1].start()
        begun.wait()
    # Until all of them are at the lock, by their own lines.
    last = hold.__code__.co_firstlineno + 2
    while any(sys._current_frames()[t.ident].f_lineno != last or
              sys._current_frames()[t.ident].f_code is not hold.__code__ for t in threads):
        pass
    for thread in threads:
        out(describe(thread.ident, sys._current_frames()[thread.ident]))
    tell(), os.read(0, 1)
    lock.release()
    for thread in threads:
        thread.join()


def main():
    for case in (wait, call_over_lines, comprehensions, context, class_body, in_exec, far_away,
                 long_function, in_finally, names, callbacks, finalizer, thrown, of_threads):
        case()
    asyncio.run(awaiting())
    recursive(900)
    list(delegating())


main()
