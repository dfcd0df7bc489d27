"""What happens when bars that were asked for are missing, and what is no gap at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.program import Gapless
from engine.living import NOW, OwnedClock, asked, living, store_url, truth, utc, warehouse
from gapless import BarsMissing, BarsMissingWarning
from gapless.app import Warehouse
from gapless.errors import UsageError
from gapless.sandbox import Profile, Sandbox, SyntheticMarket
from gapless.transfer import Layout
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Outcome, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, TIMEFRAMES, Base

START, END = "2026-11-09", "2026-11-14"
MONDAY = utc("2026-11-09T05:00")
HOUR = 60 * MINUTE


@pytest.fixture
def clock() -> OwnedClock:
    """The time of one test, the same for both sides."""
    return OwnedClock()


@pytest.fixture
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=31), now=clock) as sandbox:
        yield sandbox


@pytest.fixture
def house(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty store beside it."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one:
        yield one


def test_what_was_never_asked_for_is_missing(house: Warehouse, vendor: Sandbox) -> None:
    """The error lists the stretch and a command; that command, run, makes the same call whole."""
    house.backfill(["AAPL"], ["5m"], START, "2026-11-11")
    with pytest.raises(BarsMissing, match="never asked for") as caught:
        house.bars("AAPL", "5m", START, END)
    (gap,) = caught.value.gaps
    wednesday = MONDAY + 2 * DAY
    assert (gap.symbol, gap.base, gap.outcome) == ("AAPL", Base.MINUTE, "unasked")
    # From the first minute of Wednesday's pre-market to the last one of Friday's post-market.
    assert (gap.start, gap.end) == (wednesday + 4 * HOUR, wednesday + 2 * DAY + 20 * HOUR)
    command = caught.value.hint.split("`")[1]
    assert command == "gapless backfill AAPL -t 5m --start 2026-11-11T09:00Z --end 2026-11-14T01:00Z"
    _, _, symbol, _, frame, _, start, _, end = command.split()
    assert house.backfill([symbol], [frame], start, end).exit_code == 0
    bars = house.bars("AAPL", "1m", START, END)
    assert bars.parts[0].batch == truth(vendor, "AAPL", Base.MINUTE, Span(MONDAY, MONDAY + 5 * DAY))


def test_the_command_of_an_error_repairs(house: Warehouse, vendor: Sandbox, tmp_path: Path) -> None:
    """Typed into a shell as it stands in the hint, with the store and the vendor of this test."""
    with pytest.raises(BarsMissing) as caught:
        house.bars(["AAPL", "X:BTCUSD"], "1d", START, END, session="regular")
    command = caught.value.hint.split("`")[1].split()
    assert command[:6] == ["gapless", "backfill", "AAPL", "X:BTCUSD", "-t", "1m"]  # a part of days is minutes
    program = Gapless(
        tmp_path,
        {
            "GAPLESS_MASSIVE_BASE_URL": vendor.url,
            "GAPLESS_MASSIVE_PLAN": "advanced",
            "GAPLESS_RATE": "unlimited",
            "MASSIVE_API_KEY": "sandbox",
        },
    )
    done = program(*command[1:])
    assert done.code == 0, done.err
    assert house.bars(["AAPL", "X:BTCUSD"], "1d", START, END, session="regular").gaps == ()


def test_a_warning_names_what_is_missing(house: Warehouse) -> None:
    """And gives what is there."""
    house.backfill(["AAPL"], ["1d"], START, "2026-11-11")
    with pytest.warns(BarsMissingWarning, match="AAPL 1d 2026-11-11 05:00 UTC to 2026-11-14") as caught:
        bars = house.bars("AAPL", "1d", START, END, on_gap="warn")
    assert (len(bars), len(bars.gaps)) == (2, 1)
    assert caught[0].filename == __file__


def test_marked_gaps_are_told_in_silence(house: Warehouse) -> None:
    """Three gaps of two symbols, each with its reason, and the frame holds what is there."""
    house.backfill(["AAPL"], ["1d"], "2026-11-10", "2026-11-12")
    bars = house.bars(["AAPL", "MSFT"], "1d", START, END, on_gap="mark")
    assert [(gap.symbol, gap.outcome) for gap in bars.gaps] == [
        ("AAPL", "unasked"),
        ("AAPL", "unasked"),
        ("MSFT", "unasked"),
    ]
    assert bars.symbols == ("AAPL", "MSFT")
    assert len(bars) == 2


@pytest.mark.parametrize(
    ("frame", "session"), [("5m", "all"), ("1d", "all"), ("1d", "regular"), ("1w", "all"), ("1mo", "all")]
)
def test_fetch_makes_it_whole(house: Warehouse, vendor: Sandbox, frame: str, session: str) -> None:
    """Of an empty store, in one call; the second call asks the vendor for nothing."""
    call = {"session": session, "on_gap": "fetch"}
    bars = house.bars("AAPL", frame, "2026-10-01", "2026-11-10", **call)  # type: ignore[arg-type]  # words
    assert len(bars)
    assert bars.gaps == ()
    before = asked(vendor)
    again = house.bars("AAPL", frame, "2026-10-01", "2026-11-10", **call)  # type: ignore[arg-type]  # words
    assert again.polars().equals(bars.polars())
    assert asked(vendor) == before
    # The last window begins before the end and reaches beyond it: it is whole, or still open and left out.
    assert house.bars("AAPL", frame, "2026-10-01", "2026-11-10", session=session).gaps == ()


def test_fetch_goes_on_where_the_store_ends(house: Warehouse) -> None:
    """Without an end, a start after all that was asked for means everything since."""
    house.backfill(["AAPL"], ["1d"], "2026-10-01", "2026-10-08")
    bars = house.bars("AAPL", "1d", "2026-11-09", on_gap="fetch")
    assert len(bars) == 11  # sessions from 9 to 23 November
    with pytest.raises(BarsMissing):
        house.bars("AAPL", "1d")  # October's rest lies between


def test_fetch_says_why_it_could_not(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> None:
    """The reason for which the run ended, not only that bars are missing."""
    with (
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock, key="unknown") as one,
        pytest.raises(BarsMissing, match=r"ended early: .*[kK]ey"),
    ):
        one.bars("AAPL", "1d", START, END, on_gap="fetch")


def test_a_backfill_that_was_cut_short_is_not_taken_for_whole(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Without dates all that was asked for is meant, not only what is stored of it."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock, max_requests="1") as one:
        assert one.backfill(["X:BTCUSD"], ["1m"], "2026-09-01", END).exit_code == 5
        with pytest.raises(BarsMissing, match="X:BTCUSD 1m"):
            one.bars("X:BTCUSD", "1h")
        assert len(one.bars("X:BTCUSD", "1h", "2026-09-01", "2026-09-02")) == 24


def test_an_outage_is_missing_until_it_is_repaired(house: Warehouse, vendor: Sandbox) -> None:
    """The vendor's silence on a trading day is a claim: the hint is to ask again, and that heals it."""
    out = Span(MONDAY + DAY, MONDAY + 2 * DAY)
    vendor.market.hide(Instrument.parse("AAPL"), Base.MINUTE, out)
    house.backfill(["AAPL"], ["1m"], START, END)
    with pytest.raises(BarsMissing, match="no bars where the market was open") as caught:
        house.bars("AAPL", "5m", START, END)
    assert caught.value.hint.startswith("`gapless repair AAPL`")
    vendor.market.show()
    assert house.repair(["AAPL"]).exit_code == 0
    assert house.bars("AAPL", "5m", START, END).gaps == ()


