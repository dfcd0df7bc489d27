"""What an export writes: the layout, the numbers, the manifest; and what it does not make twice."""

import csv
import hashlib
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from gapless.errors import StorageError, UsageError
from gapless.frames import Piece, SymbolBars
from gapless.transfer import FORMATS, export, export_database
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Damage, Outcome, Wish
from gapless.vocabulary.timeframe import DAY, TIMEFRAMES, Base
from stores.making import harm
from transfer.trading import (
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
    opened,
    pieces_of,
    reader,
)
from transfer.working import export_database_slowly, export_slowly

SPAWN = multiprocessing.get_context("spawn")
formats = pytest.mark.parametrize("fmt", FORMATS)
YEARS = Span(at("2000-01-01"), at("2040-01-01"))


def needs(fmt: str) -> None:
    """Skip where the library of a format is not installed."""
    if fmt != "csv":
        pytest.importorskip("pyarrow")


def test_a_csv_file_is_what_a_person_would_write(tmp_path: Path) -> None:
    """Times in UTC, the shortest numbers that come back the same, nothing where nothing is known."""
    store = new_store(tmp_path)
    first, second, third = minutes("2024-01-02T14:30", 3)
    bars = batch_at([first, second, third])
    bars.open[:] = (185.5, 0.1 + 0.2, 1e22)
    bars.low[:] = (185.0, 0.1, 1e21)
    bars.high[:] = (186.0, 7, 5e22)
    bars.close[:] = (185.25, 5, 1e22)
    fill(store, "AAPL", [first, second, third], batch=bars)
    export_all(store, tmp_path / "bars")
    text = (tmp_path / "bars/timeframe=1m/symbol=AAPL/year=2024/bars.csv").read_text()
    assert text.splitlines() == [
        "ts,open,high,low,close,volume,vwap,trades,final",
        "2024-01-02T14:30:00Z,185.5,186.0,185.0,185.25,1000.5,100.03333333333333,7,true",
        f"2024-01-02T14:31:00Z,0.30000000000000004,7.0,0.1,5.0,1001.5,{100.01 + 0.1 / 3!r},8,true",
        "2024-01-02T14:32:00Z,1e+22,5e+22,1e+21,1e+22,1002.5,,,true",
    ]
    store.close()


def test_pandas_reads_the_folder(tmp_path: Path) -> None:
    """The folder's name is enough: what is not bars in it is passed over, and names of symbols are decoded."""
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    store = new_store(tmp_path)
    for symbol in ("PEBpE", "X:BTCUSD"):
        fill(store, symbol, minutes("2024-01-02T14:30", 3))
    export_all(store, tmp_path / "bars", "parquet")
    frame = pandas.read_parquet(tmp_path / "bars")
    assert sorted(frame["symbol"].astype(str)) == ["PEBpE"] * 3 + ["X:BTCUSD"] * 3
    assert str(frame["ts"].dtype) == "datetime64[ms, UTC]"
    store.close()


