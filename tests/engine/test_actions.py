"""Splits and dividends: the store has the vendor's list as it was last read whole."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from engine.living import KINDS, OwnedClock, living, store_url, utc, warehouse
from gapless.app import Warehouse
from gapless.sandbox import Dividend, Sandbox, Split, SyntheticMarket
from gapless.vocabulary.timeframe import DAY

kinds = pytest.mark.parametrize("kind", KINDS)


class Announced(SyntheticMarket):
    """A market whose vendor states splits and dividends as a test says."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.stated: dict[str, tuple[Sequence[Split], Sequence[Dividend]]] = {}

    def splits(self, ticker: str) -> Sequence[Split]:
        """As stated at this moment."""
        return self.stated[ticker][0] if ticker in self.stated else super().splits(ticker)

    def dividends(self, ticker: str) -> Sequence[Dividend]:
        """As stated at this moment."""
        return self.stated[ticker][1] if ticker in self.stated else super().dividends(ticker)


@pytest.fixture
def clock() -> OwnedClock:
    """A month after Nvidia's split of 10 June 2024."""
    return OwnedClock(at=utc("2024-07-10T06:00"))


@pytest.fixture
def market() -> Announced:
    """A made-up market."""
    return Announced(seed=41)


@pytest.fixture
def vendor(market: Announced, clock: OwnedClock) -> Iterator[Sandbox]:
    """Its vendor."""
    with living(market, now=clock) as sandbox:
        yield sandbox


def held(house: Warehouse, ticker: str) -> list[tuple[str, str, float]]:
    """Date, kind and number of every split and dividend in the store."""
    return [
        (one.date, one.kind, float(one.cash or 0) or float(one.ratio_to) / float(one.ratio_from))
        for one in house.actions(ticker)
    ]


@kinds
def test_a_corrected_split_or_dividend_takes_the_place_of_the_wrong_one(
    vendor: Sandbox, market: Announced, clock: OwnedClock, tmp_path: Path, kind: str
) -> None:
    """Also under a new id, as the vendor gives to another date or amount; what was withdrawn goes."""
    with warehouse(vendor.url, store_url(tmp_path, kind), clock) as house:
        market.stated["MSFT"] = (
            [Split(date(2024, 6, 3), 1, 3)],
            [Dividend(date(2024, 5, 15), 0.75), Dividend(date(2024, 6, 14), 0.2)],
        )
        house.backfill(["MSFT", "NVDA"], ["1d"], "2024-06-01")
        others = house.actions("NVDA")
        market.stated["MSFT"] = ([Split(date(2024, 6, 4), 1, 3)], [Dividend(date(2024, 5, 15), 0.57)])
        clock.at += DAY
        assert house.update().problems == ()
        assert held(house, "MSFT") == [("2024-05-15", "dividend", 0.57), ("2024-06-04", "split", 3.0)]
        assert house.actions("NVDA") == others
        market.stated["MSFT"] = ([], [])
        clock.at += DAY
        house.update()
        assert held(house, "MSFT") == []
