"""The aggregates endpoint: what `limit` counts, where pages end, which windows there are, and what is seen when."""

import base64
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.sandbox import Pinned, ReplayMarket, Sandbox, Split, SyntheticMarket
from gapless.sandbox.windows import Grid, Unit, cut, snap
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from sandbox.plain_client import NOW, Client, client_of, utc

AAPL, BTC = Instrument.parse("AAPL"), Instrument.parse("X:BTCUSD")
HOUR = 60 * MINUTE


def made(stamps: list[int]) -> Batch:
    """Bars at these instants; prices count up, volume 10, vwap the price, 2 trades."""
    price = 100 + np.arange(len(stamps), dtype=np.float64)
    ten, two = np.full(len(stamps), 10.0), np.full(len(stamps), 2)
    return Batch(np.array(stamps, np.int64), price, price + 0.5, price - 0.5, price + 0.25, ten, price, two)


def minutes(day: str, first: int, last: int) -> list[int]:
    """Every minute of a UTC day from `first` up to and without `last`, counted from midnight."""
    return [utc(day) + minute * MINUTE for minute in range(first, last)]


def aggs(ticker: str, rest: str, start: str, end: str, query: str = "") -> str:
    """The path of a request for bars."""
    return f"/v2/aggs/ticker/{ticker}/range/{rest}/{start}/{end}?{query}"