@pytest.mark.parametrize("fmt", ["parquet", "arrow"])
def test_columns_have_the_types_that_readers_expect(tmp_path: Path, fmt: str) -> None:
    """Times know that they are UTC; what is missing is null; the folders give symbol, timeframe and year."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import dataset

    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 3))
    fill(store, "X:BTCUSD", minutes("2025-01-02T14:30", 2))
    export_all(store, tmp_path / "bars", fmt)
    found = dataset.dataset(
        tmp_path / "bars", format=fmt, partitioning="hive", exclude_invalid_files=True
    ).to_table()
    assert found.schema.field("ts").type == pa.timestamp("ms", "UTC")
    assert {str(found.schema.field(n).type) for n in ("open", "high", "low", "close", "volume", "vwap")} == {
        "double"
    }
    assert found.schema.field("trades").type == pa.int64()
    assert found.schema.field("final").type == pa.bool_()
    rows = sorted(found.to_pylist(), key=lambda row: row["ts"])
    assert [(row["symbol"], row["timeframe"], row["year"]) for row in rows] == [
        *[("AAPL", "1m", 2024)] * 3,
        *[("X:BTCUSD", "1m", 2025)] * 2,
    ]
    assert rows[0]["ts"] == datetime.fromisoformat("2024-01-02T14:30:00+00:00")
    assert [row["vwap"] is None for row in rows] == [False, False, True, False, False]
    assert [row["trades"] for row in rows] == [7, 8, None, 7, 8]
    store.close()


@formats
def test_the_manifest_tells_of_every_file(tmp_path: Path, fmt: str) -> None:
    """Digest, rows, first and last bar, what was covered; the digests are those of the files."""
    needs(fmt)
    store = new_store(tmp_path)
    span = Span(at("2023-12-31T23:00"), at("2024-01-01T02:00"))
    fill(store, "X:BTCUSD", minutes("2023-12-31T23:58", 4), span)
    receipt = export_all(store, tmp_path / "bars", fmt)
    manifest = json.loads((tmp_path / "bars/_manifest.json").read_text())
    assert manifest["head"] == {"format": fmt, "raw": True, "about": {}}
    new_year = at("2024-01-01")
    told = {path: (r["rows"], r["first"], r["last"], r["proofs"]) for path, r in manifest["files"].items()}
    assert told == {
        f"timeframe=1m/symbol=X%3ABTCUSD/year=2023/bars.{fmt}": (
            2,
            at("2023-12-31T23:58"),
            at("2023-12-31T23:59"),
            [[span.start, new_year, "bars"]],
        ),
        f"timeframe=1m/symbol=X%3ABTCUSD/year=2024/bars.{fmt}": (
            2,
            new_year,
            at("2024-01-01T00:01"),
            [[new_year, span.end, "bars"]],
        ),
    }
    for path, record in manifest["files"].items():
        data = (tmp_path / "bars" / path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (record["sha256"], record["bytes"])
    assert (receipt.rows, receipt.files, receipt.made, receipt.kept) == (4, 2, 2, 0)
    assert not list((tmp_path / "bars").rglob("*.part"))
    store.close()


def test_what_is_known_to_be_nothing_is_told_too(tmp_path: Path) -> None:
    """A year that was empty has a file without bars and its proof; a year that nobody asked for has none."""
    store = new_store(tmp_path)
    empty = Span(at("2021-01-01"), at("2022-01-01"))
    fill(store, "AAPL", [], empty, outcome=Outcome.EMPTY, batch=Batch.empty())
    fill(store, "AAPL", minutes("2023-05-02T14:30", 2))
    export_all(store, tmp_path / "bars")
    manifest = json.loads((tmp_path / "bars/_manifest.json").read_text())
    assert [(r["year"], r["rows"]) for r in manifest["files"].values()] == [(2021, 0), (2023, 2)]
    assert next(iter(manifest["files"].values()))["proofs"] == [[empty.start, empty.end, "empty"]]
    store.close()


def test_names_of_symbols_are_safe_and_come_back(tmp_path: Path) -> None:
    """Tickers that differ in case differ without it; each name is the symbol again, percent-decoded."""
    store = new_store(tmp_path)
    symbols = ["AAPL", "BRK.B", "PEBPE", "PEBpE", "X:BTCUSD", "I:SPX", "A^B", "A-B_C"]
    for symbol in symbols:
        fill(store, symbol, minutes("2024-01-02T14:30", 1))
    export_all(store, tmp_path / "bars")
    names = [folder.name.removeprefix("symbol=") for folder in (tmp_path / "bars/timeframe=1m").iterdir()]
    assert {unquote(name) for name in names} == set(symbols)
    assert len({name.casefold() for name in names}) == len(symbols)
    assert not [name for name in names if set(name) & set('/\\:*?"<>|')]
    store.close()


def test_the_same_export_again_makes_nothing(tmp_path: Path) -> None:
    """Files that are as they were, of entries that are as they were, are kept; bars are not even read."""
    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 3))
    export_all(store, tmp_path / "bars")
    before = (tmp_path / "bars/_manifest.json").read_bytes()

    def read(piece: Piece) -> SymbolBars:
        raise AssertionError(piece)

    receipt = export_all(store, tmp_path / "bars", read=read)
    assert (receipt.rows, receipt.made, receipt.kept) == (3, 0, 1)
    assert (tmp_path / "bars/_manifest.json").read_bytes() == before
    store.close()


def test_only_what_changed_is_made_again(tmp_path: Path) -> None:
    """A corrected year, a damaged file and a missing one are made again, the rest is kept."""
    store = new_store(tmp_path)
    for year in (2021, 2022, 2023, 2024):
        fill(store, "AAPL", minutes(f"{year}-03-02T14:30", 3))
    out = tmp_path / "bars"
    export_all(store, out)
    fill(
        store, "AAPL", minutes("2022-03-02T14:30", 3), batch=batch_at(minutes("2022-03-02T14:30", 3), first=7)
    )
    wanted = dict(files_of(out))
    paths = {year: f"timeframe=1m/symbol=AAPL/year={year}/bars.csv" for year in (2021, 2022, 2023, 2024)}
    (out / paths[2023]).write_text("nonsense")
    (out / paths[2024]).unlink()
    receipt = export_all(store, out)
    assert (receipt.made, receipt.kept) == (3, 1)
    found = files_of(out)
    assert [year for year, path in paths.items() if found[path] != wanted[path]] == [2022]
    assert found[paths[2022]].splitlines()[1].startswith(b"2022-03-02T14:30:00Z,7.0,")
    store.close()


def test_an_export_into_the_same_folder_adds_to_it(tmp_path: Path) -> None:
    """Other symbols and other months come beside what is there, and nothing is lost."""
    store = new_store(tmp_path)
    for symbol in ("AAPL", "MSFT"):
        fill(store, symbol, [*minutes("2024-01-02T14:30", 3), *minutes("2024-03-01T14:30", 3)])
    out = tmp_path / "bars"
    january, march = (Span(at(f"2024-0{month}-01"), at(f"2024-0{month + 1}-01")) for month in (1, 3))
    for symbol, month in (("AAPL", january), ("MSFT", january), ("AAPL", march)):
        export(
            out, "csv", [Piece(symbol, "1m", month)], reader(store), ledger=ledger(store), raw=True, about={}
        )
    manifest = json.loads((out / "_manifest.json").read_text())
    assert {r["symbol"]: r["rows"] for r in manifest["files"].values()} == {"AAPL": 6, "MSFT": 3}
    store.close()


@formats
def test_a_killed_export_goes_on_where_it_was(tmp_path: Path, fmt: str) -> None:
    """After `kill -9` what was finished is kept, and the end is as if nothing had happened."""
    needs(fmt)
    store = new_store(tmp_path)
    for year in range(2017, 2025):
        fill(store, "AAPL", minutes(f"{year}-03-02T14:30", 50))
    whole = tmp_path / "whole"
    export_all(store, whole, fmt)
    out = tmp_path / "bars"
    ours, theirs = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=export_slowly, args=(tmp_path, out, fmt, theirs, 6))
    process.start()
    theirs.close()
    assert ours.poll(60)
    ours.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (out / "_manifest.json").exists()
    read: list[int] = []

    def counted(piece: Piece) -> SymbolBars:
        read.append(piece.span.start)
        return reader(store)(piece)

    receipt = export_all(store, out, fmt, counted)
    assert (receipt.made, receipt.kept, len(read)) == (3, 5, 3)
    assert files_of(out) == files_of(whole)
    assert (out / "_manifest.json").read_bytes() == (whole / "_manifest.json").read_bytes()
    assert sorted(file.name for file in out.iterdir()) == ["_manifest.json", "timeframe=1m"]
    store.close()


def test_a_torn_line_of_the_journal_costs_one_file(tmp_path: Path) -> None:
    """What the power cut left of the last line is cut off, and its file made again."""
    store = new_store(tmp_path)
    for year in (2021, 2022, 2023):
        fill(store, "AAPL", minutes(f"{year}-03-02T14:30", 3))
    out = tmp_path / "bars"

    def read(piece: Piece) -> SymbolBars:
        if piece.span.start >= at("2023-01-01"):
            raise KeyboardInterrupt
        return reader(store)(piece)

    with pytest.raises(KeyboardInterrupt):
        export_all(store, out, read=read)
    journal = out / "_manifest.journal"
    journal.write_bytes(journal.read_bytes()[:-40])
    with pytest.raises(KeyboardInterrupt):
        export_all(store, out, read=read)
    receipt = export_all(store, out)
    assert (receipt.made, receipt.kept) == (1, 2)
    assert len(files_of(out)) == 3
    store.close()


def test_only_one_export_writes_to_a_folder(tmp_path: Path) -> None:
    """A second one is told so, and the first goes on."""
    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 3))

    def read(piece: Piece) -> SymbolBars:
        with pytest.raises(UsageError, match="Another export"):
            export_all(store, tmp_path / "bars")
        return reader(store)(piece)

    assert export_all(store, tmp_path / "bars", read=read).made == 1
    store.close()


def test_bars_are_read_a_year_at_a_time(tmp_path: Path) -> None:
    """However much is asked for, no piece that is read is longer than a year, and none is before the first entry."""
    store = new_store(tmp_path)
    fill(
        store,
        "AAPL",
        [at("2019-06-03T14:30"), at("2024-06-03T14:30")],
        Span(at("2019-01-01"), at("2025-01-01")),
    )
    spans: list[Span] = []

    def read(piece: Piece) -> SymbolBars:
        spans.append(piece.span)
        return reader(store)(piece)

    for_ever = Span(0, 32_503_680_000_000)
    pieces = pieces_of(store, for_ever)
    export(tmp_path / "bars", "csv", pieces, read, ledger=ledger(store), raw=True, about={})
    assert spans == [Span(at(f"{year}-01-01"), at(f"{year + 1}-01-01")) for year in range(2019, 2025)]
    store.close()


def test_a_write_while_bars_are_read_is_not_missed(tmp_path: Path) -> None:
    """A file never says of bars what was true only before or after they were read."""
    store = new_store(tmp_path)
    starts = minutes("2024-01-02T14:30", 3)
    fill(store, "AAPL", starts)
    reads = 0

    def read(piece: Piece) -> SymbolBars:
        nonlocal reads
        reads += 1
        found = reader(store)(piece)
        if reads == 1:
            fill(store, "AAPL", starts, batch=batch_at(starts, first=7))
        return found

    assert export_all(store, tmp_path / "bars", read=read).rows == 3
    assert reads == 2
    (text,) = files_of(tmp_path / "bars").values()
    assert text.splitlines()[1].startswith(b"2024-01-02T14:30:00Z,7.0,")
    assert export_all(store, tmp_path / "bars").kept == 1
    store.close()


def test_a_derived_year_looks_beyond_its_end(tmp_path: Path) -> None:
    """The week that begins in December is made again when its days in January change."""
    store = new_store(tmp_path)
    days = [at("2024-12-30T05:00"), at("2024-12-31T05:00")]
    fill(store, "AAPL", days, Span(days[0], days[-1] + DAY), base=Base.DAY)
    pieces = [Piece("AAPL", "1w", YEARS)]
    out = tmp_path / "bars"
    export(out, "csv", pieces, reader(store), ledger=ledger(store), raw=True, about={})
    january = [at("2025-01-02T05:00")]
    fill(store, "AAPL", january, Span(january[0], january[0] + DAY), base=Base.DAY)
    again = export(out, "csv", pieces, reader(store), ledger=ledger(store), raw=True, about={})
    assert again.made >= 1
    manifest = json.loads((out / "_manifest.json").read_text())
    assert all(record["proofs"] == [] for record in manifest["files"].values())
    store.close()


def test_what_else_bars_are_made_from_counts(tmp_path: Path) -> None:
    """With another basis, such as a new split, an adjusted file is made again."""
    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 3))

    def adjusted(basis: str) -> int:
        return export(
            tmp_path / "bars",
            "csv",
            pieces_of(store),
            reader(store),
            ledger=ledger(store),
            raw=False,
            about={"adjust": "splits"},
            basis={"AAPL": basis},
        ).made

    assert [adjusted("4:1"), adjusted("4:1"), adjusted("4:1 2:1")] == [1, 0, 1]
    store.close()


def test_places_that_are_taken_are_left_alone(tmp_path: Path) -> None:
    """A file, a folder with other things, and a folder of another export are refused, and nothing is changed."""
    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 3))
    (tmp_path / "file").write_text("mine")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.png").write_text("mine")
    export_all(store, tmp_path / "bars")
    for name, what in (("file", "no folder"), ("photos", "not of an export")):
        with pytest.raises(UsageError, match=what):
            export_all(store, tmp_path / name)
    with pytest.raises(UsageError, match="holds another export"):
        export(
            tmp_path / "bars",
            "csv",
            [],
            reader(store),
            ledger=ledger(store),
            raw=False,
            about={"adjust": "all"},
        )
    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["cat.png"]
    with pytest.raises(UsageError, match="not a format"):
        export_all(store, tmp_path / "new", "xlsx")
    assert not (tmp_path / "new").exists()
    store.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error is ours and says where."""
    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 3))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="file"):
        export_all(store, tmp_path / "file/bars")
    store.close()