def test_fetch_heals_an_outage_too(house: Warehouse, vendor: Sandbox) -> None:
    """Before the time at which a run would ask again by itself."""
    vendor.market.hide(Instrument.parse("AAPL"), Base.DAY, Span(MONDAY + DAY, MONDAY + 3 * DAY))
    house.backfill(["AAPL"], ["1d"], START, END)
    vendor.market.show()
    assert len(house.bars("AAPL", "1d", START, END, on_gap="mark")) == 3
    assert len(house.bars("AAPL", "1d", START, END, on_gap="fetch")) == 5


def test_a_confirmed_silence_is_no_gap(house: Warehouse, vendor: Sandbox, clock: OwnedClock) -> None:
    """Asked twice, none: the day is empty, and reading it is whole."""
    vendor.market.hide(Instrument.parse("AAPL"), Base.DAY, Span(MONDAY + DAY, MONDAY + 2 * DAY))
    house.backfill(["AAPL"], ["1d"], START, END)
    clock.at += 2 * HOUR
    house.repair()
    bars = house.bars("AAPL", "1d", START, END)
    assert (len(bars), bars.gaps) == (4, ())


def test_a_closed_market_is_no_gap(house: Warehouse) -> None:
    """A week-end that nobody asked for has no bars, and none are missing."""
    house.backfill(["AAPL"], ["1m"], START, END)
    bars = house.bars("AAPL", "1m", START, "2026-11-16")
    assert bars.gaps == ()
    assert len(house.bars("MSFT", "1m", "2026-11-14", "2026-11-16")) == 0


