"""The families of the proving ground: what is done, how often, and in which forms.

A family's command has {placeholders} that surroundings.py fills. `grid` has the numbers of workers that
every form is measured with; `classified` is the form that classify looks at, and so what the speedups are
relative to: plain sync code, but where what matters leaves no trace in it.
"""
import dataclasses
import shlex

MODELS = ("sync", "threads", "async", "multiprocessing")  # from the simplest on

MIN_WORKERS = 4  # tried even if there is less to do
IO_GRID = {"threads": (2, 4, 8, 16, 32, 64), "async": (4, 16, 64), "multiprocessing": (2, 4, 8, 16)}
CPU_GRID = {"threads": (2, 4), "async": (4,), "multiprocessing": (2, 4)}
C_GRID = {"threads": (2, 4), "multiprocessing": (2, 4)}
MIXED_GRID = {"threads": (2, 4, 8, 16), "async": (4, 16), "multiprocessing": (2, 4, 8, 16)}


@dataclasses.dataclass(frozen=True)
class Family:
    name: str
    what: str
    command: tuple
    operations: int
    grid: dict
    classified: tuple = ("sync", 1)
    options: tuple = ()  # of classify: what the user would say
    note: str = ""  # what the reader of the table has to know
    stdin: tuple = ()  # a command that feeds it
    cold: bool = False  # the files that it reads are put out of memory before each run
    is_quick: bool = False

    def argv(self, form, workers):
        return [*self.command, "--form", form, "--workers", str(workers), "--operations",
                str(self.operations)]

    def work(self):
        """What a measurement is of, in words: another work needs another measurement."""
        return " ".join([*self.command, str(self.operations), *map(str, self.classified),
                         *self.options, *self.stdin])

    def points(self):
        """All (form, workers) of the grid, the classified one first."""
        others = [(form, n) for form in MODELS for n in self.grid.get(form, ())
                  if n <= max(self.operations, MIN_WORKERS)]
        return list(dict.fromkeys([self.classified, *others]))


def python(name, script, what, operations, grid, **more):
    words = tuple(shlex.split(script))
    return Family(name, what, ("{python}", "{here}/python/" + words[0], *words[1:]), operations,
                  {"sync": (1,), **grid}, **more)


def c(name, program, what, operations, grid, **more):
    words = tuple(program.split())
    return Family(name, what, ("{bin}/c_" + words[0], *words[1:]), operations,
                  {"sync": (1,), **grid}, **more)


def node(name, script, what, operations, grid, **more):
    """Node.js: "sync" awaits one after another, "async" many at once; multiprocessing are workers."""
    words = tuple(script.split())
    return Family(name, what, ("{node}", "{here}/node/" + words[0], *words[1:]), operations,
                  {"sync": (1,), **grid}, **more)


