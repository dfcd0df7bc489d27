"""Tables of people's own: what is read, what it proves, and how a row that cannot be is named."""

import gzip
import io
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.app.survey import settled_until
from gapless.calendars import open_calendar
from gapless.errors import StorageError, UsageError
from gapless.ledger import fold
from gapless.ports import Store
from gapless.transfer import ImportReceipt, Layout, import_table, sources
from gapless.vocabulary.batch import NO_TRADES
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from transfer.trading import NOW, at, fill, minutes, new_store

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
AAPL, BTC = Instrument.parse("AAPL"), Instrument.parse("X:BTCUSD")
EVER = Span(0, 2**50)
CALENDAR = open_calendar()
HEADER = "ts,open,high,low,close,volume"
MINUTES = Layout(Base.MINUTE, symbol="AAPL")


imported = partial(import_table, now=NOW, settled=partial(settled_until, CALENDAR, now=NOW))
"""An import at `NOW`."""


def table(folder: Path, *lines: str, name: str = "my.csv") -> Path:
    """A file of these lines."""
    file = folder / name
    file.write_text("\n".join(lines) + "\n")
    return file


def taken(folder: Path, layout: Layout, *lines: str) -> Store:
    """A store into which a file of these lines was imported."""
    store = new_store(folder)
    imported(store, table(folder, *lines), layout)
    return store


def test_a_file_is_read_as_it_is_described(tmp_path: Path) -> None:
    """Other names, another order, local time, a semicolon, a mark at the beginning: each is said once."""
    layout = Layout(
        Base.MINUTE,
        symbol="AAPL",
        columns={"ts": "Date", "close": "Last", "trades": "Count"},
        zone="America/New_York",
    )
    store = taken(
        tmp_path,
        layout,
        "\ufeffVWAP;Date;Last;Open;High;Low;Volume;Count;Junk",
        "185.25;2024-01-02 09:30:00;185.5;185;186;184.5;1000.5;17;x",
        ";2024-01-02 09:31:00;185.25;185.5;185.75;185;12;;",
        "",
    )
    bars = store.read(AAPL, Base.MINUTE, EVER)
    assert bars.ts.tolist() == minutes("2024-01-02T14:30", 2)
    assert bars.open.tolist() == [185.0, 185.5]
    assert bars.high.tolist() == [186.0, 185.75]
    assert bars.low.tolist() == [184.5, 185.0]
    assert bars.close.tolist() == [185.5, 185.25]
    assert bars.volume.tolist() == [1000.5, 12.0]
    assert bars.vwap[0] == 185.25
    assert np.isnan(bars.vwap[1])
    assert bars.trades.tolist() == [17, NO_TRADES]
    store.close()


@pytest.mark.parametrize(
    ("time", "zone", "stamp"),
    [
        ("iso", None, "2024-07-02T13:30:00Z"),
        ("iso", None, "2024-07-02 09:30:00-04:00"),
        ("iso", "America/New_York", "2024-07-02T09:30"),
        ("iso", "America/New_York", "2024-07-02T13:30:00+00:00"),
        ("s", None, "1719927000"),
        ("s", None, "1719927000.0"),
        ("ms", None, "1719927000000"),
        ("us", None, "1719927000000000"),
        ("ns", None, "1719927000000000000"),
        ("%m/%d/%Y %I:%M %p", "Europe/Berlin", "07/02/2024 03:30 PM"),
    ],
)
def test_stamps_mean_what_was_said(tmp_path: Path, time: str, zone: str | None, stamp: str) -> None:
    """Each way to write 13:30 UTC on 2 July 2024 is that minute."""
    layout = Layout(Base.MINUTE, symbol="AAPL", time=time, zone=zone)
    store = taken(tmp_path, layout, HEADER, f"{stamp},1,2,0.5,1,10")
    assert store.read(AAPL, Base.MINUTE, EVER).ts.tolist() == [at("2024-07-02T13:30")]
    store.close()


def test_a_stamp_can_be_the_end_of_its_bar(tmp_path: Path) -> None:
    """Then the bar began a minute before."""
    layout = Layout(Base.MINUTE, symbol="AAPL", stamp="end")
    store = taken(tmp_path, layout, HEADER, "2024-07-02T13:31Z,1,2,0.5,1,10")
    assert store.read(AAPL, Base.MINUTE, EVER).ts.tolist() == [at("2024-07-02T13:30")]
    store.close()


