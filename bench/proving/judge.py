"""What measurements and reports of a family come to: was the advice right, did the prediction hold?
Pure: numbers in, a row out."""
import collections
import dataclasses
import math
import statistics
import typing

import families
import measure

REACH = 1.05  # within this of the best, the simpler one is right
NOISE = 1.02  # closer than this, two medians of a few runs are the same


@dataclasses.dataclass
class Row:
    family: families.Family
    verdicts: collections.Counter  # of classes
    advice: str  # model, N and action
    model: str
    workers: int
    predicted: typing.Optional[tuple]  # speedup: low, expected, high
    measured: float  # speedup of the advised form
    is_interpolated: bool
    best: tuple  # (model, N)
    best_speedup: float
    regret: float  # 0.1: it takes a tenth longer than the best
    is_right: bool  # the best model, or within REACH of it and simpler
    error: typing.Optional[float]  # of the prediction, relative to what was measured
    others: list  # of all predictions: (model, workers, expected, measured, error)


class Walls:
    """What one family's points take, typically: the median, where nothing else is asked for."""

    def __init__(self, points, typical):
        self.wall_s = {(p["form"], p["workers"]): typical(p["wall_s"]) for p in points}

    def at(self, form, workers):
        """(seconds, whether that is interpolated); None for a form that was not measured."""
        curve = sorted((n, wall_s) for (f, n), wall_s in self.wall_s.items() if f == form)
        if not curve:
            return None
        if (form, workers) in self.wall_s:
            return self.wall_s[form, workers], False
        below = max((p for p in curve if p[0] < workers), default=curve[0])
        above = min((p for p in curve if p[0] > workers), default=curve[-1])
        if below == above:
            return below[1], True
        part = math.log(workers / below[0]) / math.log(above[0] / below[0])
        return math.exp((1 - part) * math.log(below[1]) + part * math.log(above[1])), True

    def best_of(self, form):
        """(seconds, workers) of a form's best point."""
        return min((wall_s, n) for (f, n), wall_s in self.wall_s.items() if f == form)

    def best(self):
        """(model, workers) of the fastest; of those that can't be told apart, the simplest model."""
        fastest_s = min(self.wall_s.values())
        for model in families.MODELS:
            if any(f == model for f, _ in self.wall_s):
                wall_s, workers = self.best_of(model)
                if wall_s <= NOISE * fastest_s:
                    return model, workers
        raise AssertionError("the fastest is one of the models")


def is_simpler(one, other):
    return families.MODELS.index(one) < families.MODELS.index(other)


def _advice(family, report):
    """(model, workers) of the form that the advice comes to; "keep" is the form as it is."""
    model, workers = measure.advised(report)
    if report["recommendation"]["action"] != "change":
        return family.classified
    return model, workers or _predicted_workers(report, model) or family.operations


def _predicted_workers(report, model):
    return next((one["workers"] for one in report["predictions"] if one["model"] == model), None)


def _prediction(report, model, workers):
    """The speedups predicted for a model: at that N, from the list or the curve's own point."""
    for one in report["predictions"]:
        if one["model"] == model and one["workers"] == workers:
            speedup = one["speedup"]
            return speedup["low"], speedup["expected"], speedup["high"]
    return None


def _typical(family, reports):
    """The report whose advice most of them give."""
    counts = collections.Counter(_advice(family, report) for report in reports)
    wanted = counts.most_common(1)[0][0]
    return next(report for report in reports if _advice(family, report) == wanted)


def _error(expected, measured):
    return expected / measured - 1


def _others(report, walls, base_s):
    rows = []
    for one in report["predictions"]:
        found = walls.at(one["model"], one["workers"])
        if found:
            measured, expected = base_s / found[0], one["speedup"]["expected"]
            rows.append((one["model"], one["workers"], expected, measured,
                         _error(expected, measured)))
    return rows


def judge(family, points, reports, typical=statistics.median):
    walls = Walls(points, typical)
    report = _typical(family, reports)
    model, workers = _advice(family, report)
    base_s = walls.wall_s[family.classified]
    # A model that the family has no form for can't be tried: what is, is.
    advised_s, is_interpolated = walls.at(model, workers) or (base_s, True)
    best = walls.best()
    best_s = walls.wall_s[best]
    keeps = (model, workers) == family.classified
    predicted = (1.0, 1.0, 1.0) if keeps else _prediction(report, model, workers)
    measured = base_s / advised_s
    return Row(
        family=family,
        verdicts=collections.Counter(one["verdict"]["class"] for one in reports),
        advice=report["recommendation"]["action"], model=model, workers=workers,
        predicted=predicted, measured=measured, is_interpolated=is_interpolated,
        best=best, best_speedup=base_s / best_s, regret=advised_s / best_s - 1,
        is_right=model == best[0] or advised_s <= NOISE * best_s or (
            advised_s <= REACH * best_s and (keeps or is_simpler(model, best[0]))),
        error=_error(predicted[1], measured) if predicted and not keeps else None,
        others=_others(report, walls, base_s))


def summary(rows):
    """The figures of the issue over all families."""
    errors = sorted(abs(row.error) for row in rows if row.error is not None)
    of_all = sorted(abs(other[-1]) for row in rows for other in row.others)
    worst = max((row for row in rows if row.error is not None), key=lambda row: abs(row.error),
                default=None)
    return {"families": len(rows), "right": sum(row.is_right for row in rows),
            "regret_median": statistics.median(row.regret for row in rows) if rows else 0,
            "regret_worst": max((row.regret for row in rows), default=0),
            "predictions": len(errors),
            "all_predictions": len(of_all),
            "all_error_median": statistics.median(of_all) if of_all else None,
            "all_error_high": of_all[len(of_all) * 9 // 10] if of_all else None,
            "error_median": statistics.median(errors) if errors else None,
            "error_worst": abs(worst.error) if worst else None,
            "error_worst_family": worst.family.name if worst else None,
            "wrong": [row.family.name for row in rows if not row.is_right]}
