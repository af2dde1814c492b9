"""The innermost of three files that a chain of coroutines goes through."""


async def wait_inside(future):
    """Waits for the future."""
    # The line matters, not the number.
    await future
