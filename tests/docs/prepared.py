"""The stores that how-to pages go on with."""

from pathlib import Path

from engine.living import OwnedClock, living, utc, warehouse
from gapless.app import Warehouse
from gapless.sandbox import Market, SyntheticMarket
from gapless.sandbox.plants import PlantedMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.timeframe import DAY, Base

NAME = "market.gapless"


def quarter(store: Path) -> None:
    """A quarter of two stocks and a coin, much as the tutorial leaves it."""
    with living(SyntheticMarket()) as sandbox, warehouse(sandbox.url, str(store), OwnedClock()) as house:
        _fill(house, "AAPL", "MSFT", "X:BTCUSD")


def planted(store: Path) -> None:
    """The same two stocks from a vendor that lets bad prints through."""
    market: Market = PlantedMarket(SyntheticMarket(), seed=3, rate=0.0001)
    with living(market) as sandbox, warehouse(sandbox.url, str(store), OwnedClock()) as house:
        _fill(house, "AAPL", "MSFT")


def revised(store: Path) -> None:
    """A week that was read once and once more a day later, with a correction in between."""
    clock = OwnedClock(utc("2026-10-06T02:00"))
    with (
        living(SyntheticMarket(), now=clock) as sandbox,
        warehouse(sandbox.url, str(store), clock) as house,
    ):
        assert house.backfill(["AAPL"], ["1m", "1d"], "2026-09-28").exit_code == 0
        late = utc("2026-10-02T14:31")
        sandbox.market.revise(Instrument.parse("AAPL"), Base.MINUTE, late, low=237.31, volume=181_344.0)
        clock.at += DAY
        assert house.update().exit_code == 0


PREPARED = {"as-of": revised, "quality": planted}
"""What a how-to page begins with; `quarter` where nothing is named."""


def _fill(house: Warehouse, *symbols: str) -> None:
    assert house.backfill(symbols, ["5m", "1d"], "2026-07-01", "2026-10-01").exit_code == 0
