"""There and back: what comes out of a store and goes into another one is the same, with the same proof."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.errors import UsageError
from gapless.ledger import fold
from gapless.ports import Store
from gapless.transfer import FORMATS, export, import_folder
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from transfer.trading import (
    KINDS,
    NAN,
    NOW,
    at,
    batch_at,
    export_all,
    files_of,
    fill,
    ledger,
    minutes,
    new_store,
    pieces_of,
    reader,
)

AAPL = Instrument.parse("AAPL")
EVER = Span(0, 2**50)
formats = pytest.mark.parametrize("fmt", FORMATS)
kinds = pytest.mark.parametrize("kind", KINDS)


def needs(fmt: str) -> None:
    """Skip where the library of a format is not installed."""
    if fmt != "csv":
        pytest.importorskip("pyarrow")


def a_history(store: Store) -> None:
    """Two years of odd minutes and days of several symbols, with every way in which a span can be covered."""
    for symbol, first in (("AAPL", 185.0), ("BRK.B", 362.1), ("PEBpE", 20.0), ("PEBPE", 21.0)):
        starts = [*minutes("2023-12-29T14:30", 90, step=3), *minutes("2024-01-02T14:30", 200)]
        span = Span(at("2023-12-29T05:00"), at("2024-01-03T05:00"))
        fill(store, symbol, starts, span, batch=batch_at(starts, first=first))
    around = minutes("2023-12-31T23:00", 120)
    fill(store, "X:BTCUSD", around, batch=batch_at(around, first=42_000.1))
    days = [at("2023-12-29T05:00"), at("2024-01-02T05:00")]
    fill(store, "AAPL", days, Span(days[0], days[-1] + DAY), base=Base.DAY)
    for outcome, day in ((Outcome.EMPTY, "2024-02-05"), (Outcome.CLOSED, "2024-02-10")):
        span = Span(at(f"{day}T05:00"), at(f"{day}T05:00") + DAY)
        fill(store, "AAPL", [], span, outcome=outcome, batch=Batch.empty())
    provisional = minutes("2024-03-01T14:30", 30, step=2)
    fill(store, "AAPL", provisional, outcome=Outcome.PROVISIONAL)
    fill(
        store,
        "AAPL",
        [],
        Span(at("2024-03-04"), at("2024-03-05")),
        outcome=Outcome.FAILED,
        batch=Batch.empty(),
    )


def proofs_of(folder: Path) -> dict[str, object]:
    """What a manifest says of its files, but for what it says of the store that they came from."""
    files = json.loads((folder / "_manifest.json").read_text())["files"]
    return {
        path: {k: v for k, v in record.items() if k not in ("state", "spans")}
        for path, record in files.items()
    }


@formats
@kinds
def test_out_in_and_out_again_is_the_same_to_the_byte(tmp_path: Path, fmt: str, kind: str) -> None:
    """Files, digests, and what is proved: all equal after a detour through a new store."""
    needs(fmt)
    first, second = new_store(tmp_path, kind, "first"), new_store(tmp_path, kind, "second")
    a_history(first)
    export_all(first, tmp_path / "one", fmt)
    receipt = import_folder(second, tmp_path / "one", now=NOW)
    export_all(second, tmp_path / "two", fmt)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert len(files_of(tmp_path / "one")) == 12
    assert proofs_of(tmp_path / "one") == proofs_of(tmp_path / "two")
    assert receipt.series == 6
    assert receipt.stored.inserted == receipt.rows == sum(series.bars for series in first.series())
    for series in first.series():
        name = (series.instrument, series.base)
        assert second.read(*name, EVER) == first.read(*name, EVER)
        assert fold(second.entries(*name)).covered == fold(first.entries(*name)).covered
    assert list(second.verify()) == []
    first.close()
    second.close()


def test_the_same_import_again_writes_nothing(tmp_path: Path) -> None:
    """Not a bar, not a line of the ledger."""
    first, second = new_store(tmp_path, name="first"), new_store(tmp_path, name="second")
    a_history(first)
    export_all(first, tmp_path / "bars")
    import_folder(second, tmp_path / "bars", now=NOW)
    before = [second.entries(s.instrument, s.base) for s in second.series() if s.instrument != AAPL]
    receipt = import_folder(second, tmp_path / "bars", now=NOW + 1)
    assert receipt.stored.inserted == receipt.stored.corrected == receipt.stored.withdrawn == 0
    assert receipt.stored.unchanged == receipt.rows
    assert [second.entries(s.instrument, s.base) for s in second.series() if s.instrument != AAPL] == before
    first.close()
    second.close()


def test_entries_name_their_source(tmp_path: Path) -> None:
    """Where a bar came from can be asked: the file, its digest, and the run."""
    first, second = new_store(tmp_path, name="first"), new_store(tmp_path, name="second")
    fill(first, "AAPL", minutes("2024-01-02T14:30", 3))
    export_all(first, tmp_path / "bars")
    import_folder(second, tmp_path / "bars", now=NOW, run_id="r1")
    (entry,) = second.entries(AAPL, Base.MINUTE)
    (record,) = json.loads((tmp_path / "bars/_manifest.json").read_text())["files"].values()
    assert entry.url == "import:timeframe=1m/symbol=AAPL/year=2024/bars.csv"
    assert (entry.digest, entry.run_id, entry.recorded, entry.rows) == (record["sha256"], "r1", NOW, 3)
    (wish,) = second.wishes()
    assert (wish.instrument, wish.timeframe.name, wish.span) == (AAPL, "1m", entry.span)
    first.close()
    second.close()


def test_what_was_provisional_stays_so(tmp_path: Path) -> None:
    """Bars that could still change are no proof of anything, here as there."""
    first, second = new_store(tmp_path, name="first"), new_store(tmp_path, name="second")
    starts = minutes("2024-03-01T14:30", 30, step=2)
    fill(first, "AAPL", starts, outcome=Outcome.PROVISIONAL)
    export_all(first, tmp_path / "bars")
    import_folder(second, tmp_path / "bars", now=NOW)
    coverage = fold(second.entries(AAPL, Base.MINUTE))
    assert not coverage.covered
    assert coverage.where(Outcome.PROVISIONAL) == SpanSet(Span(ts, ts + MINUTE) for ts in starts)
    assert second.read(AAPL, Base.MINUTE, EVER) == first.read(AAPL, Base.MINUTE, EVER)
    first.close()
    second.close()


# -- conflicts ---------------------------------------------------------------


def two_that_differ(tmp_path: Path, kind: str) -> tuple[Store, Batch]:
    """A store whose second minute differs from the export in `bars`, and whose fourth is not in it."""
    first, second = new_store(tmp_path, kind, "first"), new_store(tmp_path, kind, "second")
    starts = minutes("2024-01-02T14:30", 5)
    span = Span(starts[0], starts[-1] + MINUTE)
    theirs, ours = batch_at(starts), batch_at(starts)
    theirs = theirs.take(theirs.ts != starts[3])
    ours.volume[1] = 1
    fill(first, "AAPL", starts, span, batch=theirs)
    fill(second, "AAPL", starts, span, batch=ours)
    export_all(first, tmp_path / "bars")
    first.close()
    return second, theirs


@kinds
def test_final_bars_are_not_overwritten_in_silence(tmp_path: Path, kind: str) -> None:
    """Bars that differ or would go are counted, one is shown, and nothing is changed."""
    store, _ = two_that_differ(tmp_path, kind)
    before = store.read(AAPL, Base.MINUTE, EVER), store.entries(AAPL, Base.MINUTE)
    with pytest.raises(UsageError, match=r"^2 bars .* AAPL 1m at 2024-01-02T14:31:00Z"):
        import_folder(store, tmp_path / "bars", now=NOW)
    assert (store.read(AAPL, Base.MINUTE, EVER), store.entries(AAPL, Base.MINUTE)) == before
    store.close()


@kinds
def test_with_replace_they_become_earlier_versions(tmp_path: Path, kind: str) -> None:
    """The import's bars stand, and those before it can be read as of then."""
    store, theirs = two_that_differ(tmp_path, kind)
    before = store.read(AAPL, Base.MINUTE, EVER)
    receipt = import_folder(store, tmp_path / "bars", now=NOW, replace=True)
    assert (receipt.stored.corrected, receipt.stored.withdrawn, receipt.stored.unchanged) == (1, 1, 3)
    assert store.read(AAPL, Base.MINUTE, EVER) == theirs
    assert store.read(AAPL, Base.MINUTE, EVER, as_of=NOW - 1) == before
    assert list(store.verify()) == []
    store.close()


