"""Answers about bars: what a sound one becomes, and that nothing else is believed."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from gapless.errors import BadAnswer, Refused
from gapless.vocabulary.batch import NO_TRADES
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Base
from providers.hand_made import (
    PAGES,
    ROWS,
    START,
    Json,
    changed,
    compact,
    decode,
    envelope,
    job,
    midnight,
    page,
    pretty,
)

Layout = Callable[[Json], bytes]
both_readers = pytest.mark.parametrize("layout", [compact, pretty])


# -- sound answers -----------------------------------------------------------


def test_a_page_from_the_wire_becomes_columns() -> None:
    """Exponent volumes, a vw outside low and high, whole and fractional numbers: each as written."""
    decoded = decode((PAGES / "aapl_minutes.json").read_bytes().strip())
    batch = decoded.batch

    assert batch.ts.tolist() == [1704205800000, 1704205860000, 1704205980000]
    assert batch.open.tolist() == [187.15, 187.3, 187.1]
    assert batch.high.tolist() == [187.4, 187.3, 187.1]
    assert batch.low.tolist() == [187.0, 187.1, 187.1]
    assert batch.close.tolist() == [187.3, 187.1, 187.1]
    assert batch.volume.tolist() == [1500000.0, 812.25, 1e-06]
    assert batch.vwap.tolist() == [187.2, 999.0, 187.1]
    assert batch.trades.tolist() == [9001, 12, 1]
    assert (decoded.full, decoded.next_url) == (False, None)
    assert decoded.request_id == "0f3c0123456789abcdef0123456789ab"


@both_readers
def test_missing_vw_and_n_are_missing(layout: Layout) -> None:
    """NaN and -1, whether one row lacks them or all do."""
    batch = decode(layout(envelope(changed(1, vw=..., n=...)))).batch
    assert batch.vwap.tolist()[0::2] == [187.2, 187.1]
    assert math.isnan(batch.vwap[1])
    assert batch.trades.tolist() == [9001, NO_TRADES, 0]

    bare = [{k: v for k, v in row.items() if k not in ("vw", "n")} for row in ROWS]
    batch = decode(layout(envelope(bare))).batch
    assert np.isnan(batch.vwap).all()
    assert (batch.trades == NO_TRADES).all()


@both_readers
def test_an_unknown_field_is_no_fault(layout: Layout) -> None:
    """The vendor adds fields: `otc`, and decimal volumes as text."""
    rows = changed(0, otc=True, dv="1500000.0", note={"a": [1, '"results":[']})

    assert decode(layout(envelope(rows))).batch == decode(layout(envelope())).batch


@both_readers
def test_zero_volume_is_zero(layout: Layout) -> None:
    """Not minus zero, not missing."""
    batch = decode(layout(envelope())).batch

    assert math.copysign(1, batch.volume[2]) == 1
    assert batch.trades[2] == 0


@pytest.mark.parametrize(
    "answer", [envelope([], results=..., count=...), envelope([]), envelope([], results=None)]
)
@both_readers
def test_no_bars_is_an_answer(answer: Json, layout: Layout) -> None:
    """A 200 with counts of zero, with or without an empty array."""
    assert len(decode(layout(answer)).batch) == 0


def test_an_empty_array_may_be_laid_out_freely() -> None:
    """With a space between the brackets, for minutes and for days."""
    body = compact(envelope([])).replace(b"[]", b"[ ]")

    assert len(decode(body).batch) == len(decode(body, job(base=Base.DAY)).batch) == 0


def test_delayed_is_a_success() -> None:
    """Delayed plans answer DELAYED."""
    decoded = decode(compact(envelope(status="DELAYED")))

    assert len(decoded.batch) == 3


def test_a_page_is_full_by_its_base_bars() -> None:
    """`queryCount` at the limit, even where the rows are fewer."""
    assert decode(compact(envelope(queryCount=50_000))).full
    assert not decode(compact(envelope(queryCount=49_999))).full


@both_readers
def test_an_index_has_no_volume(layout: Layout) -> None:
    """Its bars are o, h, l, c and t; counts are `count` alone; it may be below zero."""
    rows = [{"o": -1.5, "c": 0, "h": 2, "l": -3, "t": START}]
    answer = envelope(rows, ticker="I:XYZ", adjusted=..., queryCount=..., resultsCount=...)

    batch = decode(layout(answer), job("I:XYZ")).batch

    assert batch.open.tolist() == [-1.5]
    assert np.isnan(batch.volume).all()


# -- contradictions ----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (envelope(ticker="aapl"), "about `aapl`"),
        (envelope(ticker=...), "about `None`"),
        (envelope(adjusted=True), "adjusted"),
        (envelope(resultsCount=4), "resultsCount is 4 but there are 3"),
        (envelope(count=2), "count is 2 but there are 3"),
        (envelope(queryCount=2), "queryCount is 2, less than"),
        (envelope(count=..., resultsCount=...), "does not say how many"),
        (envelope(results=..., count=...), "no results although queryCount is 3"),
        (envelope([], queryCount=7), "no results although queryCount is 7"),
        (envelope([], results=..., resultsCount=1), "resultsCount is 1 but there are 0"),
        (envelope([], next_url="https://vendor.example/x"), "no results but points to a next page"),
        (envelope(status="ERROR", error="boom"), "status `ERROR`: boom"),
        (envelope(status=...), "status ``"),
        (envelope(queryCount="3"), "Expected `int | null`, got `str`"),
        (envelope(adjusted="false"), "Expected `bool | null`"),
        (envelope(results={}), "cannot be read"),
    ],
)
@both_readers
def test_an_answer_that_contradicts_itself_is_refused(answer: Json, words: str, layout: Layout) -> None:
    """Both readers name the contradiction, the series and where the answer can be found again."""
    with pytest.raises(BadAnswer, match=words) as caught:
        decode(layout(answer))

    assert caught.value.message.startswith("AAPL 1m: ")
    assert (caught.value.request_id, caught.value.digest) == ("r1", "d" * 64)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (changed(1, o=...), "row 2: .*required field `o`"),
        (changed(1, t=...), "row 2: .*required field `t`"),
        (changed(1, v=...), "row 2: `v` is missing"),
        (changed(1, o=None), "row 2: `o`: Expected `float`, got `null`"),
        (changed(1, c="187.1"), "row 2: `c`: Expected `float`, got `str`"),
        (changed(1, c=float("nan")), "cannot be read"),
        (changed(1, h=float("inf")), "cannot be read"),
        (changed(1, h=True), "row 2: `h`: Expected `float`, got `bool`"),
        (changed(1, vw="1"), "row 2: `vw`"),
        (changed(1, o=-187.3), "row 2: `o` is not above zero"),
        (changed(2, l=0), "row 3: `l` is not above zero"),
        (changed(1, v=-1), "row 2: `v` is negative"),
        (changed(1, n=-1), "row 2: `n` is negative"),
        (changed(1, n=1.5), "row 2: `n` is not a whole number"),
        (changed(1, n=1e300), "row 2: `n` is not a whole number"),
        (changed(1, t=START + MINUTE + 0.5), "row 2: `t` is not a whole number"),
        (changed(1, t=START + MINUTE + 1), "row 2: `t` is not on a whole minute"),
        (changed(1, t=START), "row 2: `t` does not rise"),
        (changed(2, t=START), "row 3: `t` does not rise"),
        (changed(0, t=START - MINUTE), "row 1: `t` is before what was asked"),
        (changed(2, t=START + 10 * MINUTE), "row 3: `t` is after what was asked"),
        (changed(1, h=187.2), "row 2: open or close is not between"),
        (changed(1, l=187.2), "row 2: open or close is not between"),
        (changed(1, l=188), "row 2: open or close is not between"),
        ([*ROWS, 5], "row 4: Expected `object`"),
    ],
)  # fmt: skip
@both_readers
def test_a_row_that_no_sound_answer_holds_is_refused(rows: list[Json], words: str, layout: Layout) -> None:
    """Both readers say the same of the same row."""
    with pytest.raises(BadAnswer, match=words):
        decode(layout(envelope(rows)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>504</html>",
        b"[]",
        b"null",
        b'{"results":[',
        b'{"results":[]',
        compact(envelope())[:-1],
        compact(envelope()) + b"x",
        compact(envelope()).replace(b'"results":[', b'"results":5'),
        compact(envelope()).replace(b'"results":[', b'"results":'),
        compact(envelope()).replace(b"AAPL", b"AA\xffPL"),
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """Cut off, empty, HTML, not UTF-8, nested without end."""
    with pytest.raises(BadAnswer, match="cannot be read"):
        decode(body)


@pytest.mark.parametrize(
    ("old", "new", "twice"),
    [
        (b'"o":187.3,', b'"o":187.3,"o":187.2,', "o"),
        (b'"status":"OK"', b'"status":"OK","status":"ERROR"', "status"),
        (b'"status":"OK"', b'"status":"OK","results":[]', "results"),
    ],
)
def test_a_name_given_twice_is_refused(old: bytes, new: bytes, twice: str) -> None:
    """Which of the two is meant, nobody knows; in one row, in every row, around the rows."""
    body = compact(envelope())
    with pytest.raises(BadAnswer, match=f"has `{twice}` twice"):
        decode(body.replace(old, new))
    every = compact(envelope([ROWS[1]])).replace(old, new)
    with pytest.raises(BadAnswer, match=f"has `{twice}` twice"):
        decode(every)


@pytest.mark.parametrize(
    "trick",
    [
        b'{"meta":{"results":[ROWS]},"ticker":"AAPL","status":"OK","queryCount":0,"resultsCount":0}',
        b'{"x\\"results":[ROWS],"ticker":"AAPL","status":"OK","queryCount":0,"resultsCount":0,"results":[]}',
        b'{"x":"\\\\\\"results\\":[ROWS]","ticker":"AAPL","status":"OK","queryCount":0,"resultsCount":0}',
    ],
)
def test_rows_of_another_array_are_not_taken(trick: bytes) -> None:
    """An inner object, an odd name or a text may hold what looks like the results."""
    rows = compact({"r": ROWS[:1]}).removeprefix(b'{"r":[').removesuffix(b"]}")
    rows = rows.replace(b'"', b'\\"') if b"\\\\\\" in trick else rows

    assert len(decode(trick.replace(b"ROWS", rows)).batch) == 0


def test_not_authorized_inside_a_200_is_a_refusal() -> None:
    """With the vendor's sentence."""
    with pytest.raises(Refused, match="doesn't include this data") as caught:
        decode(
            compact(
                {
                    "status": "NOT_AUTHORIZED",
                    "request_id": 1,
                    "message": "Your plan doesn't include this data",
                }
            )
        )

    assert caught.value.request_id == "1"