@pytest.mark.parametrize(
    ("symbol", "zone", "stamp", "text", "start"),
    [
        ("AAPL", None, "start", "2024-07-02", "2024-07-02T04:00"),
        ("AAPL", None, "start", "2024-01-02", "2024-01-02T05:00"),
        ("AAPL", None, "end", "2024-03-11", "2024-03-10T05:00"),
        ("AAPL", "UTC", "start", "2024-07-02T00:00:00Z", "2024-07-02T04:00"),
        ("AAPL", None, "start", "2024-07-02T04:00:00Z", "2024-07-02T04:00"),
        ("X:BTCUSD", None, "start", "2024-07-02", "2024-07-02T00:00"),
        ("C:EURUSD", "America/New_York", "start", "2024-07-02T04:00:00Z", "2024-07-02T00:00"),
    ],
)
def test_of_a_day_the_date_counts(
    tmp_path: Path, symbol: str, zone: str | None, stamp: str, text: str, start: str
) -> None:
    """A day bar stands at midnight of its date in the zone of its class, whatever zone wrote it."""
    layout = Layout(Base.DAY, symbol=symbol, zone=zone, stamp=stamp)
    store = taken(tmp_path, layout, HEADER, f"{text},1,2,0.5,1,10")
    assert store.read(Instrument.parse(symbol), Base.DAY, EVER).ts.tolist() == [at(start)]
    store.close()


def test_holes_stay_holes(tmp_path: Path) -> None:
    """A file proves its own minutes; what has no row is still to be asked for."""
    store = taken(
        tmp_path,
        MINUTES,
        HEADER,
        *(f"2024-01-02T14:{minute}Z,1,2,0.5,1,10" for minute in (30, 31, 32, 35, 40, 41)),
    )
    coverage = fold(store.entries(AAPL, Base.MINUTE))
    spans = [("14:30", "14:33"), ("14:35", "14:36"), ("14:40", "14:42")]
    assert coverage.covered == SpanSet(Span(at(f"2024-01-02T{a}"), at(f"2024-01-02T{b}")) for a, b in spans)
    assert coverage.covered == coverage.where(Outcome.BARS)
    store.close()


def test_days_prove_their_days(tmp_path: Path) -> None:
    """A week of days is one stretch over the clock change, and the weekend before is not in it."""
    days = ("2024-03-08", "2024-03-11", "2024-03-12")
    store = taken(tmp_path, Layout(Base.DAY, symbol="AAPL"), HEADER, *(f"{day},1,2,0.5,1,10" for day in days))
    assert fold(store.entries(AAPL, Base.DAY)).covered == SpanSet(
        [
            Span(at("2024-03-08T05:00"), at("2024-03-09T05:00")),
            Span(at("2024-03-11T04:00"), at("2024-03-13T04:00")),
        ]
    )
    store.close()


def test_the_source_is_named(tmp_path: Path) -> None:
    """Each entry has the file's name and digest."""
    import hashlib

    store = taken(tmp_path, MINUTES, HEADER, "2024-01-02T14:30Z,1,2,0.5,1,10")
    (entry,) = store.entries(AAPL, Base.MINUTE)
    assert entry.url == "import:my.csv"
    assert entry.digest == hashlib.sha256((tmp_path / "my.csv").read_bytes()).hexdigest()
    assert (entry.rows, entry.recorded, entry.reason) == (1, NOW, "imported from my.csv")
    assert [wish.instrument for wish in store.wishes()] == [AAPL]
    store.close()


def test_symbols_can_come_from_a_column(tmp_path: Path) -> None:
    """Rows of several symbols may be mixed; each is in order for itself."""
    layout = Layout(Base.MINUTE, columns={"symbol": "Ticker"})
    store = taken(
        tmp_path,
        layout,
        "Ticker," + HEADER,
        "AAPL,2024-01-02T14:30Z,1,2,0.5,1,10",
        "X:BTCUSD,2024-01-02T14:29Z,4,5,3,4,0.5",
        "x:BTCUSD,2024-01-02T14:30Z,4,5,3,4,0.25",
        "AAPL,2024-01-02T14:31Z,1,2,0.5,1,20",
    )
    assert store.read(AAPL, Base.MINUTE, EVER).volume.tolist() == [10.0, 20.0]
    assert store.read(BTC, Base.MINUTE, EVER).volume.tolist() == [0.5, 0.25]
    store.close()