def test_what_is_provisional_gives_way(tmp_path: Path) -> None:
    """A final bar takes the place of one that could still change, and a proved silence too."""
    first, second = new_store(tmp_path, name="first"), new_store(tmp_path, name="second")
    starts = minutes("2024-01-02T14:30", 5)
    day = Span(at("2024-01-02T05:00"), at("2024-01-03T05:00"))
    fill(first, "AAPL", starts[:4], day)
    fill(first, "MSFT", [], day, outcome=Outcome.EMPTY, batch=Batch.empty())
    for symbol in ("AAPL", "MSFT"):
        fill(second, symbol, starts, batch=batch_at(starts, first=7), outcome=Outcome.PROVISIONAL)
    export_all(first, tmp_path / "bars")
    import_folder(second, tmp_path / "bars", now=NOW)
    for symbol in ("AAPL", "MSFT"):
        name = (Instrument.parse(symbol), Base.MINUTE)
        assert second.read(*name, EVER) == first.read(*name, EVER)
        assert fold(second.entries(*name)).covered == SpanSet([day])
    first.close()
    second.close()


def test_a_bar_that_proves_nothing_does_not_touch_one_that_does(tmp_path: Path) -> None:
    """Provisional bars come in only where the store is not sure."""
    first, second = new_store(tmp_path, name="first"), new_store(tmp_path, name="second")
    starts = minutes("2024-01-02T14:30", 6)
    fill(first, "AAPL", starts, outcome=Outcome.PROVISIONAL, batch=batch_at(starts, first=7))
    fill(second, "AAPL", starts[:3])
    export_all(first, tmp_path / "bars")
    import_folder(second, tmp_path / "bars", now=NOW)
    found = second.read(AAPL, Base.MINUTE, EVER)
    assert found.open.tolist() == [100.0, 100.01, 100.02, 7.03, 7.04, 7.05]
    first.close()
    second.close()


