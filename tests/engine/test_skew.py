"""Our clock beside the vendor's, in answers written by hand."""

from pathlib import Path

import pytest

from engine.living import NOW, OwnedClock, living, store_url, warehouse
from gapless.engine.skew import ahead_of_vendor, made_at, recorded_at
from gapless.sandbox import SyntheticMarket
from gapless.vocabulary.events import ClockSkewed, Event
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Answer, Page, Request
from gapless.vocabulary.timeframe import DAY

REQUEST = Request("https://vendor.test/bars", AssetClass.STOCKS)
AT = 1_800_000_000_000


@pytest.mark.parametrize(
    ("dated", "seconds", "ahead"),
    [
        (None, 0.1, 0),
        (AT, 0.1, 0),
        (AT - 1000, 0.5, 0),
        (AT - 2000, 0.0, 1000),
        (AT - 61_000, 0.0, 60_000),
        (AT - 61_000, 90.0, 0),
        (AT + 7000, 0.1, -7000),
    ],
    ids=["no date", "same", "cut to a second", "a second", "a minute", "a slow answer", "behind"],
)
def test_only_what_the_answer_shows_is_a_difference(dated: int | None, seconds: float, ahead: int) -> None:
    """The vendor's date lies between the question and the last byte, and is cut to whole seconds."""
    assert ahead_of_vendor(Answer(REQUEST, b"", "", "", AT, seconds, dated)) == ahead


@pytest.mark.parametrize(
    ("dated", "made", "recorded"),
    [
        (None, AT, AT),
        (AT - 900, AT - 900, AT),
        (AT - 60_000, AT - 60_000, AT),
        (AT - 60_001, AT - 60_001, AT - 60_001),
        (AT + DAY, AT, AT),
    ],
)
def test_the_earlier_clock_tells_when_bars_were_made(dated: int | None, made: int, recorded: int) -> None:
    """What is written into the ledger is our own time unless that is more than a minute ahead."""
    page = Page(REQUEST, b"", "", "", AT, 0, dated)
    assert (made_at(page), recorded_at(page)) == (made, recorded)


def test_a_wrong_clock_is_told_once_a_run(tmp_path: Path) -> None:
    """As one event with the seconds, and as one problem of the report."""
    heard: list[Event] = []
    ours = OwnedClock(at=NOW + 3_600_000)
    with (
        living(SyntheticMarket(seed=1), now=OwnedClock()) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "packed"), ours) as house,
    ):
        report = house.backfill(
            ["AAPL", "X:BTCUSD"], ["1m", "1d"], "2026-11-18", "2026-11-20", tell=heard.append
        )
    told = [event.seconds for event in heard if isinstance(event, ClockSkewed)]
    assert [round(seconds / 100) for seconds in told] == [36]
    assert ["ahead of the vendor's" in problem for problem in report.problems] == [True]
    assert report.exit_code == 0