GOOD = "2024-01-02T14:30Z,1,2,0.5,1,10"


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("2024-01-02T14:31Z,1,2,0.5,1,-1", "column `volume`: `-1`: it is negative"),
        ("2024-01-02T14:31Z,1,2,0.5,1,", "column `volume`: ``: it is missing"),
        ("2024-01-02T14:31Z,,2,0.5,1,1", "column `open`: ``: it is missing"),
        ("2024-01-02T14:31Z,nan,2,0.5,1,1", "column `open`: `nan`: it is missing"),
        ("2024-01-02T14:31Z,1,inf,0.5,1,1", "column `high`: `inf`: .* no finite number"),
        ("2024-01-02T14:31Z,$1,2,0.5,1,1", r"column `open`: `\$1` is not a number"),
        ("2024-01-02T14:31Z,1,2,0.5,1,1e999", "column `volume`: .* infinite"),
        ("2024-01-02T14:31Z,-1,2,-2,1,1", "column `open`: .* not above zero"),
        ("2024-01-02T14:31Z,1,0.9,0.5,0.8,1", "column `high`: .* below the open"),
        ("2024-01-02T14:31Z,1,2,1.5,1,1", "column `low`: .* above the open"),
        ("2024-01-02T14:30Z,1,2,0.5,1,1", "column `ts`: .* not after"),
        ("2024-01-02T14:29Z,1,2,0.5,1,1", "column `ts`: .* not after"),
        ("2024-01-02T14:31:30Z,1,2,0.5,1,1", "column `ts`: .* whole minute"),
        ("2024-01-02T14:31:00.0001Z,1,2,0.5,1,1", "column `ts`: .* whole number of milliseconds"),
        ("2024-01-02T14:31,1,2,0.5,1,1", "column `ts`: .* no time zone"),
        ("Tuesday,1,2,0.5,1,1", "column `ts`: `Tuesday` is not a time"),
        (",1,2,0.5,1,1", "column `ts`: `` is not a time"),
        ("2026-06-01T00:00Z,1,2,0.5,1,1", "column `ts`: .* not over yet"),
        ("2024-01-02T14:31Z,1,2,0.5,1", "5 cells, and the header 6"),
        ("2024-01-02T14:31Z,1,2,0.5,1,1,000", "7 cells, and the header 6"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, row: str, place: str) -> None:
    """The line, the column, what was there and why it cannot be; and nothing of the file is imported."""
    store = new_store(tmp_path)
    file = table(tmp_path, HEADER, GOOD, "", row)
    with pytest.raises(UsageError, match=f"my.csv`, line 4(, |: .*){place}"):
        imported(store, file, MINUTES)
    assert store.series() == []
    assert store.wishes() == []
    store.close()


@pytest.mark.parametrize("stamp", ["2024-11-03T01:30", "2024-03-10T02:30"])
def test_an_hour_that_is_twice_or_never_is_not_guessed(tmp_path: Path, stamp: str) -> None:
    """In the nights of the clock change local time does not say which minute is meant."""
    layout = Layout(Base.MINUTE, symbol="X:BTCUSD", zone="America/New_York")
    with pytest.raises(UsageError, match="twice or never"):
        taken(tmp_path, layout, HEADER, f"{stamp},1,2,0.5,1,10")


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("Date,open,high,low,close,volume", "no column `ts`"),
        ("ts,open,high,low,volume,v", "no column `close`"),
        ("ts,Open,OPEN,high,low,close", "more than one column `open`"),
        ("", "no column `ts`"),
    ],
)
def test_columns_that_are_not_there_are_named(tmp_path: Path, header: str, what: str) -> None:
    """The error lists what the file has."""
    with pytest.raises(UsageError, match=what):
        taken(tmp_path, MINUTES, header, "1,2,3,4,5,6")


