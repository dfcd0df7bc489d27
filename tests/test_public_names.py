"""What `import gapless` promises: few names, loaded when they are used, each with a sentence about it."""

import inspect
import subprocess
import sys
import warnings

import gapless


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    """Sorted, without doubles, documented; an unknown one is an ordinary error."""
    assert gapless.__all__ == sorted(set(gapless.__all__))
    for name in gapless.__all__:
        assert inspect.getdoc(getattr(gapless, name)), name
    assert not hasattr(gapless, "nothing")


def test_importing_costs_nothing() -> None:
    """No room is loaded before a name is used, and no frame library before a frame is asked for."""
    code = "import sys, gapless; print(*sys.modules); gapless.open, gapless.open_async; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, then = (set(line.split()) for line in done.stdout.splitlines())
    assert [name for name in first if name.startswith("gapless.")] == []
    assert then & set("aiohttp duckdb exchange_calendars pandas polars pyarrow".split()) == set()


def test_a_warning_about_missing_bars_can_be_silenced_by_its_class() -> None:
    """It is a warning of the user's kind, so Python shows it by default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gapless.BarsMissingWarning)
        warnings.warn("one", gapless.BarsMissingWarning, stacklevel=1)
    assert issubclass(gapless.BarsMissingWarning, UserWarning)
