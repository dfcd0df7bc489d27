"""Adjusted bars are a view: prices go on over a split, volumes the other way, and nothing stored changes."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.slowly import assert_same, slow_bars
from engine.living import OwnedClock, living, store_url, stored, utc, warehouse
from gapless import DoubtfulAdjustmentWarning
from gapless.app import Warehouse
from gapless.sandbox import SyntheticMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import CorporateAction
from gapless.vocabulary.timeframe import DAY, Base

SPLIT = utc("2024-06-10T04:00")
"""Nvidia, ten for one, on a Monday."""
START, END = "2024-05-01", "2024-07-01"
SPAN = Span(utc("2024-05-01T04:00"), utc("2024-07-01T04:00"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Two months around a split, with a dividend in each quarter; tests that change it put it back."""
    clock = OwnedClock(at=utc("2024-07-10T06:00"))
    with (
        living(SyntheticMarket(seed=41), now=clock) as vendor,
        warehouse(vendor.url, store_url(tmp_path_factory.mktemp("splits"), "packed"), clock) as one,
    ):
        assert one.backfill(["NVDA"], ["1m", "1d"], START, END).exit_code == 0
        yield one


def by_hand(raw: Batch, ratio: int, at: int) -> Batch:
    """Divide the prices before an instant, and multiply the volumes."""
    before = raw.ts < at
    numbers = {
        name: np.where(before, raw.columns[name] / ratio, raw.columns[name])
        for name in ("open", "high", "low", "close", "vwap")
    }
    return replace(raw, volume=np.where(before, raw.volume * ratio, raw.volume), **numbers)


def test_closes_go_on_over_a_split(house: Warehouse) -> None:
    """The raw close falls to a tenth overnight, the adjusted one by no more than a day's news."""
    raw = house.bars("NVDA", "1d", START, END).parts[0].batch
    view = house.bars("NVDA", "1d", START, END, adjust="splits").parts[0].batch
    at = int(raw.ts.searchsorted(SPLIT))
    assert raw.ts[at] == SPLIT
    assert raw.close[at] / raw.close[at - 1] == pytest.approx(0.1, rel=0.2)
    assert view.close[at] / view.close[at - 1] == pytest.approx(1.0, rel=0.2)
    assert view == by_hand(raw, 10, SPLIT)


@pytest.mark.parametrize("frame", ["1w", "1mo"])
def test_a_week_across_a_split_is_made_of_adjusted_days(house: Warehouse, frame: str) -> None:
    """Its high and low are on the shares of today, not of both worlds."""
    days = by_hand(stored(house, "NVDA", Base.DAY, SPAN), 10, SPLIT)
    view = house.bars("NVDA", frame, START, END, adjust="splits", provisional=True)
    assert_same(view.parts[0].batch, [row for row in slow_bars(days, frame) if row[0] >= SPAN.start])


def test_minutes_are_adjusted_before_they_are_joined(house: Warehouse) -> None:
    """Also in a part of the session."""
    minutes = by_hand(stored(house, "NVDA", Base.MINUTE, SPAN), 10, SPLIT)
    view = house.bars("NVDA", "30m", START, END, session="regular", adjust="splits")
    assert_same(view.parts[0].batch, slow_bars(minutes, "30m", "regular"))


def test_dividends_come_off_the_prices_alone(house: Warehouse) -> None:
    """By 1 - cash / close before, exactly on the ex date; volumes are those of the splits."""
    splits = house.bars("NVDA", "1d", START, END, adjust="splits").parts[0].batch
    every = house.bars("NVDA", "1d", START, END, adjust="all").parts[0].batch
    (dividend,) = [one for one in house.actions("NVDA") if one.kind == "dividend" and "2024-05" in one.date]
    ex = utc(f"{dividend.date}T04:00")
    at = int(splits.ts.searchsorted(ex))
    raw = stored(house, "NVDA", Base.DAY, SPAN)
    kept = 1 - Fraction(dividend.cash) / Fraction(float(raw.close[at - 1]))
    assert every.close[at:].tolist() == splits.close[at:].tolist()
    np.testing.assert_allclose(every.close[:at], splits.close[:at] * float(kept), rtol=1e-12)
    assert every.volume.tolist() == splits.volume.tolist()


def test_dividends_need_no_stored_days(house: Warehouse, tmp_path: Path) -> None:
    """Where only minutes are stored, the closes before the ex dates are those of the regular session."""
    with warehouse(
        house.settings.base_url, store_url(tmp_path, "packed"), OwnedClock(at=utc("2024-07-10T06:00"))
    ) as one:
        one.backfill(["NVDA"], ["1m"], START, END)
        (mine,) = [j for j in one.judged("NVDA") if j.kind == "dividend" and "2024-05" in j.date]
        minutes = one.bars("NVDA", "1d", START, END, session="regular").parts[0].batch
        close = minutes.close[minutes.ts.searchsorted(mine.at) - 1]
        (action,) = [a for a in one.actions("NVDA") if a.kind == "dividend" and "2024-05" in a.date]
        assert mine.kept == 1 - Fraction(action.cash) / Fraction(float(close))