@pytest.mark.parametrize(("part", "first", "last"), [("pre", 4, 9.5), ("regular", 9.5, 16), ("post", 16, 20)])
def test_gaps_of_a_part_lie_inside_it(house: Warehouse, part: str, first: float, last: float) -> None:
    """What is missing of other hours is not told."""
    house.backfill(["AAPL"], ["1m"], START, "2026-11-12")
    (gap,) = house.bars("AAPL", "15m", START, "2026-11-13", session=part, on_gap="mark").gaps
    thursday = MONDAY + 3 * DAY
    assert (gap.start, gap.end) == (thursday + first * HOUR, thursday + last * HOUR)


def test_a_part_that_is_there_needs_no_other(house: Warehouse) -> None:
    """Minutes of the regular session alone make its bars whole, although the evening was never asked for."""
    house.backfill(["AAPL"], ["1m"], "2026-11-12T09:30", "2026-11-12T16:00")
    bars = house.bars("AAPL", "1d", "2026-11-12", "2026-11-13", session="regular")
    assert (len(bars), bars.gaps) == (1, ())
    with pytest.raises(BarsMissing):
        house.bars("AAPL", "1h", "2026-11-12", "2026-11-13")


def test_what_the_plan_refuses_is_missing_for_that_reason(clock: OwnedClock, tmp_path: Path) -> None:
    """Before the edge of the history; no command is promised to help."""
    keys = {"basic": Profile(years=2, eod_only=True)}
    with (
        living(SyntheticMarket(seed=31), now=clock, keys=keys) as vendor,
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock, key="basic", massive_plan="basic") as one,
    ):
        with pytest.raises(BarsMissing, match="before the history of the `basic` plan begins") as caught:
            one.bars("AAPL", "1d", "2024-11-01", "2024-12-10", on_gap="fetch")
        assert {gap.outcome for gap in caught.value.gaps} == {Outcome.REFUSED}
        assert "gapless" not in caught.value.hint
        assert one.bars("AAPL", "1d", "2024-11-26", "2024-12-10").gaps == ()


def test_what_nobody_wished_for_is_no_gap(house: Warehouse, vendor: Sandbox) -> None:
    """Two timeframes of one base months apart are whole; the time between them is not missing, nor ever asked for."""
    house.backfill(["AAPL"], ["5m"], "2026-09-01", "2026-09-03")
    report = house.backfill(["AAPL"], ["1h"], "2026-11-16", "2026-11-18")
    assert (report.exit_code, report.gaps, house.gaps()) == (0, 0, [])
    before = asked(vendor)
    repaired = house.repair()
    assert (repaired.exit_code, repaired.gaps, asked(vendor)) == (0, 0, before)


