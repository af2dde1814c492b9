#!/usr/bin/env python3
"""check_report.py SCHEMA REPORT...: holds JSON reports to the schema.

Also takes each required name out of each report in turn: the schema must object, or it would not
be worth much. Exits 77, which CTest counts as skipped, when python3-jsonschema is missing.
"""
import copy
import json
import sys

try:
    from jsonschema import Draft7Validator
except ImportError:
    print("SKIPPED: python3-jsonschema is not installed, no report was checked")
    sys.exit(77)


def paths_of_names(value, path=()):
    """The path of every name in every object of @value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield path + (name,)
            yield from paths_of_names(member, path + (name,))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from paths_of_names(element, path + (index,))


def without(report, path):
    """A copy of @report that lacks the name at @path."""
    report = copy.deepcopy(report)
    parent = report
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    return report


def check(validator, file_name):
    """Returns the complaints about one report."""
    with open(file_name, encoding="utf-8") as file:
        report = json.load(file, parse_constant=lambda name: sys.exit(f"{file_name}: {name}"))
    complaints = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(report)]
    for path in paths_of_names(report):
        if validator.is_valid(without(report, path)):
            complaints.append(f"{path}: the schema does not miss it")
    return [f"{file_name}: {complaint}" for complaint in complaints]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    complaints = [line for name in sys.argv[2:] for line in check(validator, name)]
    print("\n".join(complaints) or f"{len(sys.argv) - 2} reports are as the schema has them")
    return 1 if complaints or len(sys.argv) < 3 else 0


if __name__ == "__main__":
    sys.exit(main())