def test_every_split_has_a_verdict(house: Warehouse) -> None:
    """The one in the stored time is confirmed by the prices; older ones are taken at the vendor's word."""
    verdicts = {one.date: one.verdict.value for one in house.judged("NVDA", "splits")}
    assert verdicts["2024-06-10"] == "confirmed"
    assert verdicts["2021-07-20"] == "taken"


def test_a_new_split_changes_no_stored_byte(tmp_path: Path) -> None:
    """Only the view: the raw bars, their versions and their segments stay as they were."""
    clock = OwnedClock(at=utc("2026-10-10T06:00"))
    with (
        living(SyntheticMarket(seed=42), now=clock) as vendor,
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one,
    ):
        one.backfill(["MSFT"], ["1d"], "2026-09-01", "2026-10-01")
        before = rows_of(tmp_path / "market.gapless")
        raw = one.bars("MSFT", "1d")
        split = CorporateAction("MSFT", "split", "2026-09-14", "made-up", ratio_from="1", ratio_to="2")
        assert one.store.put_actions("split", ["MSFT"], [split], read=clock.at) == 1
        assert rows_of(tmp_path / "market.gapless") == before
        assert one.bars("MSFT", "1d").polars().equals(raw.polars())
        # The prices did not move on that day, so the row is not believed, and the reader is told.
        with pytest.warns(DoubtfulAdjustmentWarning, match="MSFT: the split of 2026-09-14 is contradicted"):
            view = one.bars("MSFT", "1d", adjust="splits")
        assert view.polars().equals(raw.polars())
        (judged,) = one.judged("MSFT", "splits")
        assert judged.verdict.flagged


def rows_of(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table of a store but those of the actions and of when they were read."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: db.execute(f"SELECT * FROM {name}").fetchall()
            for name in names
            if name not in ("action", "meta")
        }


def test_a_split_of_tomorrow_is_not_applied(tmp_path: Path) -> None:
    """As of a day before it the bars are those of then; crypto knows no splits at all."""
    clock = OwnedClock(at=utc("2024-06-08T06:00"))
    with (
        living(SyntheticMarket(seed=41), now=clock) as vendor,
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one,
    ):
        one.backfill(["NVDA", "X:BTCUSD"], ["1d"], "2024-06-01")
        clock.at += 7 * DAY
        one.update()
        friday = one.bars("NVDA", "1d", "2024-06-03", "2024-06-08")
        then = one.bars("NVDA", "1d", "2024-06-03", "2024-06-08", adjust="splits", as_of="2024-06-09")
        now = one.bars("NVDA", "1d", "2024-06-03", "2024-06-08", adjust="splits")
        assert then.polars().equals(friday.polars())
        assert now.parts[0].batch == by_hand(friday.parts[0].batch, 10, SPLIT)
        coin = one.bars("X:BTCUSD", "1d", "2024-06-01", "2024-06-08")
        assert (
            one.bars("X:BTCUSD", "1d", "2024-06-01", "2024-06-08", adjust="all")
            .polars()
            .equals(coin.polars())
        )


def test_an_export_is_made_again_once_a_split_is_applied(tmp_path: Path) -> None:
    """A split that was listed before its day changes years whose bars did not: they are not left on the old basis."""
    clock = OwnedClock(at=utc("2024-06-05T06:00"))
    with (
        living(SyntheticMarket(seed=41), now=clock) as vendor,
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one,
    ):
        one.backfill(["NVDA"], ["1d"], "2023-10-01")
        ahead = CorporateAction("NVDA", "split", "2024-06-10", "ahead", ratio_from="1", ratio_to="10")
        splits = [action for action in one.store.actions("NVDA") if action.kind == "split"]
        if all(split.date != ahead.date for split in splits):
            one.store.put_actions("split", ["NVDA"], [*splits, ahead], read=clock.at)
        one.export(tmp_path / "old", "csv", ["NVDA"], ["1d"], adjust="splits")
        clock.at = utc("2024-07-10T06:00")
        one.update()
        for folder in ("old", "new"):
            one.export(tmp_path / folder, "csv", ["NVDA"], ["1d"], adjust="splits")
    old, new = (sorted((tmp_path / name).rglob("bars.csv")) for name in ("old", "new"))
    assert [file.read_bytes() for file in old] == [file.read_bytes() for file in new]
    assert len(new) == 2


def test_splits_go_along_into_a_database(house: Warehouse, tmp_path: Path) -> None:
    """What was exported as a store of its own is adjusted there as here, without a word of doubt."""
    out = tmp_path / "market_data.db"
    house.export(out, "sqlite", ["NVDA"], ["1d"])
    with warehouse("http://127.0.0.1:9", f"sqlite:///{out}", OwnedClock(at=utc("2024-07-10T06:00"))) as copy:
        for adjust in ("splits", "all"):
            here = house.bars("NVDA", "1d", START, END, adjust=adjust)
            assert copy.bars("NVDA", "1d", START, END, adjust=adjust).polars().equals(here.polars())