def test_without_a_symbol_there_are_no_bars(tmp_path: Path) -> None:
    """It is in a column, or it is given; a cell that is no ticker is named."""
    with pytest.raises(UsageError, match="no column `symbol`") as caught:
        taken(tmp_path, Layout(Base.MINUTE), HEADER, GOOD)
    assert "--symbol" in caught.value.hint
    with pytest.raises(UsageError, match=r"line 3, column `symbol`: `NO SUCH` is not a ticker"):
        taken(tmp_path, Layout(Base.MINUTE), HEADER + ",symbol", GOOD + ",AAPL", GOOD + ",NO SUCH")


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": "hours"},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc"},
        {"stamp": "middle"},
        {"columns": {"price": "P"}},
    ],
)
def test_a_layout_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    """At the door, before any file is opened."""
    with pytest.raises(UsageError):
        Layout(Base.MINUTE, symbol="AAPL", **wrong)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00\x01binary", HEADER.encode() + b'\n"unclosed', b"PAR1 nonsense", b""]
)
@pytest.mark.parametrize("name", ["my.csv", "my.parquet"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, data: bytes, name: str) -> None:
    """Whatever it is, it is named, and nothing is imported."""
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(data)
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match=name):
        imported(store, tmp_path / name, MINUTES)
    assert store.series() == []
    store.close()


