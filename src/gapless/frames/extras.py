"""What happens where a library that is an extra is not installed: one sentence that says how to get it."""

from collections.abc import Iterator
from contextlib import contextmanager

from gapless.errors import UsageError


@contextmanager
def extra(name: str, *libraries: str) -> Iterator[None]:
    """Around the import of `libraries`, which come with the extra `name`.

    Raises:
        UsageError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in libraries:
            raise
        raise UsageError(
            f"This needs {error.name}, which is not installed.", hint=f'Run: pip install "gapless[{name}]"'
        ) from error
