#!/usr/bin/env python3
"""The far end of the programs beside this file: whoever sends four bytes, a number of microseconds,
is answered one byte that much later. Listens on a port of this host, which it prints, and on two
FIFOs in the directory that it is given. Serves until its stdin is closed."""
import os
import socket
import struct
import sys
import threading
import time

BYTES_OF_QUESTION = 4


def serve(read, write):
    while True:
        question = read(BYTES_OF_QUESTION)
        if len(question) < BYTES_OF_QUESTION:
            return
        delay_us = struct.unpack("=I", question)[0]
        if delay_us:
            time.sleep(delay_us / 1e6)
        write(b".")


def serve_fifos(directory):
    while True:
        with open(os.path.join(directory, "questions"), "rb", buffering=0) as questions, \
                open(os.path.join(directory, "answers"), "wb", buffering=0) as answers:
            try:
                serve(questions.read, answers.write)
            except BrokenPipeError:
                pass


def serve_connection(connection):
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            serve(lambda size: connection.recv(size, socket.MSG_WAITALL), connection.sendall)
        except ConnectionError:
            pass


def serve_socket(listener):
    while True:
        connection, _address = listener.accept()
        threading.Thread(target=serve_connection, args=(connection,), daemon=True).start()


def main(directory):
    for name in ("questions", "answers"):
        os.mkfifo(os.path.join(directory, name))
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=serve_socket, args=(listener,), daemon=True).start()
    threading.Thread(target=serve_fifos, args=(directory,), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main(sys.argv[1])
