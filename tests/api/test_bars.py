"""Bars over HTTP are the store's, in every form, page by page; what is missing is said."""

import csv
import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from api.served import Client, serving
from engine.living import OwnedClock, truth, utc
from gapless.sandbox import Sandbox
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

MONDAY = utc("2026-11-09T05:00")
DAY_OF_MINUTES = "/v1/bars/AAPL?timeframe=1m&start=2026-11-09&end=2026-11-10"
NAMES = ("ts", "open", "high", "low", "close", "volume", "vwap", "trades")


def columns_of(sandbox: Sandbox) -> dict[str, list[Any]]:
    """Monday's minutes as the vendor has them, absent numbers as None."""
    bars = truth(sandbox, "AAPL", Base.MINUTE, Span(MONDAY, MONDAY + DAY))
    columns = {name: getattr(bars, name).tolist() for name in NAMES}
    columns["vwap"] = [None if np.isnan(number) else number for number in columns["vwap"]]
    columns["trades"] = [None if count == -1 else count for count in columns["trades"]]
    return columns | {"final": [True] * len(bars)}


def test_columns_are_the_truth(client: Client, vendor: Sandbox) -> None:
    """Every number of a day of minutes."""
    found = client.data(DAY_OF_MINUTES)
    assert found["columns"] == columns_of(vendor)
    assert (found["symbol"], found["timeframe"], found["gaps"], found["next"]) == ("AAPL", "1m", [], None)
    assert found["final_until"] == MONDAY + DAY


def test_other_forms_hold_the_same(client: Client, vendor: Sandbox) -> None:
    """Rows, CSV, NDJSON and Arrow, by `shape` and `Accept`."""
    columns = columns_of(vendor)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert client.data(DAY_OF_MINUTES + "&shape=rows")["rows"] == rows
    lines = client(DAY_OF_MINUTES, accept="application/x-ndjson").body.splitlines()
    assert [json.loads(line) for line in lines] == rows
    text = client(DAY_OF_MINUTES, accept="text/csv").body.decode()
    (*parsed,) = csv.DictReader(io.StringIO(text))
    assert [float(row["close"]) for row in parsed] == columns["close"]
    assert [row["vwap"] for row in parsed] == ["" if v is None else repr(v) for v in columns["vwap"]]
    got = client(DAY_OF_MINUTES, accept="application/vnd.apache.arrow.stream")
    table = pa.ipc.open_stream(got.body).read_all()
    assert table.drop(["ts"]).to_pydict() == {n: c for n, c in columns.items() if n != "ts"}
    assert got.headers["gapless-gaps"] == "0"


def test_the_form_follows_what_is_wanted_most(client: Client) -> None:
    """By quality; what is wanted equally is JSON, and what there is not is 406 with what there is."""
    assert (
        client(DAY_OF_MINUTES, accept="text/csv;q=0.5, application/json;q=0.4")
        .headers["content-type"]
        .startswith("text/csv")
    )
    assert client(DAY_OF_MINUTES, accept="*/*").headers["content-type"] == "application/json"
    refused = client(DAY_OF_MINUTES, accept="image/png")
    assert (refused.status, refused.headers["content-type"]) == (406, "application/problem+json")
    assert "text/csv" in refused.json()["detail"]


def test_pages_put_together_are_the_whole(client: Client) -> None:
    """Following `next` to its end gives every bar once, with the same view; so does the header `Link`."""
    whole = client.data("/v1/bars/AAPL?timeframe=5m&start=2026-11-09&end=2026-11-14&session=regular")
    page, found = "/v1/bars/AAPL?timeframe=5m&start=2026-11-09&end=2026-11-14&session=regular&limit=60", []
    while page:
        got = client(page)
        assert got.headers.get("link", "") == (
            f'<{got.json()["next"]}>; rel="next"' if got.json()["next"] else ""
        )
        found += got.json()["columns"]["ts"]
        page = got.json()["next"]
    assert found == whole["columns"]["ts"]
    assert len(found) == 5 * 78


def test_a_relative_end_stays_what_it_was(client: Client, clock: Any) -> None:  # noqa: ANN401 - a test's clock
    """The next page of `end=1d` ends where the first did, also when it is read on another day."""
    first = client.data("/v1/bars/X:BTCUSD?timeframe=1d&start=2026-11-09&end=5d&limit=3&on_gap=mark")
    clock.at += 2 * DAY
    try:
        rest = client.data(first["next"].replace("limit=3", "limit=100"))
    finally:
        clock.at -= 2 * DAY
    assert rest["columns"]["ts"][-1] == utc("2026-11-18")
    assert rest["columns"]["ts"][0] == first["columns"]["ts"][-1] + DAY