# -- days --------------------------------------------------------------------


def _day_rows(*stamps: int) -> list[Json]:
    return [{"v": 1, "vw": 2, "o": 2, "c": 2, "h": 2, "l": 2, "t": t, "n": 1} for t in stamps]


def test_days_of_stocks_are_new_york_midnights_over_the_clock_change() -> None:
    """05:00 UTC in winter, 04:00 in summer."""
    span = Span(midnight("2024-03-07"), midnight("2024-03-13"))
    stamps = [1709874000000, 1710133200000 - 3_600_000]  # Fri 8 March 05:00Z, Mon 11 March 04:00Z
    body = compact(envelope(_day_rows(*stamps)))

    assert decode(body, job(base=Base.DAY, span=span)).batch.ts.tolist() == stamps

    late = compact(envelope(_day_rows(stamps[0], stamps[1] + 3_600_000)))
    with pytest.raises(BadAnswer, match=r"row 2: .*not a midnight in America/New_York"):
        decode(late, job(base=Base.DAY, span=span))


@pytest.mark.parametrize(
    ("ticker", "own", "vendors"),
    [
        ("X:BTCUSD", "UTC", "UTC"),
        ("X:BTCUSD", "UTC", "America/New_York"),
        ("C:EURUSD", "UTC", "America/New_York"),
        ("I:SPX", "America/New_York", "America/Chicago"),
        ("I:SPX", "America/New_York", "America/New_York"),
    ],
)
def test_a_day_bar_is_kept_by_its_date(ticker: str, own: str, vendors: str) -> None:
    """Where the vendor's zone for a class is in doubt, the date decides, summer and winter."""
    dates = ["2024-03-08", "2024-03-11", "2024-11-01", "2024-11-04"]
    span = Span(midnight("2024-03-01", own), midnight("2024-12-01", own))
    body = compact(envelope(_day_rows(*(midnight(d, vendors) for d in dates)), ticker=ticker))

    batch = decode(body, job(ticker, Base.DAY, span)).batch

    assert batch.ts.tolist() == [midnight(d, own) for d in dates]


def test_a_day_before_the_first_that_only_snapping_brought_is_dropped() -> None:
    """Days of a zone to the west: the vendor starts at the day that holds `from`, one date early."""
    span = Span(midnight("2024-01-03", "UTC"), midnight("2024-01-05", "UTC"))
    zone = "America/New_York"
    stamps = [midnight(d, zone) for d in ("2024-01-02", "2024-01-03", "2024-01-04")]
    body = compact(envelope(_day_rows(*stamps), ticker="C:EURUSD"))

    batch = decode(body, job("C:EURUSD", Base.DAY, span)).batch

    assert batch.ts.tolist() == [span.start, midnight("2024-01-04", "UTC")]


def test_a_day_outside_the_span_in_the_own_zone_is_refused() -> None:
    """There, nothing snaps."""
    span = Span(midnight("2024-01-03"), midnight("2024-01-05"))
    for day, words in (("2024-01-02", "before"), ("2024-01-05", "after")):
        with pytest.raises(BadAnswer, match=words):
            decode(compact(envelope(_day_rows(midnight(day)))), job(base=Base.DAY, span=span))


def test_a_page_does_not_print_its_body() -> None:
    """Five megabytes do not belong in a message."""
    assert len(repr(page(bytes(5_000_000)))) < 500
