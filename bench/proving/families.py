"""The families of the proving ground: what is done, how often, and in which forms.

A family's command has {placeholders} that surroundings.py fills. `grid` has the numbers of workers that
every form is measured with; `classified` is the form that classify looks at, and so what the speedups are
relative to: plain sync code, but where what matters leaves no trace in it.
"""
import dataclasses

MODELS = ("sync", "threads", "async", "multiprocessing")  # from the simplest on

IO_GRID = {"threads": (2, 4, 8, 16, 32), "async": (4, 16, 64), "multiprocessing": (2, 4, 8, 16)}
CPU_GRID = {"threads": (2, 4), "async": (4,), "multiprocessing": (2, 4)}
SMALL_GRID = {"threads": (2, 4), "async": (4,), "multiprocessing": (2, 4)}
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

    def points(self):
        """All (form, workers) of the grid, the classified one first."""
        others = [(form, n) for form in MODELS for n in self.grid.get(form, ())]
        return list(dict.fromkeys([self.classified, *others]))


def python(name, script, what, operations, grid, **more):
    words = tuple(script.split())
    return Family(name, what, ("{python}", "{here}/python/" + words[0], *words[1:]), operations,
                  {"sync": (1,), **grid}, **more)


FAMILIES = (
    python("api_few", "fetch.py {url} 0.25 0", "6 requests of 250 ms", 6,
           {"threads": (2, 3, 6), "async": (2, 6), "multiprocessing": (2, 6)}, is_quick=True),
    python("api_many", "fetch.py {url} 0.01 0", "200 requests of 10 ms", 200, IO_GRID,
           is_quick=True),
    python("cpu_python", "compute.py 100", "16 times 100 ms in pure Python", 16, CPU_GRID,
           is_quick=True),
    python("mixed_50", "fetch.py {url} 0.01 10", "80 times 10 ms of waiting, 10 ms of computing", 80,
           MIXED_GRID, is_quick=True),
    python("rate_16", "fetch.py {url_16} 0.01 0",
           "160 requests of 10 ms to a service that works on 16 at once", 160, IO_GRID,
           options=("--concurrency", "16"), note="the user knows the limit: --concurrency 16",
           is_quick=True),
)


def by_name(names=None, quick=False):
    """The families of these @names, in the order of the table; all, or the quick ones, of none.
    KeyError: the first name that there isn't."""
    known = {family.name: family for family in FAMILIES}
    for name in names or ():
        known[name]  # pylint: disable=pointless-statement
    return [family for family in FAMILIES if (family.name in names if names else
                                              family.is_quick or not quick)]