def test_csv_and_sqlite_need_no_other_library(tmp_path: Path) -> None:
    """Without pyarrow CSV is written, and Parquet says what to install."""
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from gapless.transfer import export\n"
        "from gapless.errors import UsageError\n"
        "out = Path(sys.argv[1])\n"
        "how = dict(ledger=lambda piece: [], raw=True, about={})\n"
        "export(out / 'a', 'csv', [], None, **how)\n"
        "try: export(out / 'b', 'parquet', [], None, **how)\n"
        "except UsageError as error: print(error.hint)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert 'pip install "gapless[arrow]"' in run.stdout


# -- sqlite ------------------------------------------------------------------


def test_a_database_is_a_store_of_its_own(tmp_path: Path) -> None:
    """Anything that reads SQLite sees the bars; gapless sees the ledger too."""
    store = new_store(tmp_path)
    fill(store, "AAPL", minutes("2024-01-02T14:30", 10))
    wishes = [Wish(Instrument.parse("AAPL"), TIMEFRAMES[name], YEARS) for name in ("1m", "5m")]
    out = tmp_path / "market_data.db"
    receipt = export_database(store, out, wishes, opened)
    assert (receipt.rows, receipt.files) == (10, 1)
    database = sqlite3.connect(out)
    counts = database.execute("SELECT timeframe, COUNT(*) FROM market_data GROUP BY 1 ORDER BY 1").fetchall()
    database.close()
    assert counts == [("1m", 10), ("5m", 2)]
    assert sorted(file.name for file in tmp_path.glob("*market*")) == ["market_data.db"]
    with pytest.raises(UsageError, match="there already"):
        export_database(store, out, wishes, opened)
    store.close()


