"""A thread that spins in Python beside a loop that asks a quick service: each time the loop comes back
from the socket it has to wait for the GIL. The spinner runs until all answers are there, in a thread or,
as "multiprocessing", in a process of its own; as "sync" there is none."""
import http.client
from urllib.parse import urlsplit

import runner
import work

url, delay = runner.arguments(str, float)
service = urlsplit(url)


def spin(is_done):
    while not is_done.is_set():
        work.compute(0.1)


def ask_all(cnt):
    connection = http.client.HTTPConnection(service.hostname, service.port)
    for _ in range(cnt):
        connection.request("GET", f"/?delay={delay}")
        connection.getresponse().read()
    print(cnt, "results")


def main(form, cnt):
    if form == "sync":
        ask_all(cnt)
        return
    if form == "threads":
        from threading import Event, Thread as Worker
    else:
        from multiprocessing import Event, Process as Worker
    is_done = Event()
    spinner = Worker(target=spin, args=(is_done,))
    spinner.start()
    ask_all(cnt)
    is_done.set()
    spinner.join()


main(runner.form(), runner.operations())
