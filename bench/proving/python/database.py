"""Ask PostgreSQL over TCP, a connection for each worker: psycopg2, on an event loop asyncpg."""
import threading

import runner

port, seconds = runner.arguments(int, float)
WHERE = {"host": "127.0.0.1", "port": port, "user": "postgres"}
QUERY = "SELECT pg_sleep({}), count(*) FROM generate_series(1, 100)"
mine = threading.local()
idle = []


def ask(_item):
    import psycopg2
    if not hasattr(mine, "connection"):
        mine.connection = psycopg2.connect(dbname="postgres", **WHERE)
        mine.connection.autocommit = True
    with mine.connection.cursor() as cursor:
        cursor.execute(QUERY.format("%s"), (seconds,))
        return cursor.fetchone()[1]


async def ask_async(_item):
    import asyncpg
    connection = idle.pop() if idle else await asyncpg.connect(database="postgres", **WHERE)
    row = await connection.fetchrow(QUERY.format("$1"), seconds)
    idle.append(connection)
    return row[1]


runner.main(ask, ask_async)