def cursor_of(url: str) -> str:
    """What the cursor of a URL says."""
    text = url.partition("cursor=")[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def same_bars(pages: list[dict[str, Any]], truth: Batch) -> bool:
    """Whether the rows of all pages are these bars, number for number."""
    rows = [row for page in pages for row in page.get("results", ())]
    keys = {
        "t": truth.ts,
        "o": truth.open,
        "h": truth.high,
        "l": truth.low,
        "c": truth.close,
        "v": truth.volume,
    }
    return all([row[key] for row in rows] == column.tolist() for key, column in keys.items())


# -- pages -------------------------------------------------------------------


async def test_a_chain_of_pages_is_the_truth(client: Client, sandbox: Sandbox) -> None:
    """Three weeks of minutes in pages of 5,000, bar by bar."""
    span = Span(utc("2026-09-01T04:00"), utc("2026-09-22T04:00"))
    pages = await client.chain(
        aggs("AAPL", "1/minute", "2026-09-01", "2026-09-21", "adjusted=false&limit=5000")
    )
    assert same_bars(pages, sandbox.truth(AAPL, Base.MINUTE, span))
    assert [page["queryCount"] for page in pages[:-1]] == [5000] * (len(pages) - 1)
    assert all(page["count"] == page["resultsCount"] == len(page["results"]) for page in pages)
    assert not any(page["adjusted"] for page in pages)


async def test_the_path_moves_on_and_only_the_cursor_stays(client: Client) -> None:
    """Five days from 2024-01-01 end on the 8th; the next page starts at midnight of the 9th in New York."""
    page = (await client.get(aggs("AAPL", "1/day", "2024-01-01", "2024-06-30", "limit=5"))).json
    expected = "/v2/aggs/ticker/AAPL/range/1/day/1704776400000/2024-06-30?cursor=bGltaXQ9NSZzb3J0PWFzYw"
    assert page["next_url"] == client.url + expected


async def test_the_next_page_starts_where_the_last_window_ended_not_at_the_next_session(
    client: Client,
) -> None:
    """After Friday 2020-01-03 comes Saturday, 1578114000000."""
    page = (await client.get(aggs("AAPL", "1/day", "2020-01-02", "2020-12-31", "limit=2"))).json
    assert "/1578114000000/2020-12-31?" in page["next_url"]


async def test_the_cursor_is_the_query_with_the_defaults_written_out(client: Client) -> None:
    """`adjusted` is named only when it is false; the limit always is."""
    raw = (
        await client.get(aggs("X:BTCUSD", "1/minute", "2026-01-01", "2026-02-01", "adjusted=false&limit=9"))
    ).json
    usual = (await client.get(aggs("X:BTCUSD", "1/minute", "2026-01-01", "2026-02-01"))).json
    assert cursor_of(raw["next_url"]) == "adjusted=false&limit=9&sort=asc"
    assert cursor_of(usual["next_url"]) == "limit=5000&sort=asc"


async def test_newest_first_moves_the_end(client: Client, sandbox: Sandbox) -> None:
    """Descending pages replace `to` by the last millisecond that is still to come; together they are the truth."""
    path = aggs("X:BTCUSD", "1/minute", "2026-03-01", "2026-03-01", "adjusted=false&sort=desc&limit=500")
    pages = await client.chain(path)
    oldest = pages[0]["results"][-1]["t"]
    assert f"/2026-03-01/{oldest - 1}?" in pages[0]["next_url"]
    rows = [row["t"] for page in pages for row in page["results"]]
    day = Span(utc("2026-03-01"), utc("2026-03-02"))
    assert rows[::-1] == sandbox.truth(BTC, Base.MINUTE, day).ts.tolist()


async def test_limit_counts_base_bars_and_a_cut_window_waits_for_the_next_page() -> None:
    """Hours over complete minutes, limit 100: one hour of 60 is returned, the 40 minutes of the next are not."""
    market = ReplayMarket({(BTC, Base.MINUTE): made(minutes("2026-03-01", 0, 240))})
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        pages = await client.chain(aggs("X:BTCUSD", "1/hour", "2026-03-01", "2026-03-01", "limit=100"))
    assert [[row["t"] for row in page["results"]] for page in pages[:2]] == [
        [utc("2026-03-01T00:00")],
        [utc("2026-03-01T01:00")],
    ]
    assert [page["queryCount"] for page in pages] == [60, 60, 60, 60]


async def test_an_hour_of_a_thousand_minutes_as_the_vendor_answered_it() -> None:
    """16 hours of one day and 4 of the next: 20 bars with limit 1000, the last at 07:00 in New York."""
    stamps = [s + 9 * HOUR for s in minutes("2020-01-02", 0, 960)] + [
        s + 9 * HOUR for s in minutes("2020-01-03", 0, 960) if s % (6 * MINUTE) == 0
    ]
    market = ReplayMarket({(AAPL, Base.MINUTE): made(stamps)})
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        page = (await client.get(aggs("AAPL", "1/hour", "2020-01-01", "2020-01-31", "limit=1000"))).json
    assert page["resultsCount"] == 20
    assert page["results"][-1]["t"] == utc("2020-01-03T12:00")


async def test_one_window_larger_than_the_limit_comes_whole() -> None:
    """There is always progress."""
    market = ReplayMarket({(BTC, Base.MINUTE): made(minutes("2026-03-01", 0, 180))})
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        pages = await client.chain(aggs("X:BTCUSD", "1/hour", "2026-03-01", "2026-03-01", "limit=7"))
    assert [page["queryCount"] for page in pages if "results" in page] == [60, 60, 60]


async def test_an_empty_last_page_has_no_results_and_no_count() -> None:
    """The bars end exactly where the page is full: the page after it is empty."""
    market = ReplayMarket({(BTC, Base.MINUTE): made(minutes("2026-03-01", 0, 10))})
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        full, empty = await client.chain(aggs("X:BTCUSD", "1/minute", "2026-03-01", "2026-03-01", "limit=10"))
    assert full["count"] == 10
    assert list(empty) == ["ticker", "queryCount", "resultsCount", "adjusted", "status", "request_id"]


async def test_more_than_the_most_is_the_most(client: Client) -> None:
    """A limit of 500,000 is taken for 50,000."""
    page = (await client.get(aggs("X:BTCUSD", "1/minute", "2026-01-01", "2026-03-01", "limit=500000"))).json
    assert page["queryCount"] == 50_000


# -- windows -----------------------------------------------------------------


async def test_windows_of_several_minutes_are_counted_from_the_start_that_was_asked(client: Client) -> None:
    """Five-minute bars from 13:03 begin at 13:03, 13:08 and so on."""
    start = utc("2026-03-02T13:03")
    page = (await client.get(aggs("X:BTCUSD", "5/minute", str(start), "2026-03-02"))).json
    assert {(row["t"] - start) % (5 * MINUTE) for row in page["results"]} == {0}
    assert page["results"][0]["t"] == start


async def test_weeks_start_on_sunday_and_months_on_the_first(client: Client) -> None:
    """In New York time, over a change of the clocks."""
    weeks = (await client.get(aggs("AAPL", "1/week", "2024-03-04", "2024-03-20"))).json["results"]
    assert [row["t"] for row in weeks] == [
        utc("2024-03-03T05:00"),
        utc("2024-03-10T05:00"),
        utc("2024-03-17T04:00"),
    ]
    months = (await client.get(aggs("AAPL", "1/month", "2024-03-04", "2024-04-02"))).json["results"]
    assert [row["t"] for row in months] == [utc("2024-03-01T05:00"), utc("2024-04-01T04:00")]


async def test_a_window_sums_up_its_base_bars() -> None:
    """First open, highest high, lowest low, last close, sums, and the price weighted by volume."""
    market = ReplayMarket({(BTC, Base.MINUTE): made(minutes("2026-03-01", 0, 3))})
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        (row,) = (await client.get(aggs("X:BTCUSD", "1/hour", "2026-03-01", "2026-03-01"))).json["results"]
    assert row == {
        "v": 30,
        "vw": 101,
        "o": 100,
        "c": 102.25,
        "h": 102.5,
        "l": 99.5,
        "t": utc("2026-03-01"),
        "n": 6,
    }


@pytest.mark.parametrize(
    ("ticker", "day", "stamp"),
    [
        ("AAPL", "2005-04-01", "2005-04-01T05:00"),
        ("AAPL", "2005-04-04", "2005-04-04T04:00"),
        ("X:BTCUSD", "2024-04-01", "2024-04-01T00:00"),
        ("I:SPX", "2023-03-09", "2023-03-09T06:00"),
    ],
)
async def test_a_day_starts_at_midnight_of_its_market(
    client: Client, ticker: str, day: str, stamp: str
) -> None:
    """New York for stocks, UTC for crypto, Chicago for indices."""
    (row,) = (await client.get(aggs(ticker, "1/day", day, day))).json["results"]
    assert row["t"] == utc(stamp)


@given(
    marks=st.sets(st.integers(0, 400), max_size=60),
    multiplier=st.integers(1, 45),
    limit=st.integers(1, 70),
    ascending=st.booleans(),
)
@settings(deadline=None)
def test_pages_lose_nothing_and_repeat_nothing(
    marks: set[int], multiplier: int, limit: int, *, ascending: bool
) -> None:
    """Whatever the limit, the pages together are the windows of one page that holds everything."""
    base = made([utc("2026-03-01") + mark * MINUTE for mark in sorted(marks)])
    whole = Span(utc("2026-03-01"), utc("2026-03-01") + 405 * MINUTE)
    grid = Grid(Unit.MINUTE, multiplier, whole.start, "UTC")
    everything = cut(base.between, grid, whole, 1000, ascending=True).bars
    rest: Span | None = whole
    pages: list[Batch] = []
    while rest is not None:
        page = cut(base.between, grid, rest, limit, ascending=ascending)
        pages.append(page.bars)
        rest = page.rest
    assert Batch.concat(pages if ascending else pages[::-1]) == everything


@given(
    st.sampled_from(list(Unit)), st.sampled_from(["UTC", "America/New_York"]), st.integers(0, 25_000 * DAY)
)
def test_an_instant_is_inside_its_unit(unit: Unit, zone: str, instant: int) -> None:
    """From the start of its unit up to the start of the next; a start is its own start."""
    start, end = snap(unit, zone, instant), snap(unit, zone, instant, units=1)
    assert start <= instant < end
    assert snap(unit, zone, start) == start
    assert snap(unit, zone, end) == end


def test_calendar_windows_touch_each_other() -> None:
    """Every third month from November 2023: the end of one window is the start of the next."""
    grid = Grid(Unit.MONTH, 3, utc("2023-11-01T04:00"), "America/New_York")
    starts = [grid.start(n) for n in range(3)]
    assert starts == [utc("2023-11-01T04:00"), utc("2024-02-01T05:00"), utc("2024-05-01T04:00")]
    assert all(grid.end(n) == later for n, (_, later) in enumerate(pairwise(starts)))


# -- adjusted, unfinished, unknown --------------------------------------------


async def test_adjusted_prices_are_on_the_shares_of_today() -> None:
    """40.89 before splits of 7 and 4 is 1.4604, its volume 28-fold, as the vendor recorded it for 2005-04-01."""
    price = np.array([40.89])
    day = Batch(
        np.array([utc("2005-04-01T05:00")]),
        price,
        price,
        price,
        price,
        np.array([1000.0]),
        price,
        np.array([5]),
    )
    splits = {"AAPL": [Split(date(2014, 6, 9), 1, 7), Split(date(2020, 8, 31), 1, 4)]}
    market = ReplayMarket({(AAPL, Base.DAY): day}, splits=splits)
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        path = aggs("AAPL", "1/day", "2005-04-01", "2005-04-01")
        (adjusted,) = (await client.get(path)).json["results"]
        (raw,) = (await client.get(path + "adjusted=false")).json["results"]
    assert (adjusted["c"], adjusted["vw"], adjusted["v"]) == (1.4604, 1.4604, 28_000)
    assert (raw["c"], raw["v"]) == (40.89, 1000)


async def test_a_bar_in_the_making_is_not_the_final_bar() -> None:
    """At 15:30:30 in New York, the minute and the day have a part of their volume; nothing later exists."""
    now = utc("2026-10-07T19:30") + 30_000
    market = SyntheticMarket(seed=7)
    async with Sandbox(market, now=Pinned(now)) as sandbox, client_of(sandbox) as client:
        minute = (
            await client.get(aggs("AAPL", "1/minute", "2026-10-07", "2026-10-09", "adjusted=false"))
        ).json
        day = (await client.get(aggs("AAPL", "1/day", "2026-10-06", "2026-10-09", "adjusted=false"))).json
    whole = Span(utc("2026-10-06T04:00"), utc("2026-10-08T04:00"))
    for page, base in ((minute, Base.MINUTE), (day, Base.DAY)):
        final = market.bars(AAPL, base, whole)
        last = page["results"][-1]
        assert last["t"] <= now
        (at,) = np.flatnonzero(final.ts == last["t"])
        assert last["v"] < final.volume[at]
        assert last["o"] == final.open[at] == last["c"]
    assert len(day["results"]) == 2
    assert minute["results"][-1]["t"] == utc("2026-10-07T19:30")


async def test_a_day_has_no_bar_before_its_session_opens() -> None:
    """At 08:00 in New York the newest day bar is yesterday's, and it is final."""
    now = utc("2026-10-07T12:00")
    async with Sandbox(SyntheticMarket(), now=Pinned(now)) as sandbox, client_of(sandbox) as client:
        page = (await client.get(aggs("AAPL", "1/day", "2026-10-05", "2026-10-07"))).json
    assert [row["t"] for row in page["results"]] == [utc("2026-10-05T04:00"), utc("2026-10-06T04:00")]


async def test_an_unknown_ticker_is_an_empty_success(client: Client) -> None:
    """Also one whose case is wrong: 200, no `results`."""
    for ticker in ("ZZZZ", "aapl", "x:BTCUSD"):
        page = await client.get(aggs(ticker, "1/day", "2024-01-01", "2024-06-30"))
        assert page.status == 200
        assert page.json["resultsCount"] == 0
        assert "results" not in page.json


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (
            aggs("AAPL", "1/day", "2024-06-30", "2024-01-01"),
            "The parameter 'to' cannot be a time that occurs before",
        ),
        (aggs("AAPL", "1/day", "yesterday", "2024-01-01"), "Could not parse the time parameter: 'from'."),
        (aggs("AAPL", "1/day", "2024-01-01", "2024-13-01"), "Could not parse the time parameter: 'to'."),
        (aggs("AA PL", "1/day", "2024-01-01", "2024-01-02"), "Ticker was incorrectly formatted"),
        (aggs("AAPL", "1/fortnight", "2024-01-01", "2024-01-02"), "The timespan 'fortnight'"),
        (aggs("AAPL", "0/day", "2024-01-01", "2024-01-02"), "The parameter 'multiplier'"),
        (aggs("AAPL", "1/day", "2024-01-01", "2024-01-02", "limit=many"), "The parameter 'limit'"),
        (aggs("AAPL", "1/day", "2024-01-01", "2024-01-02", "sort=up"), "The parameter 'sort'"),
        (aggs("AAPL", "1/day", "2024-01-01", "2024-01-02", "cursor=%21"), "The cursor"),
    ],
)
async def test_what_cannot_be_understood_is_a_400(client: Client, path: str, error: str) -> None:
    """With the vendor's words in `error`."""
    answer = await client.get(path)
    assert answer.status == 400
    assert answer.json["status"] == "ERROR"
    assert answer.json["error"].startswith(error)