# -- damage ------------------------------------------------------------------


def exported(tmp_path: Path, fmt: str = "csv") -> Path:
    """A small export of two symbols."""
    store = new_store(tmp_path, name="source")
    starts = minutes("2024-01-02T14:30", 5)
    for symbol, first in (("AAPL", 185.0), ("MSFT", 370.0)):
        fill(store, symbol, starts, batch=batch_at(starts, first=first))
    export_all(store, tmp_path / "bars", fmt)
    store.close()
    return tmp_path / "bars"


def change(file: Path, change_it: Callable[[bytes], bytes]) -> None:
    """Write a file anew."""
    file.write_bytes(change_it(file.read_bytes()))


@formats
def test_a_file_with_another_digest_is_named(tmp_path: Path, fmt: str) -> None:
    """One flipped bit, wherever it is: the file is named, and nothing of the others is imported either."""
    needs(fmt)
    folder = exported(tmp_path, fmt)
    path = f"timeframe=1m/symbol=MSFT/year=2024/bars.{fmt}"
    change(folder / path, lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:])
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match="MSFT") as caught:
        import_folder(store, folder, now=NOW)
    assert "SHA-256" in caught.value.message
    assert store.series() == []
    store.close()


@formats
def test_files_that_are_cut_or_gone_are_named(tmp_path: Path, fmt: str) -> None:
    """Half a file, no file: the same."""
    needs(fmt)
    folder = exported(tmp_path, fmt)
    file = folder / f"timeframe=1m/symbol=MSFT/year=2024/bars.{fmt}"
    store = new_store(tmp_path)
    change(file, lambda data: data[: len(data) // 2])
    with pytest.raises(UsageError, match="symbol=MSFT"):
        import_folder(store, folder, now=NOW)
    file.unlink()
    with pytest.raises(UsageError, match=r"symbol=MSFT.* missing"):
        import_folder(store, folder, now=NOW)
    assert store.series() == []
    store.close()


@formats
@pytest.mark.parametrize("junk", [b"", b"junk\n", b"PAR1PAR1", b"ARROW1\x00\x00"])
def test_a_file_with_the_right_digest_can_still_be_nonsense(tmp_path: Path, fmt: str, junk: bytes) -> None:
    """Whoever makes a digest for nonsense is told so, whatever the format."""
    import hashlib

    needs(fmt)
    folder = exported(tmp_path, fmt)
    file = folder / f"timeframe=1m/symbol=MSFT/year=2024/bars.{fmt}"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_bytes(junk)
    after = hashlib.sha256(junk).hexdigest()
    change(folder / "_manifest.json", lambda data: data.replace(before.encode(), after.encode()))
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match="symbol=MSFT"):
        import_folder(store, folder, now=NOW)
    assert store.series() == []
    store.close()


@pytest.mark.parametrize(
    ("line", "column", "what"),
    [
        ("2024-01-02T14:31:00Z,0.0,2.0,0.5,1.5,1.0,,,true", "open", "not above zero"),
        ("2024-01-02T14:31:00Z,1.0,0.9,0.5,0.8,1.0,,,true", "high", "below the open"),
        ("2024-01-02T14:31:00Z,1.0,inf,0.5,0.8,1.0,,,true", "high", "no finite number"),
        ("2024-01-02T14:31:00Z,1.0,2.0,0.5,1.5,-1.0,,,true", "volume", "negative"),
        ("2024-01-02T14:31:00Z,1.0,2.0,0.5,1.5,,,,true", "volume", "missing"),
        ("2024-01-02T14:31:30Z,1.0,2.0,0.5,1.5,1.0,,,true", "ts", "whole minute"),
        ("2024-01-02T14:30:00Z,1.0,2.0,0.5,1.5,1.0,,,true", "ts", "not after"),
    ],
)
def test_bars_that_cannot_be_are_refused_though_the_digest_is_right(
    tmp_path: Path, line: str, column: str, what: str
) -> None:
    """A forged file is held against the same rules as any other."""
    import hashlib

    folder = exported(tmp_path)
    file = folder / "timeframe=1m/symbol=MSFT/year=2024/bars.csv"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], line, *lines[3:]]) + "\n")
    after = hashlib.sha256(file.read_bytes()).hexdigest()
    change(folder / "_manifest.json", lambda data: data.replace(before.encode(), after.encode()))
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match=rf"row 2, column `{column}`: .*{what}"):
        import_folder(store, folder, now=NOW)
    store.close()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"timeframe=1m/symbol=MSFT/year=2024/bars.csv"', b'"../../secret.csv"'),
        (b'"timeframe=1m/symbol=MSFT/year=2024/bars.csv"', b'"/etc/passwd"'),
        (b'"symbol": "MSFT"', b'"symbol": "IBM"'),
        (b'"bars"', b'"suspect"'),
        (b'"gapless_export": 1', b'"gapless_export": 2'),
        (b'"rows": 5', b'"rows": 6'),
        (b'"rows": 5', b'"rows": "many"'),
        (b'"format": "csv"', b'"format": "xlsx"'),
        (b'"timeframe": "1m"', b'"timeframe": "7m"'),
        (b"{", b""),
    ],
)
def test_a_manifest_that_was_tampered_with_is_not_followed(tmp_path: Path, old: bytes, new: bytes) -> None:
    """No file outside the folder is read, and nothing is imported."""
    folder = exported(tmp_path)
    (tmp_path / "secret.csv").write_text("mine")
    assert old in (folder / "_manifest.json").read_bytes()
    change(folder / "_manifest.json", lambda data: data.replace(old, new))
    store = new_store(tmp_path)
    with pytest.raises(UsageError):
        import_folder(store, folder, now=NOW)
    assert store.series() == []
    store.close()


