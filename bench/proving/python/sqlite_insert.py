"""Insert rows into one SQLite database, a transaction each: the database lets one write at a time."""
import os
import sqlite3
import threading

import runner

(directory,) = runner.arguments(str)
PATH = f"{directory}/rows.{os.getpid()}.db"
mine = threading.local()


def connection():
    if getattr(mine, "pid", None) != os.getpid():
        mine.connection = sqlite3.connect(PATH, timeout=60, isolation_level=None)
        mine.pid = os.getpid()
    return mine.connection


def insert(item):
    connection().execute("INSERT INTO row VALUES (?, ?)", (item, "x" * 200))
    return item


connection().execute("CREATE TABLE row (item, text)")
connection().close()
del mine.pid
try:
    runner.main(insert)
finally:
    for suffix in ("", "-journal"):
        if os.path.exists(PATH + suffix):
            os.unlink(PATH + suffix)
