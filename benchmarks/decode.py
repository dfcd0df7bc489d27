"""Decode: one page of 50,000 bars to columns, the ways there are, in one run.

    python benchmarks/decode.py [rounds]

`decode` is all that `Massive.decode` does: envelope, rows, every check. The others only read the JSON and make
the eight columns, as a program without checks would.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import chain

import msgspec
import numpy as np

from gapless.providers import Massive
from gapless.providers.columns import FIELDS, Row, regular_columns, strict_columns
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Job, Page
from gapless.vocabulary.timeframe import MINUTE, Base

BARS = 50_000
START = 1_704_205_800_000


def made_up_page() -> bytes:
    """A full page as the vendor writes it: cents, fractional volumes, some of them in exponent form."""
    rng = np.random.default_rng(1)
    close = np.round(400 + np.cumsum(rng.normal(0, 0.02, BARS)), 2)
    open_ = np.round(close + rng.normal(0, 0.03, BARS), 2)
    high = np.round(np.maximum(open_, close) + abs(rng.normal(0, 0.03, BARS)), 2)
    low = np.round(np.minimum(open_, close) - abs(rng.normal(0, 0.03, BARS)), 2)
    vwap = np.round((high + low) / 2, 4)
    volume = rng.integers(100, 90_000, BARS) + 0.25
    trades = rng.integers(1, 900, BARS)
    rows = ",".join(
        f'{{"v":{"1.5e+06" if i % 1000 == 0 else volume[i]},"vw":{vwap[i]},"o":{open_[i]},"c":{close[i]},'
        f'"h":{high[i]},"l":{low[i]},"t":{START + i * MINUTE},"n":{trades[i]}}}'
        for i in range(BARS)
    )
    return (
        f'{{"ticker":"SPY","queryCount":{BARS},"resultsCount":{BARS},"adjusted":false,"results":[{rows}],'
        f'"status":"OK","request_id":"0f3c","count":{BARS}}}'
    ).encode()


def with_json(body: bytes) -> object:
    """The standard library."""
    rows = json.loads(body)["results"]
    return [np.array([row[name] for row in rows], np.float64) for name in FIELDS]


def with_orjson(body: bytes) -> object:
    """Orjson, where it is installed."""
    import orjson

    rows = orjson.loads(body)["results"]
    return [np.array([row[name] for row in rows], np.float64) for name in FIELDS]


class _Answer(msgspec.Struct):
    results: list[Row]


_answers = msgspec.json.Decoder(_Answer)


def with_msgspec(body: bytes) -> object:
    """Typed structs."""
    rows = _answers.decode(body).results
    numbers = chain.from_iterable(map(msgspec.structs.astuple, rows))
    return np.fromiter(numbers, np.float64, len(rows) * len(FIELDS)).reshape(-1, len(FIELDS)).T.copy()


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return sorted(taken)[rounds // 2]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    body = made_up_page()
    array = body[body.index(b"[") : body.index(b"]") + 1]
    span = Span(START, START + BARS * MINUTE)
    massive, job = Massive("https://vendor.example"), Job(Instrument.parse("SPY"), Base.MINUTE, span)
    page = Page(massive.first(job, START), body, "", "", received=0, wire_bytes=0)
    ways: dict[str, Callable[[], object]] = {
        "decode (fast reader, all checks)": lambda: massive.decode(job, page, asked=span),
        "fast reader alone": lambda: regular_columns(array),
        "typed reader alone": lambda: strict_columns(array),
        "msgspec structs": lambda: with_msgspec(body),
        "json": lambda: with_json(body),
    }
    try:
        import orjson  # noqa: F401 - only asked whether it is there
    except ImportError:
        print("orjson is not installed; left out")
    else:
        ways["orjson"] = lambda: with_orjson(body)
    print(f"one page of {BARS:,} bars, {len(body) / 1e6:.2f} MB, median of {rounds} rounds")
    for name, work in ways.items():
        work()
        taken = seconds(work, rounds)
        speed = f"{len(body) / taken / 1e6:6.0f} MB/s  {BARS / taken / 1e6:5.2f} M bars/s"
        print(f"  {name:34}{taken * 1000:8.1f} ms  {speed}")


if __name__ == "__main__":
    main()
