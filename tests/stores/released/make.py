"""Makes a store of each kind with the version of gapless that is on the path, and writes down what it says of itself.

    PYTHONPATH=OLD/src:OLD/tests python tests/stores/released/make.py tests/stores/released/0.1.0

Run once, with the code of a released version (`git archive`). What it makes is kept for ever, so that every later
version is tried on what people have on their disks; it uses only what all versions have.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from engine.living import KINDS, OwnedClock, living, store_url, utc, warehouse
from gapless.ports import Store
from gapless.sandbox import SyntheticMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base

SYMBOLS = ("AAPL", "X:BTCUSD")
EVER = Span(0, 2**50)
FIRST, SECOND = utc("2026-11-24T06:00"), utc("2026-11-24T20:30")
"""The night after a session, and the middle of the next one."""


def main(target: Path) -> None:
    """Make them all."""
    target.mkdir(parents=True, exist_ok=True)
    told = {}
    for kind in KINDS:
        with TemporaryDirectory() as folder:
            url = store_url(Path(folder), kind)
            told[kind] = lived(url)
            data = Path(url.removeprefix("sqlite:///")).read_bytes()
            (target / f"{kind}.gz").write_bytes(gzip.compress(data, 9))
    (target / "told.json").write_text(json.dumps(told, indent=1) + "\n")


def lived(url: str) -> dict[str, list[str]]:
    """Backfill a night; in the middle of the next session update, when the vendor has corrected a bar."""
    clock = OwnedClock(at=FIRST)
    with living(SyntheticMarket(seed=11), now=clock) as sandbox, warehouse(sandbox.url, url, clock) as house:
        first = house.backfill(SYMBOLS, ["1m", "5m", "4h", "1d"], "2026-11-23")
        assert first.exit_code == 0, first.as_dict()
        clock.at = SECOND
        for symbol in SYMBOLS:
            one, hour = Instrument.parse(symbol), Span(utc("2026-11-23T15:00"), utc("2026-11-23T16:00"))
            bars = sandbox.truth(one, Base.MINUTE, hour)
            sandbox.market.revise(one, Base.MINUTE, int(bars.ts[5]), volume=float(bars.volume[5]) + 7)
        house.update()
        return told(house.store)


def told(store: Store) -> dict[str, list[str]]:
    """Of each series: digests of its bars, of the same as of the first night, and of its entries."""
    found = {}
    for symbol in SYMBOLS:
        for base in Base:
            one = Instrument.parse(symbol)
            entries = [
                [e.span.start, e.span.end, e.outcome.value, e.recorded, e.digest, e.run_id]
                for e in store.entries(one, base)
            ]
            bars, earlier = store.read(one, base, EVER), store.read(one, base, EVER, as_of=FIRST)
            found[f"{symbol} {base.value}"] = [
                f"{len(bars)} bars {_digest(bars)}",
                f"{len(earlier)} bars {_digest(earlier)}",
                f"{len(entries)} entries {hashlib.sha256(json.dumps(entries).encode()).hexdigest()}",
            ]
    return found


def _digest(bars: Batch) -> str:
    """Of the numbers in every column; all NaN are one."""
    found = hashlib.sha256()
    for column in bars.columns.values():
        found.update(np.where(np.isnan(column), np.nan, column).astype(column.dtype).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
