"""The middle one of three files that a chain of coroutines goes through."""

import inner


async def pass_on(future):
    """Waits for what waits for the future."""
    result = (
        await inner.wait_inside(future)
    )
    return result
