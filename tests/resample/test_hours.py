"""Parts of each session by example: full and half days of New York, and markets without extended hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gapless.calendars import open_calendar
from gapless.errors import UsageError
from gapless.resample import Hours, SessionPart, aligned, base_of, derive, window_ends
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, TIMEFRAMES, Base

NEW_YORK = ZoneInfo("America/New_York")
STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
FULL_DAY, HALF_DAY = "2024-11-27", "2024-11-29"  # around Thanksgiving; the second closes at 13:00


def new_york(text: str) -> int:
    """UTC ms of a wall clock in New York, like `2024-11-27 09:30`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 1000


def utc(text: str) -> int:
    """UTC ms of a text like `2024-11-27 09:30`."""
    return int(datetime.fromisoformat(text + "+00:00").timestamp()) * 1000


def shown(instants: list[int]) -> list[str]:
    """Wall-clock times in New York."""
    return [datetime.fromtimestamp(at // 1000, NEW_YORK).strftime("%H:%M") for at in instants]


def minutes(start: int, end: int) -> Batch:
    """A bar for every minute, each with volume 1 and a price that counts up from 1."""
    ts = np.arange(start, end, MINUTE, dtype=np.int64)
    price = np.arange(1.0, len(ts) + 1)
    return Batch(ts, price, price, price, price, np.ones(len(ts)), price, np.ones(len(ts), np.int64))


def hours_of(symbol: str, span: Span, part: str) -> Hours:
    """A part of the real calendar's sessions."""
    hours = Hours.of(open_calendar().sessions(Instrument.parse(symbol), span), SessionPart.parse(part))
    assert hours is not None
    return hours


def windows(day: str, name: str, part: str) -> list[str]:
    """Start and end of every window of a stock's day, `09:30-10:30`, out of a bar for every minute of the day."""
    bars = minutes(new_york(f"{day} 00:00"), new_york(f"{day} 23:59"))
    hours = hours_of("SPY", Span(int(bars.ts[0]), int(bars.ts[-1])), part)
    derived = derive(bars, TIMEFRAMES[name], STOCKS, hours)
    ends = window_ends(derived.ts, TIMEFRAMES[name], STOCKS, hours)
    pairs = zip(shown(derived.ts.tolist()), shown(ends.tolist()), strict=True)
    assert derived.volume.sum() == ((ends - derived.ts) // MINUTE).sum()
    return [f"{start}-{end}" for start, end in pairs]


@pytest.mark.parametrize(
    ("day", "name", "part", "expected"),
    [
        (
            FULL_DAY,
            "1h",
            "regular",
            "09:30-10:30 10:30-11:30 11:30-12:30 12:30-13:30 13:30-14:30 14:30-15:30 15:30-16:00",
        ),
        (FULL_DAY, "2h", "regular", "09:30-11:30 11:30-13:30 13:30-15:30 15:30-16:00"),
        (FULL_DAY, "4h", "regular", "09:30-13:30 13:30-16:00"),
        (HALF_DAY, "1h", "regular", "09:30-10:30 10:30-11:30 11:30-12:30 12:30-13:00"),
        (HALF_DAY, "2h", "regular", "09:30-11:30 11:30-13:00"),
        (HALF_DAY, "4h", "regular", "09:30-13:00"),
        (FULL_DAY, "2h", "pre", "04:00-06:00 06:00-08:00 08:00-09:30"),
        (FULL_DAY, "4h", "pre", "04:00-08:00 08:00-09:30"),
        (FULL_DAY, "2h", "post", "16:00-18:00 18:00-20:00"),
        (FULL_DAY, "4h", "post", "16:00-20:00"),
        (HALF_DAY, "2h", "post", "13:00-15:00 15:00-17:00"),
    ],
)
def test_windows_count_from_where_the_part_starts_and_end_with_it(
    day: str, name: str, part: str, expected: str
) -> None:
    """Regular hours count from the open, the post-market from the close, and early closes cut them."""
    assert windows(day, name, part) == expected.split()


def test_a_minute_is_kept_or_left_out() -> None:
    """The shortest timeframe of a part holds that part's base bars as they are."""
    day = minutes(new_york(f"{FULL_DAY} 04:00"), new_york(f"{FULL_DAY} 20:00"))
    whole = Span(int(day.ts[0]), int(day.ts[-1]))

    parts = {
        part: derive(day, TIMEFRAMES["1m"], STOCKS, hours_of("SPY", whole, part))
        for part in ("pre", "regular", "post")
    }

    assert {part: len(bars) for part, bars in parts.items()} == {"pre": 330, "regular": 390, "post": 240}
    assert Batch.concat(parts.values()) == day


def test_days_of_a_part_are_sums_of_its_minutes() -> None:
    """Two sessions give two days, stamped with local midnight, and one week from Monday."""
    span = Span(new_york(f"{FULL_DAY} 00:00"), new_york("2024-11-30 00:00"))
    bars, hours = minutes(span.start, span.end), hours_of("SPY", span, "regular")

    days = derive(bars, TIMEFRAMES["1d"], STOCKS, hours)
    weeks = derive(bars, TIMEFRAMES["1w"], STOCKS, hours)

    assert days.ts.tolist() == [new_york(f"{FULL_DAY} 00:00"), new_york(f"{HALF_DAY} 00:00")]
    assert days.volume.tolist() == [390, 210]
    assert (days.open[0], days.close[0]) == (571, 960)  # prices count the minutes since midnight
    assert (weeks.ts.tolist(), weeks.volume.tolist()) == ([new_york("2024-11-25 00:00")], [600])


def test_days_of_a_part_need_minutes() -> None:
    """The vendor's day bar serves whole days only; every timeframe of a part is made from minutes."""
    needed = {part: base_of(TIMEFRAMES["1d"], part) for part in SessionPart}

    assert needed == {
        SessionPart.ALL: Base.DAY,
        SessionPart.PRE: Base.MINUTE,
        SessionPart.REGULAR: Base.MINUTE,
        SessionPart.POST: Base.MINUTE,
    }
    assert base_of(TIMEFRAMES["5m"], SessionPart.ALL) is Base.MINUTE


def test_a_window_cut_by_the_close_is_whole() -> None:
    """What happens after the close is no part of the last regular window, nor of the span to read for it."""
    span = Span(new_york(f"{FULL_DAY} 15:45"), new_york(f"{FULL_DAY} 15:50"))
    hours = hours_of("SPY", span, "regular")

    whole = aligned(span, TIMEFRAMES["4h"], STOCKS, hours)

    assert whole == Span(new_york(f"{FULL_DAY} 13:30"), new_york(f"{FULL_DAY} 16:00"))


def test_an_edge_outside_the_hours_cuts_nothing() -> None:
    """A span from before the open to after the close is aligned as it is; days are aligned to midnights."""
    span = Span(new_york(f"{FULL_DAY} 09:29"), new_york(f"{FULL_DAY} 17:01"))
    hours = hours_of("SPY", span, "regular")

    assert aligned(span, TIMEFRAMES["1h"], STOCKS, hours) == span
    assert aligned(span, TIMEFRAMES["1d"], STOCKS, hours) == Span(
        new_york("2024-11-27 00:00"), new_york("2024-11-28 00:00")
    )


def test_hours_are_a_set_of_spans() -> None:
    """Finality looks at these spans only."""
    span = Span(new_york(f"{FULL_DAY} 00:00"), new_york("2024-11-30 00:00"))

    assert list(hours_of("SPY", span, "post").spans()) == [
        Span(new_york(f"{FULL_DAY} 16:00"), new_york(f"{FULL_DAY} 20:00")),
        Span(new_york(f"{HALF_DAY} 13:00"), new_york(f"{HALF_DAY} 17:00")),
    ]


def test_all_is_no_restriction() -> None:
    """There are no hours to keep to, and windows count from midnight as ever."""
    span = Span(utc("2024-11-27 00:00"), utc("2024-11-28 00:00"))
    sessions = open_calendar().sessions(Instrument.parse("X:BTCUSD"), span)

    assert Hours.of(sessions, SessionPart.ALL) is None


def test_a_market_that_never_closes_has_regular_hours_only() -> None:
    """Regular bars of crypto are all its bars; its pre-market and post-market have none."""
    bars = minutes(utc("2024-11-27 00:00"), utc("2024-11-28 12:34"))
    span = Span(int(bars.ts[0]), int(bars.ts[-1]))
    made = {
        part: derive(bars, TIMEFRAMES["4h"], CRYPTO, hours_of("X:BTCUSD", span, part))
        for part in ("regular", "pre", "post")
    }

    assert made["regular"] == derive(bars, TIMEFRAMES["4h"], CRYPTO)
    assert (len(made["pre"]), len(made["post"])) == (0, 0)


def test_currencies_count_from_the_opening_on_sunday() -> None:
    """In winter the week opens at 22:00 UTC: the first window has two hours, the next day's four."""
    bars = minutes(utc("2024-01-07 21:00"), utc("2024-01-08 08:00"))
    hours = hours_of("C:EURUSD", Span(int(bars.ts[0]), int(bars.ts[-1])), "regular")

    made = derive(bars, TIMEFRAMES["4h"], FOREX, hours)

    starts = [datetime.fromtimestamp(at / 1000, UTC).strftime("%d %H:%M") for at in made.ts.tolist()]
    assert starts == ["07 22:00", "08 00:00", "08 04:00"]
    assert made.volume.tolist() == [120, 240, 240]


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_without_sessions_there_are_no_bars(name: str) -> None:
    """Bars of days that no session is known for are in no part."""
    nothing = np.empty(0, np.int64)
    hours = Hours.of(Sessions(nothing, nothing, nothing, nothing, nothing), SessionPart.REGULAR)
    day = minutes(new_york(f"{FULL_DAY} 09:30"), new_york(f"{FULL_DAY} 16:00"))

    assert len(derive(day, TIMEFRAMES[name], STOCKS, hours)) == 0


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    """The message names what came, the hint what is offered."""
    with pytest.raises(UsageError, match="`lunch` is not a part of a session") as caught:
        SessionPart.parse("lunch")

    assert caught.value.hint == "Use one of: all, pre, regular, post."
