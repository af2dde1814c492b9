"""Read whole files, one for each operation, over and over if there are not enough."""
import runner

directory, files = runner.arguments(str, int)


def read(item):
    with open(f"{directory}/{item % files}", "rb", buffering=0) as file:
        return len(file.read())


runner.main(read)
