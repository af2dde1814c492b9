"""A short script: parses a little, computes a little, says how many."""
import hashlib
import json

import runner


def operation(item):
    text = json.dumps({"item": item, "values": list(range(200))})
    return hashlib.sha256(text.encode()).hexdigest()


runner.main(operation)
