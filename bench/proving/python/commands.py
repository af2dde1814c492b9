"""Run a command for each operation. "@" in its arguments stands for the operation's number."""
import subprocess

import runner

(line,) = runner.arguments(str)
WORDS = line.split()


def argv(item):
    return [word.replace("@", str(item)) for word in WORDS]


def operation(item):
    return len(subprocess.run(argv(item), stdout=subprocess.PIPE, check=True).stdout)


async def operation_async(item):
    import asyncio
    process = await asyncio.create_subprocess_exec(*argv(item), stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv(item))
    return len(output)


runner.main(operation, operation_async)
