"""The results as text for a terminal and as Markdown for docs/accuracy.md."""
import judge

HEAD = ("family", "class", "advice", "predicted", "measured", "best", "regret", "error", "right")


def _times(speedup):
    return f"{speedup:.2f}" if speedup < 10 else f"{speedup:.1f}"


def _form(model, workers):
    return model if model == "sync" else f"{model} {workers}"


def _percent(part):
    return f"{100 * part:.0f}%"


def _predicted(row):
    if row.predicted is None:
        return "-"
    low, expected, high = row.predicted
    if low == high:
        return _times(expected)
    return f"{_times(low)} {_times(expected)} {_times(high)}"


def cells(row):
    classes = " ".join(f"{name} x{cnt}" if len(row.verdicts) > 1 else name
                       for name, cnt in row.verdicts.most_common())
    advice = ("keep " if row.advice != "change" else "") + _form(row.model, row.workers)
    return (row.family.name, classes, advice, _predicted(row),
            ("~" if row.is_interpolated else "") + _times(row.measured),
            f"{_form(*row.best)}: {_times(row.best_speedup)}", _percent(row.regret),
            "-" if row.error is None else f"{100 * row.error:+.0f}%",
            "yes" if row.is_right else "NO")


def text(rows):
    table = [HEAD, *map(cells, rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in table)


def markdown(rows):
    lines = [HEAD, ("---",) * len(HEAD), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def summary(rows):
    found = judge.summary(rows)
    lines = [f"{found['right']} of {found['families']} families: the advised model is the measured "
             "best, or within 5% of it and simpler",
             f"regret: median {_percent(found['regret_median'])}, worst "
             f"{_percent(found['regret_worst'])}"]
    if found["predictions"]:
        lines.append(f"error of {found['predictions']} predictions: median "
                     f"{_percent(found['error_median'])}, worst {_percent(found['error_worst'])} "
                     f"({found['error_worst_family']})")
        lines.append(f"of all {found['all_predictions']} predictions, also for models that were not "
                     f"advised: median {_percent(found['all_error_median'])}, nine of ten within "
                     f"{_percent(found['all_error_high'])}")
    else:
        lines.append("no predictions")
    if found["wrong"]:
        lines.append("not right: " + ", ".join(found["wrong"]))
    return lines


def predictions(row):
    """What was predicted of the other models, a line each."""
    return [f"  {_form(model, workers):22} predicted {_times(expected):>6}  measured "
            f"{_times(measured):>6}  {100 * error:+.0f}%"
            for model, workers, expected, measured, error in row.others]


BEGIN, END = "<!-- results: written by bench/proving/run --markdown -->", "<!-- end of results -->"


def page(rows, kept, text_of_page):
    """docs/accuracy.md with these results in place of the ones it has; what stands around them stays."""
    machine = kept["machine"]
    before, _, rest = text_of_page.partition(BEGIN)
    notes = [f"- `{row.family.name}`: {row.family.what}"
             + (f"; {row.family.note}" if row.family.note else "")
             + ("" if row.family.classified == ("sync", 1) else
                f"; classified is {_form(*row.family.classified)}") for row in rows]
    results = [f"Measured on {kept['measured_on']}: kernel {machine['kernel']}, {machine['cpus']} "
               f"CPUs ({machine['cpu']}), load {machine['load']:.1f} at the start.", "",
               *(f"- {line}" for line in summary(rows)), "", markdown(rows), "",
               "The families:", "", *notes]
    return before + BEGIN + "\n" + "\n".join(results) + "\n" + END + rest.partition(END)[2]