def test_an_unfinished_export_is_not_imported(tmp_path: Path) -> None:
    """While its journal is there, the folder is not whole."""
    folder = exported(tmp_path)
    (folder / "_manifest.journal").touch()
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match="not finished"):
        import_folder(store, folder, now=NOW)
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(UsageError, match=r"no _manifest\.json"):
        import_folder(store, folder, now=NOW)
    store.close()


def test_views_of_bars_cannot_come_back(tmp_path: Path) -> None:
    """Adjusted bars, and bars of a derived timeframe, are refused with the reason."""
    source, store = new_store(tmp_path, name="source"), new_store(tmp_path)
    fill(source, "AAPL", minutes("2024-01-02T14:30", 5))
    about = {"adjust": "splits"}
    export(
        tmp_path / "a",
        "csv",
        pieces_of(source),
        reader(source),
        ledger=ledger(source),
        raw=False,
        about=about,
    )
    pieces = [*pieces_of(source), *[type(p)(p.symbol, "5m", p.span) for p in pieces_of(source)]]
    export(tmp_path / "b", "csv", pieces, reader(source), ledger=ledger(source), raw=True, about={})
    for name, what in (("a", "adjust=splits"), ("b", "bars of 5m")):
        with pytest.raises(UsageError, match=what):
            import_folder(store, tmp_path / name, now=NOW)
    assert store.series() == []
    source.close()
    store.close()