def test_a_database_says_of_bars_what_was_said_when_they_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bars that are set aside in the middle of it are there as they were, never a hole that is vouched for."""
    store, other = new_store(tmp_path), new_store(tmp_path)
    for day in (2, 3, 4):
        fill(store, "AAPL", minutes(f"2024-01-0{day}T14:30", 10))
    lost = Damage(Instrument.parse("AAPL"), Base.MINUTE, Span(at("2024-01-03"), at("2024-01-05")), "by then")
    read = store.read

    def read_then_lost(*how: Any) -> Any:  # noqa: ANN401 - the store's own
        found = read(*how)
        monkeypatch.undo()
        harm(other.url)
        other.set_aside(lost, now=NOW)
        return found

    monkeypatch.setattr(store, "read", read_then_lost)
    receipt = export_database(
        store, tmp_path / "out.db", [Wish(lost.instrument, TIMEFRAMES["1m"], YEARS)], opened
    )
    assert receipt.rows == 30
    store.close()
    other.close()


def test_a_database_has_no_bars_of_the_time_between_two_wishes(tmp_path: Path) -> None:
    """Nor does its ledger speak of it."""
    store = new_store(tmp_path)
    starts = minutes("2024-01-02T14:30", 10)
    fill(store, "AAPL", starts)
    spans = Span(starts[0], starts[2]), Span(starts[7], starts[8])
    aapl = Instrument.parse("AAPL")
    wishes = [Wish(aapl, TIMEFRAMES[name], span) for name, span in zip(("1m", "5m"), spans, strict=True)]
    assert export_database(store, tmp_path / "market_data.db", wishes, opened).rows == 3
    copy = opened(f"sqlite:///{tmp_path}/market_data.db")
    assert copy.covered(aapl, Base.MINUTE) == SpanSet(spans)
    assert copy.read(aapl, Base.MINUTE, YEARS).ts.tolist() == [*starts[:2], starts[7]]
    copy.close()
    store.close()


def test_a_killed_database_export_goes_on(tmp_path: Path) -> None:
    """The file has its name only when it is whole; a second attempt takes up what the first one wrote."""
    store = new_store(tmp_path)
    span = Span(at("2024-01-01"), at("2025-01-01"))
    symbols = ["AAPL", "MSFT"]
    for symbol in symbols:
        fill(store, symbol, minutes("2024-01-02T14:30", 50))
    out = tmp_path / "market_data.db"
    ours, theirs = SPAWN.Pipe(duplex=False)
    args = (tmp_path, out, symbols, span, theirs)
    process = SPAWN.Process(target=export_database_slowly, args=args)
    process.start()
    theirs.close()
    assert ours.poll(60)
    ours.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not out.exists()
    wishes = [Wish(Instrument.parse(symbol), TIMEFRAMES["1m"], span) for symbol in symbols]
    assert export_database(store, out, wishes, opened).rows == 100
    assert [file.name for file in tmp_path.glob("*market_data*")] == ["market_data.db"]
    store.close()


def test_an_empty_cell_is_no_zero(tmp_path: Path) -> None:
    """An index has no volume: the cell is empty."""
    store = new_store(tmp_path)
    starts = minutes("2024-01-02T14:30", 2)
    bars = batch_at(starts)
    bars.volume[:] = NAN
    fill(store, "I:SPX", starts, batch=bars)
    export_all(store, tmp_path / "bars")
    (file,) = (tmp_path / "bars").rglob("*.csv")
    assert [row["volume"] for row in csv.DictReader(file.read_text().splitlines())] == ["", ""]
    store.close()