def test_what_is_missing_of_two_wishes_is_told_once(house: Warehouse) -> None:
    """Where timeframes of one base overlap they miss the same bars."""
    house.store.remember(
        Wish(Instrument.parse("AAPL"), TIMEFRAMES[frame], Span(MONDAY + first * DAY, MONDAY + last * DAY))
        for frame, first, last in (("5m", 0, 2), ("1h", 1, 3), ("1d", 0, 1))
    )
    assert [(gap.base, gap.start, gap.end) for gap in house.gaps()] == [
        (Base.DAY, MONDAY, MONDAY + 20 * HOUR),
        (Base.MINUTE, MONDAY + 4 * HOUR, MONDAY + 2 * DAY + 20 * HOUR),
    ]


def test_the_days_of_an_index_begin_where_the_plan_s_history_does(clock: OwnedClock, tmp_path: Path) -> None:
    """What is refused ends with a day in New York, and what is served begins with the next one."""
    keys = {"basic": Profile(years=2, eod_only=True)}
    with (
        living(SyntheticMarket(seed=31), now=clock, keys=keys) as vendor,
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock, key="basic", massive_plan="basic") as one,
    ):
        one.backfill(["I:SPX"], ["1d"], "2024-11-01", "2024-12-10")
        # The edge is Sunday 24 November 2024, 06:00 UTC; a day later it is 01:00 on Monday in New York.
        tuesday = utc("2024-11-26T05:00")
        assert [(gap.outcome, gap.end) for gap in one.gaps()] == [(Outcome.REFUSED, tuesday)]
        bars = one.bars("I:SPX", "1d", "2024-11-26", "2024-12-10")
        assert bars.parts[0].batch == truth(vendor, "I:SPX", Base.DAY, Span(tuesday, utc("2024-12-10T05:00")))


# -- finality ----------------------------------------------------------------


def test_a_session_that_has_not_settled_is_left_out(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock
) -> None:
    """In mid-session today is no gap; it is there, and marked, where it is wanted, and final an update later."""
    clock.at = utc("2026-11-23T17:30")
    house.backfill(["AAPL"], ["1m", "1d"], "2026-11-16")
    house.update()
    today = utc("2026-11-23T05:00")
    for frame in ("1m", "5m", "1h", "1d", "1w"):
        bars = house.bars("AAPL", frame, "2026-11-16", "2026-11-24")
        (every,) = house.bars("AAPL", frame, "2026-11-16", "2026-11-24", provisional=True).parts
        assert bars.parts[0].final.all()
        assert bars.gaps == ()
        assert bars.final_until == today
        assert len(every.batch) > len(bars)
        assert every.batch.take(every.final) == bars.parts[0].batch
        assert (every.batch.ts[~every.final] >= today).all() or frame == "1w"
    clock.at = NOW
    assert len(house.bars("AAPL", "1d", "2026-11-16", "2026-11-24", on_gap="mark")) == 5
    assert house.update().exit_code == 0
    minutes = house.bars("AAPL", "1m", "2026-11-23", "2026-11-24")
    assert minutes.parts[0].batch == truth(vendor, "AAPL", Base.MINUTE, Span(today, today + DAY))
    assert minutes.final_until == utc("2026-11-24T05:00")