# -- whatever the bars -------------------------------------------------------

prices = st.floats(min_value=5e-324, max_value=1.7976931348623157e308, exclude_min=False)
sizes = st.floats(min_value=0, max_value=1.7976931348623157e308)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Minutes around a New Year, with any numbers that bars can have."""
    first = at("2023-12-31T23:50")
    offsets = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=12)))
    rows = []
    for _ in offsets:
        low, a, b, high = sorted(draw(st.tuples(prices, prices, prices, prices)))
        vwap = draw(st.one_of(st.just(NAN), st.floats(allow_nan=False, allow_infinity=False)))
        trades = draw(st.one_of(st.just(NO_TRADES), st.integers(0, 2**62)))
        rows.append((a, high, low, b, draw(st.one_of(st.just(NAN), sizes)), vwap, trades))
    table = np.array([row[:6] for row in rows], np.float64)
    open_, high_, low_, close, volume, vwaps = table.T.copy()
    counts = np.array([row[6] for row in rows], np.int64)
    ts = first + np.array(offsets, np.int64) * MINUTE
    return Batch(ts, open_, high_, low_, close, volume, vwaps, counts)


@formats
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=batches(), outcome=st.sampled_from([Outcome.BARS, Outcome.PROVISIONAL]))
def test_any_bars_survive_the_journey(fmt: str, batch: Batch, outcome: Outcome) -> None:
    """Whatever numbers a bar may have, they come back to the last bit, and the files are the same."""
    needs(fmt)
    index = Instrument.parse("I:SPX")  # the class that may have no volume
    with TemporaryDirectory() as name:
        folder = Path(name)
        first, second = new_store(folder, name="first"), new_store(folder, name="second")
        span = Span(int(batch.ts[0]), int(batch.ts[-1]) + MINUTE)
        fill(first, "I:SPX", batch.ts.tolist(), span, batch=batch, outcome=outcome)
        export_all(first, folder / "one", fmt)
        import_folder(second, folder / "one", now=NOW)
        export_all(second, folder / "two", fmt)
        assert second.read(index, Base.MINUTE, EVER) == batch
        assert files_of(folder / "one") == files_of(folder / "two")
        first.close()
        second.close()
