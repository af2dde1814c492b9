"""Write a small file and have it on the disk before going on. Each is a new one in every form: to cut
an old one short waits for the disk, too."""
import os

import runner

(directory,) = runner.arguments(str)


def write(item):
    with open(f"{directory}/fsync.{item}", "wb", buffering=0) as file:
        file.write(b"x" * 16384)
        os.fsync(file.fileno())
    return item


runner.main(write)
