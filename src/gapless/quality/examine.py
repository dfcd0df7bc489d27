"""Every rule, and how they are run."""

from collections.abc import Iterator

from gapless.quality import bad_print, day_differs, flat, jump, ohlc, shared_hole, volume
from gapless.quality.findings import Flag, Subject

_EACH = (ohlc.RULE, bad_print.RULE, jump.RULE, volume.RULE, day_differs.RULE, flat.RULE)

RULES = {rule.name: rule.about for rule in _EACH} | {shared_hole.NAME: shared_hole.ABOUT}
"""Every rule by its name, with one line that says what it finds."""


def examine(subject: Subject) -> Iterator[Flag]:
    """What is odd about one instrument, rule by rule in the order of `RULES`, then by time.

    `shared_hole` needs several instruments and has its own function.
    """
    for rule in _EACH:
        yield from rule.find(subject)