@pytest.mark.parametrize("name", ["my.csv", "my.parquet"])
def test_a_file_without_rows_is_no_import(tmp_path: Path, name: str) -> None:
    """Nothing came in, and that is said."""
    if name == "my.csv":
        table(tmp_path, HEADER)
    else:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        none: dict[str, list[float]] = {column: [] for column in HEADER.split(",")}
        parquet.write_table(pa.table(none), tmp_path / name)
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match="has no rows"):
        imported(store, tmp_path / name, MINUTES)
    store.close()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Not a silent import of nothing."""
    store = new_store(tmp_path)
    with pytest.raises((UsageError, StorageError), match=r"none\.csv"):
        imported(store, tmp_path / "none.csv", MINUTES)
    store.close()


@pytest.mark.parametrize(
    ("symbol", "base", "now", "final", "changing"),
    [
        ("X:BTCUSD", Base.MINUTE, "2024-01-02T15:30:59", ["2024-01-02T14:29"], ["2024-01-02T14:30"]),
        ("X:BTCUSD", Base.DAY, "2024-01-03T00:00", ["2024-01-01T00:00"], ["2024-01-02T00:00"]),
        ("X:BTCUSD", Base.DAY, "2024-01-03T01:00", ["2024-01-01T00:00", "2024-01-02T00:00"], []),
        ("AAPL", Base.MINUTE, "2024-01-03T01:59", ["2023-12-29T20:59"], ["2024-01-02T14:30"]),
        ("AAPL", Base.MINUTE, "2024-01-03T02:00", ["2023-12-29T20:59", "2024-01-02T14:30"], []),
        ("C:EURUSD", Base.MINUTE, "2024-01-02T14:31", [], ["2024-01-02T14:29", "2024-01-02T14:30"]),
    ],
)
def test_a_row_is_final_only_once_its_market_has_settled(
    tmp_path: Path, symbol: str, base: Base, now: str, final: list[str], changing: list[str]
) -> None:
    """An hour after a minute of a coin began, or its day ended; of a stock at 21:00 in New York."""
    store, instrument = new_store(tmp_path), Instrument.parse(symbol)
    file = table(tmp_path, HEADER, *(f"{stamp}Z,1,2,0.5,1,10" for stamp in [*final, *changing]))
    moment = at(now)
    import_table(
        store,
        file,
        Layout(base, symbol=symbol),
        now=moment,
        settled=partial(settled_until, CALENDAR, now=moment),
    )
    assert store.read(instrument, base, EVER).ts.tolist() == [at(stamp) for stamp in [*final, *changing]]
    found = fold(store.entries(instrument, base))
    for outcome, stamps in ((Outcome.BARS, final), (Outcome.PROVISIONAL, changing)):
        own = SpanSet(Span(at(stamp), at(stamp) + base.step) for stamp in stamps)
        assert found.where(outcome) == own
    store.close()


# -- against what is there ---------------------------------------------------


def test_bars_of_the_vendor_are_not_overwritten_in_silence(tmp_path: Path) -> None:
    """A bar that differs is refused with an example; equal ones are not written again."""
    store = new_store(tmp_path)
    starts = minutes("2024-01-02T14:30", 3)
    fill(store, "AAPL", starts)
    held = store.read(AAPL, Base.MINUTE, EVER)
    row = ",".join(str(getattr(held, name)[0]) for name in ("open", "high", "low", "close", "volume", "vwap"))
    file = table(
        tmp_path,
        HEADER + ",vwap,trades",
        f"2024-01-02T14:30Z,{row},7",
        "2024-01-02T14:31Z,1,2,0.5,1,10,,",
        "2024-01-02T14:33Z,1,2,0.5,1,10,,",
    )
    with pytest.raises(UsageError, match=r"^1 bars .* 2024-01-02T14:31:00Z"):
        imported(store, file, MINUTES)
    assert store.read(AAPL, Base.MINUTE, EVER) == held
    receipt = imported(store, file, MINUTES, replace=True)
    counts = receipt.stored
    assert (counts.inserted, counts.corrected, counts.withdrawn, counts.unchanged) == (1, 1, 0, 1)
    assert store.read(AAPL, Base.MINUTE, EVER).volume.tolist() == [1000.5, 10.0, 1002.5, 10.0]
    assert store.read(AAPL, Base.MINUTE, EVER, as_of=NOW - 1) == held
    store.close()


def test_the_same_file_again_writes_nothing(tmp_path: Path) -> None:
    """Neither bars nor entries."""
    store = taken(tmp_path, MINUTES, HEADER, GOOD, "2024-01-02T14:35Z,1,2,0.5,1,10")
    before = store.entries(AAPL, Base.MINUTE)
    receipt = imported(store, tmp_path / "my.csv", MINUTES, now=NOW + 1)
    assert (receipt.rows, receipt.stored.unchanged, receipt.stored.inserted) == (2, 2, 0)
    assert store.entries(AAPL, Base.MINUTE) == before
    store.close()


# -- Parquet -----------------------------------------------------------------

EASTERN = timezone(timedelta(hours=-5))
HALF_PAST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "kind", "layout"),
    [
        (HALF_PAST, ("ms", "UTC"), Layout(Base.MINUTE, symbol="AAPL")),
        (HALF_PAST, ("ns", "America/New_York"), Layout(Base.MINUTE, symbol="AAPL")),
        (
            datetime.fromisoformat("2024-01-02T09:30"),
            ("us", None),
            Layout(Base.MINUTE, symbol="AAPL", zone="America/New_York"),
        ),
        (at("2024-01-02T14:30"), "int64", Layout(Base.MINUTE, symbol="AAPL", time="ms")),
        ("2024-01-02T14:30:00Z", "string", Layout(Base.MINUTE, symbol="AAPL")),
    ],
)
def test_times_of_parquet_need_no_words(
    tmp_path: Path, stamp: object, kind: str | tuple[str, str | None], layout: Layout
) -> None:
    """Columns that are times already are taken as such; numbers and text as in CSV."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    typed = pa.timestamp(*kind) if isinstance(kind, tuple) else getattr(pa, kind)()
    numbers = {"open": [1.0], "high": [2], "low": [0.5], "close": [1.5], "volume": [10], "vwap": [None]}
    parquet.write_table(pa.table({"ts": pa.array([stamp], typed), **numbers}), tmp_path / "my.parquet")
    store = new_store(tmp_path)
    imported(store, tmp_path / "my.parquet", layout)
    bars = store.read(AAPL, Base.MINUTE, EVER)
    assert bars.ts.tolist() == [at("2024-01-02T14:30")]
    assert (bars.high.tolist(), bars.volume.tolist(), bool(np.isnan(bars.vwap[0]))) == ([2.0], [10.0], True)
    store.close()


