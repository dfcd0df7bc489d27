"""Splits and dividends: the store has the vendor's list as it was last read whole."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from engine.living import KINDS, OwnedClock, living, store_url, utc, warehouse
from gapless import DoubtfulAdjustmentWarning, Layout
from gapless.app import Warehouse
from gapless.sandbox import Dividend, Sandbox, Split, SyntheticMarket
from gapless.vocabulary.timeframe import DAY, Base

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


def own_days(folder: Path) -> Path:
    """A file of two days with Nvidia's split between them."""
    rows = ["2024-06-07,1200,1210,1190,1205,1000", "2024-06-10,120,121,119,120.5,10000"]
    own = folder / "own.csv"
    own.write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")
    return own


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


def test_splits_that_a_limit_left_unread_are_read_by_the_next_run(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Until then bars adjusted for them come with a warning; no bar is asked for again."""
    asked_for = (["NVDA"], ["1d"], "2024-05-01", "2024-07-01")
    store = store_url(tmp_path, "packed")
    with warehouse(vendor.url, store, clock, max_requests="1") as house:
        report = house.backfill(*asked_for)
        assert [words.split(":")[0] for words in report.problems] == [
            "splits were not read",
            "dividends were not read",
        ]
    with warehouse(vendor.url, store, clock) as house:
        raw = house.bars("NVDA", "1d")
        with pytest.warns(
            DoubtfulAdjustmentWarning, match="splits of NVDA were never .* `gapless repair NVDA`"
        ):
            assert house.bars("NVDA", "1d", adjust="splits").polars().equals(raw.polars())
        again = house.backfill(*asked_for)
        assert (again.requests, again.action_requests, again.problems) == (0, 2, ())
        assert ("2024-06-10", "split", 10.0) in held(house, "NVDA")
        split = house.bars("NVDA", "1d", adjust="splits")
        assert split.parts[0].batch.close[0] == pytest.approx(raw.parts[0].batch.close[0] / 10)


@kinds
def test_what_was_read_is_not_read_again_without_bars_to_ask_for(
    vendor: Sandbox, market: Announced, clock: OwnedClock, tmp_path: Path, kind: str
) -> None:
    """Not a request goes out, also where a stock has no splits and no dividends; a coin never has any."""
    market.stated["NVDA"] = ([], [])
    asked_for = (["MSFT", "NVDA", "X:BTCUSD"], ["1d"], "2024-05-01", "2024-07-01")
    with warehouse(vendor.url, store_url(tmp_path, kind), clock) as house:
        house.backfill(*asked_for)
        before = vendor.stats["total"]
        assert house.plan(*asked_for).action_requests == 0
        for again in (house.backfill(*asked_for), house.repair()):
            assert (again.requests, again.action_requests, again.exit_code) == (0, 0, 0)
        assert vendor.stats["total"] == before
        house.bars("NVDA", "1d", adjust="splits")  # a warning would fail this test


@pytest.mark.parametrize("run", ["repair", "update"])
def test_splits_under_imported_days_are_read(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path, run: str
) -> None:
    """Days of one's own over a split come without it; the next run of any kind knows it."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as house:
        house.import_(own_days(tmp_path), Layout(Base.DAY, {"ts": "date"}, symbol="NVDA"))
        dates = ("2024-06-07", "2024-06-11")
        with pytest.warns(DoubtfulAdjustmentWarning, match="splits and dividends of NVDA were never read"):
            house.bars("NVDA", "1d", *dates, adjust="all", on_gap="mark")
        assert getattr(house, run)().problems == ()
        closes = house.bars("NVDA", "1d", *dates, adjust="splits").parts[0].batch.close
        assert closes.tolist() == [120.5, 120.5]


class Lists(BaseHTTPRequestHandler):
    """Answers of a vendor with four splits, two a page; while it is `looping`, the first page points to itself."""

    protocol_version = "HTTP/1.1"
    looping = True
    rows: ClassVar = [
        {"ticker": "NVDA", "execution_date": day, "split_from": 1, "split_to": after, "id": day}
        for day, after in (("2000-06-27", 2), ("2001-09-12", 2), ("2021-07-20", 4), ("2024-06-10", 10))
    ]

    def do_GET(self) -> None:
        """A page of splits, or no dividends."""
        first, body = "cursor" not in self.path, dict[str, object](status="OK", results=[])
        if "/splits" in self.path:
            body["results"] = self.rows[:2] if first else self.rows[2:]
        if "/splits" in self.path and first:
            following = self.path if Lists.looping else f"{urlsplit(self.path).path}?cursor=2"
            body["next_url"] = f"http://{self.headers['Host']}{following}"
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def lists() -> Iterator[str]:
    """The address of a vendor by hand, who has `Lists` and no bars."""
    Lists.looping = True
    with ThreadingHTTPServer(("127.0.0.1", 0), Lists) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_list_whose_next_page_is_itself_is_not_read(lists: str, clock: OwnedClock, tmp_path: Path) -> None:
    """The run says so, and nothing of it counts; the next run, when the vendor is well again, has all of it."""
    with warehouse(lists, store_url(tmp_path, "packed"), clock) as house:
        house.import_(own_days(tmp_path), Layout(Base.DAY, {"ts": "date"}, symbol="NVDA"))
        report = house.repair()
        assert report.problems == ("splits were not read: splits: the vendor sent the same next page twice",)
        assert held(house, "NVDA") == []
        Lists.looping = False
        assert house.repair().problems == ()
        assert [ratio for _, _, ratio in held(house, "NVDA")] == [2.0, 2.0, 4.0, 10.0]
