"""Measures the forms of a family as a user would with `time`, and has classify look at one of them."""
import json
import os
import pathlib
import statistics
import subprocess
import time

CONTENDER = 1.25  # of the best of the first round: what is measured again in the later ones
SHORT_S = 0.15  # what takes less is run so often more in each round: its start varies as much
SHORT_RUNS = 4
TIMEOUT_S = 120


class Failed(Exception):
    """A form of a family did not run to its end as it should."""


def environment():
    return dict(os.environ, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")


class Bench:
    """One family in its surroundings."""

    def __init__(self, family, place, classify):
        self.family, self.place, self.classify = family, place, classify

    def _run(self, argv):
        """Seconds of wall time that @argv takes, and its standard output."""
        feeder = None
        if self.family.cold:
            self.place.forget_files()
        if self.family.stdin:
            feeder = subprocess.Popen(self.place.fill(self.family.stdin), stdout=subprocess.PIPE)
        start = time.monotonic()
        try:
            done = subprocess.run(argv, stdin=feeder.stdout if feeder else subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env=environment(), timeout=TIMEOUT_S, check=False)
        finally:
            if feeder:
                feeder.kill()
                feeder.wait()
                feeder.stdout.close()
        wall_s = time.monotonic() - start
        if done.returncode or not done.stdout.startswith(str(self.family.operations)):
            raise Failed(f"{' '.join(argv)}: status {done.returncode}: {done.stdout}{done.stderr}")
        return wall_s

    def wall_s(self, form, workers):
        return self._run(self.place.fill(self.family.argv(form, workers)))

    def observe(self, recording):
        """Runs the form that is classified under classify; leaves a recording at that path."""
        command = self.place.fill(self.family.argv(*self.family.classified))
        self._run([str(self.classify), "-q", "--json", "-o", os.devnull, "--save-recording",
                   str(recording), *self.family.options, "--", *command])


def replay(classify, recording, options):
    """The report that @classify makes of a recording now."""
    done = subprocess.run([str(classify), "--json", "-o", "-", *options, "--replay",
                           str(recording)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def advised(report):
    """(model, workers) that the report wants of the program; workers None: not said."""
    advice = report["recommendation"]
    return advice["model"], advice["workers"]


def wanted_points(family, reports):
    """The grid, and what the reports advise or predict of forms that the family has."""
    points = family.points()
    for report in reports:
        asked = [advised(report)]
        asked += [(one["model"], one["workers"]) for one in report["predictions"]]
        points += [(model, workers) for model, workers in asked
                   if model in family.grid and model != "sync" and workers]
    return list(dict.fromkeys(points))


def contenders(family, walls, reports):
    """What is worth another measurement: the classified form, the advised, and the best number of
    workers of each model that comes near the best of all."""
    taken = {point: statistics.median(taken_s) for point, taken_s in walls.items()}
    again = {family.classified, *map(advised, reports)}
    for model in {form for form, _ in walls}:
        best = min((point for point in walls if point[0] == model), key=taken.get)
        if taken[best] <= CONTENDER * min(taken.values()):
            again.add(best)
    return [point for point in walls if point in again]


def observe(bench, observations, directory, say):
    """Records the family so often. Returns the names of the recordings in that directory."""
    names = [f"{bench.family.name}.{i + 1}.json" for i in range(observations)]
    for name in names:
        say(f"observing: {name}")
        bench.observe(directory / name)
    return names


def measure(bench, repetitions, observations, directory, say):
    """Measures one family. Returns what measurements.json keeps of it."""
    family = bench.family
    recordings = observe(bench, observations, directory, say)
    reports = [replay(bench.classify, directory / name, family.options) for name in recordings]
    walls = {point: [] for point in wanted_points(family, reports)}
    for i in range(repetitions):
        for form, workers in contenders(family, walls, reports) if i else walls:
            say(f"{family.name}: {form} {workers}, round {i + 1} of {repetitions}")
            taken_s = bench.wall_s(form, workers)
            more = SHORT_RUNS if taken_s < SHORT_S else 0
            walls[form, workers] += [taken_s, *(bench.wall_s(form, workers) for _ in range(more))]
    return {"recordings": recordings,
            "points": [{"form": form, "workers": workers, "wall_s": taken_s}
                       for (form, workers), taken_s in walls.items()]}


def machine():
    """What the numbers were measured on."""
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line.split(":", 1)[1].strip() for line in info.splitlines()
             if line.startswith("model name")]
    return {"cpu": names[0] if names else "unknown", "cpus": len(os.sched_getaffinity(0)),
            "kernel": os.uname().release, "load": os.getloadavg()[0]}