def test_rows_of_parquet_are_named_too(tmp_path: Path) -> None:
    """By their number from 1; a null where a number is needed is missing."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    days = [date(2024, 1, 2), date(2024, 1, 3)]
    one = pa.array([1.0, 1.0])
    columns = {
        "ts": days,
        "open": one,
        "high": one,
        "low": one,
        "close": pa.array([1.0, None]),
        "volume": one,
    }
    parquet.write_table(pa.table(columns), tmp_path / "my.parquet")
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match=r"my\.parquet`, row 2, column `close`"):
        imported(store, tmp_path / "my.parquet", Layout(Base.DAY, symbol="AAPL"))
    store.close()


# -- real files, and many rows -----------------------------------------------


@pytest.mark.shared
def test_an_exchange_s_minutes_come_in_whole(tmp_path: Path) -> None:
    """Bitfinex's BTCUSD minutes of 2016: every row is there, and every hole is still asked for."""
    source = DATA / "crypto/bitfinex/BTCUSD/2016/merged.csv.gz"
    if not source.is_file():
        pytest.skip("the recorded market data is not beside the project")
    raw = gzip.decompress(source.read_bytes()).decode()
    rows = np.loadtxt(io.StringIO(raw), delimiter=",")[:30_000]
    file = tmp_path / "bitfinex.csv"
    file.write_text("ms,open,close,high,low,volume\n" + "".join(raw.splitlines(keepends=True)[:30_000]))
    layout = Layout(Base.MINUTE, symbol="X:BTCUSD", columns={"ts": "ms"}, time="ms")
    store = new_store(tmp_path)
    receipt = imported(store, file, layout)
    bars = store.read(BTC, Base.MINUTE, EVER)
    assert receipt.rows == len(bars) == len(rows)
    assert np.array_equal(
        np.column_stack([bars.ts, bars.open, bars.close, bars.high, bars.low, bars.volume]), rows
    )
    covered = fold(store.entries(BTC, Base.MINUTE)).covered
    assert covered.length == len(rows) * MINUTE
    store.close()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    offsets=st.sets(st.integers(0, 3000), min_size=1, max_size=60),
    base=st.sampled_from([Base.MINUTE, Base.DAY]),
)
def test_what_is_covered_is_what_has_a_row(
    tmp_path_factory: pytest.TempPathFactory, offsets: set[int], base: Base
) -> None:
    """Minute by minute and day by day, for any file: covered where a row is, and nowhere else."""
    folder = tmp_path_factory.mktemp("table")
    first = datetime(2015, 1, 1, tzinfo=UTC)
    step = timedelta(minutes=1) if base is Base.MINUTE else timedelta(days=1)
    stamps = [first + offset * step for offset in sorted(offsets)]
    store = taken(
        folder, Layout(base, symbol="X:BTCUSD"), HEADER, *(f"{s:%Y-%m-%dT%H:%M}Z,1,2,0.5,1,9" for s in stamps)
    )
    covered = fold(store.entries(BTC, base)).covered
    length = MINUTE if base is Base.MINUTE else DAY
    assert covered == SpanSet(
        Span(at(f"{s:%Y-%m-%dT%H:%M}"), at(f"{s:%Y-%m-%dT%H:%M}") + length) for s in stamps
    )
    store.close()


def test_a_long_file_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that is there twice is found even where the second one begins a part, before anything is written."""
    monkeypatch.setattr(sources, "_ROWS", 500)
    starts = minutes("2020-01-01T00:00", 700)
    rows = [f"{ts},1,2,0.5,1,10" for ts in starts]
    layout = Layout(Base.MINUTE, symbol="X:BTCUSD", time="ms")
    store = new_store(tmp_path)
    for at_row in (500, 700):
        file = table(tmp_path, HEADER, *rows[:at_row], rows[at_row - 1], *rows[at_row:])
        with pytest.raises(UsageError, match=rf"line {at_row + 2}, column `ts`: .*not after"):
            imported(store, file, layout)
    assert store.series() == []
    imported(store, table(tmp_path, HEADER, *rows), layout)
    assert fold(store.entries(BTC, Base.MINUTE)).covered == SpanSet([Span(starts[0], starts[-1] + MINUTE)])
    assert len(store.entries(BTC, Base.MINUTE)) == 2
    store.close()


def test_a_receipt_says_what_happened(tmp_path: Path) -> None:
    """Where from, how many rows, how many series, and what the store did."""
    store = new_store(tmp_path)
    receipt = imported(store, table(tmp_path, HEADER, GOOD), MINUTES)
    assert isinstance(receipt, ImportReceipt)
    assert (receipt.path, receipt.rows, receipt.series, receipt.stored.inserted) == (
        str(tmp_path / "my.csv"),
        1,
        1,
        1,
    )
    store.close()
