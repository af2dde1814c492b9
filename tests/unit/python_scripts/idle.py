"""Waits on its stdin, in any version of Python."""
import sys

sys.stdout.write(".\n")
sys.stdout.flush()
sys.stdin.read()
