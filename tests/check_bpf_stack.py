#!/usr/bin/env python3
"""check_bpf_stack.py OBJECT...: no chain of calls in a BPF program needs more than 512 bytes of stack.

Kernels up to 6.12 refuse to load one that does; later ones may give each function a stack of its
own, so that it goes unnoticed there. Exits 77, which CTest counts as skipped, without llvm-objdump.
"""
import collections
import glob
import re
import shutil
import subprocess
import sys

STACK_BYTES = 512
SLOT_BYTES = 32  # what kernels before 6.8 round each function's frame up to


def disassembler():
    """The path of some llvm-objdump, or None."""
    return shutil.which("llvm-objdump") or max(glob.glob("/usr/bin/llvm-objdump-*"), default=None)


def functions_of(listing):
    """By name: the deepest byte below r10 that each function touches, and whom it calls."""
    depth, calls, text = {}, collections.defaultdict(set), {}
    section = name = None
    pending = []
    for line in listing.splitlines():
        if match := re.match(r"Disassembly of section (\S+):", line):
            section = match[1]
        elif match := re.match(r"([0-9a-f]+) <(\w+)>:", line):
            if match[2].startswith("LBB"):
                continue
            name = match[2]
            depth[name] = 0
            if section == ".text":
                text[int(match[1], 16) // 8] = name
        elif match := re.search(r"\(r10 - (0x[0-9a-f]+|\d+)\)", line):
            depth[name] = max(depth[name], int(match[1], 0))
        elif match := re.search(r"r\d+ \+= -(0x[0-9a-f]+|\d+)$", line):
            # Also ordinary arithmetic; an address on the stack is never further away.
            if int(match[1], 0) <= STACK_BYTES:
                depth[name] = max(depth[name], int(match[1], 0))
        elif match := re.search(r"call (-?(?:0x)?[0-9a-f]+)$", line):
            offset = int(match[1], 0)
        elif match := re.search(r"R_BPF_64_32\s+(\S+)", line):
            pending.append((name, match[1], offset + 1))
    for caller, symbol, at in pending:
        calls[caller].add(text.get(at, "") if symbol == ".text" else symbol)
    return depth, calls


def deepest(name, depth, calls):
    """The bytes that the deepest chain of calls from @name needs, and the chain."""
    frame = -(-max(depth.get(name, 0), 1) // SLOT_BYTES) * SLOT_BYTES
    below = [deepest(called, depth, calls) for called in calls[name] if called in depth]
    need, chain = max(below, default=(0, []))
    return frame + need, [name, *chain]


def check(objdump, file_name):
    """Returns the complaints about one object."""
    listing = subprocess.run([objdump, "-dr", "--no-show-raw-insn", file_name], check=True,
                             capture_output=True, text=True).stdout
    depth, calls = functions_of(listing)
    if not depth:
        return [f"{file_name}: there is no function in it"]
    chains = [deepest(name, depth, calls) for name in depth]
    print(f"{file_name}: deepest {max(chains)[0]} bytes, {' > '.join(max(chains)[1])}")
    return [f"{need} bytes: {' > '.join(chain)}" for need, chain in chains if need > STACK_BYTES]


def main():
    objdump = disassembler()
    if not objdump:
        print("SKIPPED: there is no llvm-objdump here")
        return 77
    complaints = [line for name in sys.argv[1:] for line in check(objdump, name)]
    if complaints:
        print("\n".join(complaints))
    return 1 if complaints or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
