"""Compress blocks of text with zlib, which lets go of the GIL meanwhile."""
import zlib

import runner

(kilobytes,) = runner.arguments(int)
TEXT = b"".join(b"%d: the quick brown fox jumps over the lazy dog\n" % (i * i % 9973)
                for i in range(kilobytes * 1024 // 50))


def deflate(_item):
    return len(zlib.compress(TEXT))


runner.main(deflate)
