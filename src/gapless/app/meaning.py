"""What a caller means by symbols, timeframes and dates, of all that a store was ever asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gapless.app.instants import When, span_between
from gapless.app.reading import Reader
from gapless.errors import NotStored
from gapless.resample import aligned
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Wish
from gapless.vocabulary.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Meant:
    """A wish of which `whole` is held at most: stored, or asked for and possible by now."""

    wish: Wish
    whole: Span

    @property
    def held(self) -> Wish | None:
        """The part of it that is held; None where there is none."""
        cut = self.wish.span.clip(self.whole)
        return replace(self.wish, span=cut) if cut else None


def held(found: Iterable[Meant]) -> list[Wish]:
    """What is held of all that is meant."""
    return [wish for one in found if (wish := one.held)]


def meant(
    reader: Reader,
    wishes: Iterable[Wish],
    frames: Sequence[Timeframe],
    start: When | None,
    end: When | None,
) -> list[Meant]:
    """What was ever asked for, or these timeframes of it, between the dates where they are given.

    Raises:
        UsageError: a timeframe whose base was never asked for, or the dates are the wrong way round.
    """
    named = [(wish.instrument, frame) for wish in wishes for frame in frames or [wish.timeframe]]
    found = []
    for instrument, frame in dict.fromkeys(named):
        base = reader.base(frame)
        most = reader.held(instrument, base)
        if most is None:
            raise NotStored(
                f"{base} bars of {instrument}, which {frame} is made of, were never asked for.",
                hint=f"`gapless backfill {instrument} -t {base} --start ...` first.",
            )
        whole = aligned(most, frame, instrument.asset_class)
        if wanted := span_between(start, end, whole, instrument.asset_class, now=reader.now):
            found.append(Meant(Wish(instrument, frame, wanted), whole))
    return found
