"""Search text by a regular expression: C code that holds the GIL."""
import re

import runner

(lines,) = runner.arguments(int)
TEXT = "\n".join(f"2026-11-22 10:{i % 60:02} host-{i % 7} GET /item/{i}?page={i % 13} 200 {i * 37}"
                 for i in range(lines))
PATTERN = re.compile(r"host-(\d+) (?:GET|POST) /(\w+)/(\d+)\?page=1[0-9]* (\d{3})")


def search(_item):
    return len(PATTERN.findall(TEXT))


runner.main(search)