def test_imported_bars_that_can_still_change_are_not_final(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Of a file with minutes of the current session: shown where they are wanted, and an update asks the vendor."""
    rows = ["ts,open,high,low,close,volume", *(f"2026-11-23T09:{m}-05:00,1,2,0.5,1,9" for m in (58, 59))]
    file = tmp_path / "my.csv"
    file.write_text("\n".join(rows))
    span = Span(utc("2026-11-23T14:58"), utc("2026-11-23T15:00"))
    clock.at = span.end
    house.import_(file, Layout(Base.MINUTE, symbol="AAPL"))
    asked_for = ("AAPL", "1m", span.start, span.end)
    assert house.bars(*asked_for, provisional=True).parts[0].final.tolist() == [False, False]
    assert len(house.bars(*asked_for)) == 0
    clock.at = NOW
    with pytest.raises(BarsMissing, match="AAPL 1m 2026-11-23 14:58"):
        house.bars(*asked_for)
    assert house.update().exit_code == 0
    assert house.bars(*asked_for).parts[0].batch == truth(vendor, "AAPL", Base.MINUTE, span)


def test_a_window_that_is_open_is_not_final(house: Warehouse, clock: OwnedClock) -> None:
    """A coin's minutes settle one by one: an hour is final when the last of them has, not before."""
    clock.at = utc("2026-11-20T10:30")
    house.backfill(["X:BTCUSD"], ["1m"], "2026-11-20", "2026-11-21")
    hours = house.bars("X:BTCUSD", "1h", "2026-11-20", "2026-11-21", provisional=True)
    assert hours.parts[0].final.tolist() == [True] * 9 + [False] * 2
    assert hours.final_until == utc("2026-11-20T09:00")
    assert house.bars("X:BTCUSD", "1h", "2026-11-20", "2026-11-21").final_until == utc("2026-11-20T09:00")
    assert house.bars("X:BTCUSD", "1m", "2026-11-20", "2026-11-21").final_until == utc("2026-11-20T09:30")


def test_a_reader_is_told_when_the_store_has_fallen_behind(house: Warehouse, clock: OwnedClock) -> None:
    """What was asked for without an end goes on: days later its last sessions are missing until an update."""
    house.backfill(["AAPL"], ["1d"], "2026-11-16")
    assert len(house.bars("AAPL")) == 6
    clock.at += 2 * DAY
    with pytest.raises(BarsMissing):
        house.bars("AAPL")
    house.update()
    assert len(house.bars("AAPL")) == 8


def test_the_past_is_not_fetched(house: Warehouse) -> None:
    """What a reader would have got then cannot be mended now."""
    with pytest.raises(UsageError, match="as_of"):
        house.bars("AAPL", "1d", START, END, as_of="2026-11-20", on_gap="fetch")


def test_what_is_written_while_it_is_read_is_never_a_silent_hole(
    house: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bars read before a page was stored, its ledger after: then they are told as missing, or they are there."""
    house.backfill(["AAPL"], ["1m"], START, "2026-11-10")
    fetch = house.store.fetch

    def fetched_then_written(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - the store's own
        found = fetch(*args, **options)
        monkeypatch.undo()
        house.backfill(["AAPL"], ["1m"], START, END)
        return found

    monkeypatch.setattr(house.store, "fetch", fetched_then_written)
    bars = house.bars("AAPL", "1m", START, END, on_gap="mark")
    assert len(bars) < len(house.bars("AAPL", "1m", START, END))
    assert bars.gaps


def test_what_an_update_read_since_the_last_day_makes_nothing_missing(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """A coin whose update ended in the middle of a day is read without an end minutes later, and fetched with one."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as house:
        house.backfill(["X:BTCUSD"], ["1m", "1h"], "2026-11-20")
        house.update()
        late = clock.at - 10 * MINUTE, clock.at + 5 * MINUTE
        clock.at += 70 * MINUTE  # by now most of what was read too early can be final
        assert house.bars("X:BTCUSD", "1h").gaps == ()
        assert int(house.bars("X:BTCUSD", "1m").parts[0].batch.ts[-1]) > clock.at // DAY * DAY
        with pytest.raises(BarsMissing, match="before the session had settled") as refused:
            house.bars("X:BTCUSD", "1m", *late)
        assert "gapless backfill X:BTCUSD" in refused.value.hint
        assert "repair" not in refused.value.hint
        fetched = house.bars("X:BTCUSD", "1m", *late, on_gap="fetch").parts[0].batch
        assert fetched == truth(vendor, "X:BTCUSD", Base.MINUTE, Span(*late))
