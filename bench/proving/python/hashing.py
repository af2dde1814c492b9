"""Hash large blocks: hashlib lets go of the GIL meanwhile."""
import hashlib

import runner

(megabytes,) = runner.arguments(float)
BLOCK = b"classify" * int(megabytes * 131072)


def digest(_item):
    return hashlib.sha256(BLOCK).hexdigest()


runner.main(digest)