def test_missing_bars_are_an_error_that_says_what_to_do(client: Client) -> None:
    """409 with each stretch and the command that fetches it."""
    refused = client("/v1/bars/MSFT?timeframe=5m&start=2026-11-09&end=2026-11-14")
    problem = refused.json()
    assert (refused.status, problem["type"]) == (409, "/problems/bars-missing")
    (gap,) = problem["gaps"]
    tuesday = MONDAY + DAY
    assert (gap["symbol"], gap["base"], gap["outcome"]) == ("MSFT", "1m", "unasked")
    assert (gap["start"], gap["end"]) == (tuesday + 4 * 60 * MINUTE, tuesday + DAY + 20 * 60 * MINUTE)
    assert (
        "`gapless backfill MSFT -t 5m --start 2026-11-10T09:00Z --end 2026-11-12T01:00Z`" in problem["hint"]
    )


@pytest.mark.parametrize(
    ("symbol", "query", "whole_at", "missing_at"),
    [
        ("AAPL", "timeframe=1mo&start=2026-11-02&end=2026-11-10", "2026-11-14T06:00", "2026-12-05"),
        ("X:BTCUSD", "timeframe=1w&start=2026-11-16&end=2026-11-18", "2026-11-20T06:00", "2026-11-28"),
        ("AAPL", "timeframe=1d&start=2026-11-16&end=2026-11-24", "2026-11-23T12:00", "2026-11-28"),
    ],
)
def test_an_answer_that_time_makes_wrong_is_not_kept(
    stored: str, symbol: str, query: str, whole_at: str, missing_at: str
) -> None:
    """Whole while the last window is open; days later bars of it are missing, although nothing was written."""
    clock = OwnedClock(utc(whole_at), speed=1.0)
    with serving(stored, clock) as asking:
        path = f"/v1/bars/{symbol}?{query}&on_gap=raise"
        assert [asking(path).status, asking(path).status] == [200, 200]
        clock.at = utc(missing_at)
        assert asking(path).status == 409


def test_missing_bars_can_be_only_marked(client: Client) -> None:
    """What is there comes with the list of what is not."""
    found = client.data("/v1/bars/MSFT?timeframe=1d&start=2026-11-09&end=2026-11-14&on_gap=mark")
    assert found["columns"]["ts"] == []
    found = client.data("/v1/bars/MSFT?timeframe=1h&start=2026-11-09&end=2026-11-14&on_gap=mark")
    assert len(found["gaps"]) == 1
    assert {ts // DAY for ts in found["columns"]["ts"]} & {(MONDAY + DAY) // DAY} <= {(MONDAY + DAY) // DAY}


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    """A strong ETag, 304 without a body; gzipped it is another representation with another ETag."""
    plain, packed = client(DAY_OF_MINUTES), client(DAY_OF_MINUTES, accept_encoding="gzip")
    tags = plain.headers["etag"], packed.headers["etag"]
    assert tags[0] != tags[1]
    assert not any(tag.startswith("W/") for tag in tags)
    assert len(packed.body) < len(plain.body) / 2
    for tag, encoding in zip(tags, ("identity", "gzip"), strict=True):
        again = client(DAY_OF_MINUTES, accept_encoding=encoding, if_none_match=f'"other", {tag}')
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert client(DAY_OF_MINUTES, if_none_match='"other"').status == 200


def test_head_is_get_without_a_body(client: Client) -> None:
    """The same headers."""
    head, got = client(DAY_OF_MINUTES, "HEAD"), client(DAY_OF_MINUTES)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("timefram=5m", "Did you mean `timeframe`?"),
        ("timeframe=7m", "Use one of: 1m, 5m"),
        ("timeframe=5m&timeframe=1m", "given twice"),
        ("start=yesterday", "not a date"),
        ("start=2026-02-30", "not a date"),
        ("start=2026-11-10&end=2026-11-10", "The end is exclusive"),
        ("start=2030-01-01", "in the future"),
        ("start=-9999999999999", "1970 to 2999"),
        ("as_of=99999999999999", "1970 to 2999"),
        ("limit=0", "from 1 to 50000"),
        ("limit=1e3", "from 1 to 50000"),
        ("limit=%D9%A1", "from 1 to 50000"),
        ("session=night", "all, regular, pre, post"),
        ("provisional=maybe", "true, false"),
        ("cursor=abc", "Follow `next` as it is"),
        ("shape=%00", "null character"),
        ("shape=%FF", "UTF-8"),
        ("x=" + "y" * 9000, "longer than"),
    ],
)
def test_a_wrong_word_is_told(client: Client, query: str, words: str) -> None:
    """400, with which one and what it can be."""
    refused = client(f"/v1/bars/AAPL?{query}")
    assert refused.status == 400, refused.body
    assert words in refused.json()["detail"] + refused.json()["hint"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/bars/GOOG", 404), ("/v1/bars/Z:BTC", 400), ("/v1/bars/..%2f..%2fetc", 404), ("/v1/bars/", 404)],
)
def test_a_symbol_that_is_not_there(client: Client, path: str, status: int) -> None:
    """404 for what is not stored, 400 for what is no ticker."""
    refused = client(path)
    assert (refused.status, refused.json()["status"]) == (status, status)
