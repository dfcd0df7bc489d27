"""What many small updates leave behind in a packed store: few pieces, and all that was ever read."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.living import NOW, OwnedClock, living, store_url, truth, utc, warehouse
from gapless.sandbox import SyntheticMarket
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from stores.making import file_of


@pytest.mark.parametrize("base", Base)
def test_three_weeks_of_updates_leave_a_handful_of_segments(tmp_path: Path, base: Base) -> None:
    """Every night brings a small segment; the run that finds eight of them makes one, and the bars are the vendor's."""
    clock, url = OwnedClock(at=NOW - 22 * DAY), store_url(tmp_path, "packed")
    with living(SyntheticMarket(seed=3), now=clock) as sandbox:
        with warehouse(sandbox.url, url, clock) as house:
            house.backfill(["X:BTCUSD"], [base], "2026-10-20")
            moment, then = clock.at, house.bars("X:BTCUSD", base, "2026-10-20").parts[0].batch
        for _ in range(22):
            clock.at += DAY
            with warehouse(sandbox.url, url, clock) as house:
                assert house.update().exit_code == 0
        with closing(sqlite3.connect(file_of(url))) as db:
            pieces = db.execute("SELECT count(*) FROM segment").fetchone()[0]
        with warehouse(sandbox.url, url, clock) as house:
            now = house.bars("X:BTCUSD", base, "2026-10-20", "2026-11-15").parts[0].batch
            earlier = house.bars("X:BTCUSD", base, "2026-10-20", as_of=moment, on_gap="mark").parts[0].batch
        span = Span(utc("2026-10-20"), utc("2026-11-15"))
        assert now == truth(sandbox, "X:BTCUSD", base, span)
    assert earlier == then
    assert pieces < 13