FAMILIES = (
    # It waits for services.
    python("api_few", "fetch.py {url} 0.25 0", "6 requests of 250 ms", 6,
           {"threads": (2, 3, 6), "async": (2, 6), "multiprocessing": (2, 6)}, is_quick=True),
    python("api_many", "fetch.py {url} 0.01 0", "200 requests of 10 ms", 200, IO_GRID,
           is_quick=True),
    python("api_thousands", "fetch.py {url} 0.001 0", "2000 requests of 1 ms", 2000,
           {"threads": (4, 16, 32, 64), "async": (16, 64, 200, 500),
            "multiprocessing": (2, 4, 8, 16)},
           options=("--concurrency", "500"), note="the user plans 500 at once: --concurrency 500"),
    python("keep_alive", "keep_alive.py {url} 0.01", "160 requests of 10 ms over kept connections",
           160, IO_GRID),
    python("single_request", "fetch.py {url} 1 0", "one request of 1 s", 1, CPU_GRID),
    python("rate_16", "fetch.py {url_16} 0.01 0",
           "160 requests of 10 ms to a service that works on 16 at once", 160, IO_GRID,
           options=("--concurrency", "16"), note="the user knows the limit: --concurrency 16",
           is_quick=True),
    python("rate_4", "fetch.py {url_4} 0.02 0",
           "100 requests of 20 ms to a service that works on 4 at once", 100, IO_GRID,
           classified=("threads", 16),
           note="the limit leaves no trace in the sync form"),
    python("database", "database.py {postgres} 0.01", "150 queries of 10 ms to PostgreSQL", 150,
           IO_GRID),
    python("redis", "redis_get.py {redis}", "60,000 times GET from redis, one by one", 60000,
           {"threads": (2, 4, 8), "async": (4, 16), "multiprocessing": (2, 4)}),
    # It waits for the disk.
    python("disk_cold", "read_files.py {files_3000x512} 3000", "3000 files of 512 KiB from the disk",
           3000, MIXED_GRID, cold=True),
    python("disk_warm", "read_files.py {files_3000x512} 500", "30,000 reads of files of 512 KiB in memory",
           30000, CPU_GRID),
    python("small_files", "read_files.py {files_20000x4} 20000", "20,000 files of 4 KiB from the disk",
           20000, MIXED_GRID, cold=True),
    python("fsync", "fsync.py {scratch}", "500 times write and fsync 16 KiB", 500, MIXED_GRID),
    python("sqlite", "sqlite_insert.py {scratch}", "200 transactions in one SQLite database", 200,
           CPU_GRID, note="the database lets one write at a time"),
    # It computes.
    python("cpu_python", "compute.py 100", "16 times 100 ms in pure Python", 16, CPU_GRID,
           is_quick=True),
    python("json", "parse_json.py 6000", "400 JSON documents of 500 KB", 400, CPU_GRID),
    python("regex", "match.py 20000", "500 times a regular expression over 1 MB", 500, CPU_GRID),
    python("hashlib", "hashing.py 16", "150 times SHA-256 of 16 MB", 150, CPU_GRID),
    python("numpy", "matmul.py 400", "80 times a product of 400 x 400 matrices", 80, CPU_GRID),
    python("zlib", "compress.py 1024", "400 times zlib over 1 MB", 400, CPU_GRID),
    # It does both.
    python("mixed_10", "fetch.py {url} 0.018 2", "80 times 18 ms of waiting, 2 ms of computing",
           80, IO_GRID),
    python("mixed_50", "fetch.py {url} 0.01 10", "80 times 10 ms of waiting, 10 ms of computing",
           80, MIXED_GRID, is_quick=True),
    python("mixed_90", "fetch.py {url} 0.002 18", "60 times 2 ms of waiting, 18 ms of computing",
           60, MIXED_GRID),
    python("bursts", "bursts.py {url} 200 0.0002 50",
           "by turns 200 requests of 0.2 ms and 50 ms of computing, 24 times", 24, CPU_GRID,
           note="threads that compute and threads that ask get into each other's way (convoy)"),
    python("convoy", "convoy.py {url} 0.0002", "500 requests of 0.2 ms beside a thread that spins", 500,
           {"sync": (), "threads": (1,), "multiprocessing": (1, 2)}, classified=("threads", 1),
           note="the spinner in a thread, or in a process of its own"),
    # It waits for its own kind.
    python("lock", "lock.py {url} 0.01", "80 times two requests of 10 ms, one of them under a lock",
           80, MIXED_GRID, classified=("threads", 8),
           note="nobody else wants the lock in the sync form"),
    python("file_lock", "file_lock.py {url} {scratch} 0.01 2",
           "100 times 2 ms of computing and 10 ms under a lock on a file", 100, CPU_GRID,
           classified=("multiprocessing", 4), note="as lock, among processes"),
    # It has others work.
    python("commands_cpu", "commands.py 'gzip -c {files_24x1024}/@'",
           "24 commands that compute: gzip of 1 MB", 24, CPU_GRID),
    python("commands_wait", "commands.py 'curl -s {url}?delay=0.05'",
           "30 commands that wait: curl", 30, IO_GRID),
    # Nothing to overlap.
    python("short_script", "script.py", "a script of a few milliseconds", 20, CPU_GRID),
    python("short_request", "fetch.py {url} 0.03 2", "a script that asks once and computes 2 ms", 1,
           CPU_GRID),
    python("ticker", "ticker.py 0.1", "a little work every 100 ms", 10, CPU_GRID),
    python("pipe", "consume.py 1", "250 lines from a pipe, one every 4 ms, 1 ms of computing each",
           250, {"threads": (2, 4), "multiprocessing": (2, 4)},
           stdin=("{python}", "{here}/python/produce.py", "250", "0.004")),
    # C: pthreads, epoll, fork.
    c("c_cpu", "compute 10", "150 times 10 ms of computing", 150, C_GRID, is_quick=True),
    c("c_http", "fetch {url} 0.01 0", "200 requests of 10 ms", 200, IO_GRID),
    c("c_mixed", "fetch {url} 0.005 5", "160 times 5 ms of waiting, 5 ms of computing", 160,
      MIXED_GRID),
    c("c_disk", "read_random {files_3000x512} 3000", "20,000 reads of 16 KiB at random places",
      20000, {"threads": (2, 4, 8, 16), "multiprocessing": (2, 4, 8, 16)}, cold=True),
    c("c_lock", "lock 1 3", "300 times 1 ms of computing and 3 ms under a lock", 300, C_GRID,
      classified=("threads", 4), note="nobody else wants the lock in the sync form"),
    # Node.js.
    node("node_http_few", "fetch.js {url} 0.25 0", "6 requests of 250 ms", 6,
         {"async": (2, 6), "multiprocessing": (2,)}),
    node("node_http_many", "fetch.js {url} 0.01 0", "150 requests of 10 ms", 150,
         {"async": (4, 16, 64, 150), "multiprocessing": (2, 4)}),
    node("node_cpu", "compute.js 50", "30 times 50 ms of computing", 30,
         {"async": (4,), "multiprocessing": (2, 4)}),
    node("node_mixed", "fetch.js {url} 0.01 10", "80 times 10 ms of waiting, 10 ms of computing", 80,
         {"async": (4, 16), "multiprocessing": (2, 4)}),
    node("node_fs", "read_files.js {files_3000x512} 3000", "3000 files of 512 KiB from the disk",
         3000, {"async": (4, 16), "multiprocessing": (2, 4)}, cold=True),
)


def by_name(names=None, quick=False):
    """The families of these @names, in the order of the table; all, or the quick ones, of none.
    KeyError: the first name that there isn't."""
    known = {family.name: family for family in FAMILIES}
    for name in names or ():
        known[name]  # pylint: disable=pointless-statement
    return [family for family in FAMILIES if (family.name in names if names else
                                              family.is_quick or not quick)]
