"""Our clock beside the vendor's: a difference is told once a run, and ahead of it ours decides nothing."""

from gapless.vocabulary.events import ClockSkewed, Tell
from gapless.vocabulary.steps import Answer, Page
from gapless.vocabulary.timeframe import MINUTE

WORTH_TELLING = 5_000
"""Milliseconds; a clock that is kept by the network is never so far off."""
TOO_FAR_AHEAD = MINUTE
_SECOND = 1000
"""The vendor's date is cut to whole seconds."""


class Skew:
    """Compares the two clocks at every answer; `problems` holds in words what it told."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.problems: list[str] = []

    def hear(self, answer: Answer) -> None:
        """Look at one answer; the first one that shows a difference is told."""
        ahead = ahead_of_vendor(answer)
        if abs(ahead) <= WORTH_TELLING or self.problems:
            return
        self._tell(ClockSkewed(ahead / 1000))
        side = "ahead of" if ahead > 0 else "behind"
        self.problems.append(
            f"the clock of this machine is {abs(ahead) / 1000:,.0f} s {side} the vendor's; "
            "set it right, or bars become final late"
        )


def ahead_of_vendor(answer: Answer) -> int:
    """By how much our clock is ahead in milliseconds at least, negative where it is behind; 0 if nothing shows it.

    The vendor dated its answer at some moment between our asking and the last byte.
    """
    if answer.dated is None:
        return 0
    asked = answer.received - int(answer.seconds * 1000)
    if asked >= answer.dated + _SECOND:
        return asked - answer.dated - _SECOND
    return min(0, answer.received - answer.dated)


def made_at(page: Page) -> int:
    """When the bars of a page were as they are (Unix ms): by the earlier of the two clocks.

    Ahead of the vendor's our clock would take a bar that is still being made there for a finished one.
    """
    return page.received if page.dated is None else min(page.received, page.dated)


def recorded_at(page: Page) -> int:
    """What the ledger gives as the time (Unix ms): ours, unless it is so wrong that the order of runs suffers."""
    made = made_at(page)
    return made if page.received - made > TOO_FAR_AHEAD else page.received
