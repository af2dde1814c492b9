"""Parse JSON documents: C code that holds the GIL."""
import json

import runner

(rows,) = runner.arguments(int)
TEXT = json.dumps([{"id": i, "name": f"name {i}", "tags": ["a", "b", str(i)], "price": i / 7}
                   for i in range(rows)])


def parse(_item):
    return len(json.loads(TEXT))


runner.main(parse)
