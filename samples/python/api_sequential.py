"""Ask a slow service for one answer after another."""
import sys

from fetch import fetch

REQUESTS = 20
DELAY = 0.1

url = sys.argv[1]
answers = [fetch(url, DELAY) for _ in range(REQUESTS)]
print(len(answers), "answers")
