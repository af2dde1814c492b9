"""Work that waits: one blocking call to a slow service."""
import urllib.request


def fetch(url, delay):
    with urllib.request.urlopen(f"{url}?delay={delay}") as response:
        return response.read()
