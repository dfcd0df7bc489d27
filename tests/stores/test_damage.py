"""Damage: found by verify, never served, repaired by asking again."""

import sqlite3
import struct
from pathlib import Path

import pytest

from gapless.errors import StoreDamaged
from gapless.ports import Store
from gapless.stores import restore_store
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Damage, Outcome, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, Base, Timeframe
from stores.making import EVER, KINDS, SPY, T0, Bar, bar, batch, checked, file_of, opened, put, url_of

DAYS = 6


def day_bars(day: int) -> dict[int, Bar]:
    """300 minutes of a day; no two days have the same prices."""
    return {T0 + day * DAY + i * MINUTE: bar(round(100 + day + i * 7 % 13 / 100, 2)) for i in range(300)}


BARS = {ts: b for day in range(DAYS) for ts, b in day_bars(day).items()}


def day_span(day: int) -> Span:
    """A day of the stored bars."""
    return Span(T0 + day * DAY, T0 + day * DAY + 300 * MINUTE)


def fill(url: str) -> None:
    """Make a store with six days of minutes, written day by day."""
    store = opened(url)
    for day in range(DAYS):
        put(store, day_bars(day), at=10 + day)
    store.close()


def tamper(url: str, *statements: str) -> None:
    """Change the file behind the store's back."""
    db = sqlite3.connect(file_of(url))
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def flip_on_disk(url: str, pattern: bytes) -> None:
    """Flip one bit of the file where these bytes are."""
    data = bytearray(file_of(url).read_bytes())
    at = data.index(pattern)
    assert data.find(pattern, at + 1) < 0
    data[at + len(pattern) // 2] ^= 4
    file_of(url).write_bytes(data)


def heal(store: Store, damages: list[Damage], days: set[int]) -> None:
    """Set the damages aside and ask again for those days; then all is as it was."""
    for damage in damages:
        store.set_aside(damage, now=1000)
    assert list(store.verify()) == []
    left = store.read(SPY, Base.MINUTE, EVER)
    assert left == batch({ts: BARS[ts] for ts in left.ts.tolist()})
    lost = [entry.span for entry in store.entries(SPY, Base.MINUTE) if entry.outcome is Outcome.LOST]
    assert {day for day in range(DAYS) if any(span.overlaps(day_span(day)) for span in lost)} == days
    for day in days:
        put(store, day_bars(day), at=2000)
    assert store.read(SPY, Base.MINUTE, EVER) == batch(BARS)
    assert list(store.verify()) == []


FLIP = "CAST(substr(payload, 1, 100) || x'55' || substr(payload, 102) AS BLOB)"
BLANK = "CAST(substr(payload, 1, length(payload) - 9) || zeroblob(9) AS BLOB)"
SWAP = (
    "UPDATE segment SET (payload, checksum) = "
    "(SELECT payload, checksum FROM kept WHERE kept.id = 5 - segment.id) WHERE id IN (2, 3)"
)
ONE_MORE = (
    "INSERT INTO bar SELECT series_id, provisional, ts + 1, open, high, low, close, volume, vwap, trades, written "
    f"FROM bar WHERE ts = {T0 + 2 * DAY}"
)
PACKED = {
    "a changed byte": ({2}, f"UPDATE segment SET payload = {FLIP} WHERE id = 3"),
    "a payload whose end is zeros": (
        {2},
        f"UPDATE segment SET payload = {BLANK} WHERE id = 3",
    ),
    "a payload of another day": (
        {2},
        "UPDATE segment SET payload = (SELECT payload FROM segment WHERE id = 4) WHERE id = 3",
    ),
    "segments that swapped contents": (
        {1, 2},
        "CREATE TEMP TABLE kept AS SELECT * FROM segment",
        SWAP,
    ),
    "a segment moved in time": (
        {2},
        f"UPDATE segment SET start_ts = start_ts + {MINUTE}, end_ts = end_ts + {MINUTE} WHERE id = 3",
    ),
    "a segment that claims to be older": ({2}, "UPDATE segment SET written = 1 WHERE id = 3"),
}
PLAIN = {
    "a changed price": ({2}, f"UPDATE bar SET close = close + 0.01 WHERE ts = {T0 + 2 * DAY}"),
    "text for a number": ({2}, f"UPDATE bar SET high = 'x' WHERE ts = {T0 + 2 * DAY}"),
    "a missing row": ({2}, f"DELETE FROM bar WHERE ts = {T0 + 2 * DAY}"),
    "a row too many": (
        {2},
        ONE_MORE,
    ),
    "rows that swapped places": (
        {2, 3},
        f"UPDATE bar SET ts = -1 WHERE ts = {T0 + 2 * DAY}",
        f"UPDATE bar SET ts = {T0 + 2 * DAY} WHERE ts = {T0 + 3 * DAY}",
        f"UPDATE bar SET ts = {T0 + 3 * DAY} WHERE ts = -1",
    ),
    "a row that claims to be older": ({2}, f"UPDATE bar SET written = 1 WHERE ts = {T0 + 2 * DAY}"),
}
CASES = [
    pytest.param(kind, *case, id=f"{kind}: {name}")
    for kind, cases in (("packed", PACKED), ("plain", PLAIN))
    for name, case in ((name, (days, statements)) for name, (days, *statements) in cases.items())
]


@pytest.mark.parametrize(("kind", "days", "statements"), CASES)
def test_damage_is_found_never_served_and_healed(
    tmp_path: Path, kind: str, days: set[int], statements: list[str]
) -> None:
    """Every way to harm stored bars is found, raises where they are read, and heals by asking again."""
    url = url_of(kind, tmp_path)
    fill(url)
    tamper(url, *statements)
    store = opened(url)
    damages = list(store.verify())
    assert {day for day in range(DAYS) if any(d.span.overlaps(day_span(day)) for d in damages)} == days
    for day in range(DAYS):
        if day not in days:
            assert store.read(SPY, Base.MINUTE, day_span(day)) == batch(day_bars(day))
            continue
        with pytest.raises(StoreDamaged, match="SPY 1m") as refused:
            store.read(SPY, Base.MINUTE, day_span(day))
        assert "gapless verify --repair" in refused.value.hint
    heal(store, damages, days)
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_on_disk_is_found(tmp_path: Path, kind: str) -> None:
    """One bit that turned in the closed file is enough."""
    url = url_of(kind, tmp_path)
    fill(url)
    if kind == "packed":
        db = sqlite3.connect(file_of(url))
        ((payload,),) = db.execute("SELECT payload FROM segment WHERE id = 3").fetchall()
        db.close()
        flip_on_disk(url, payload[100:130])
    else:
        ts = T0 + 2 * DAY
        flip_on_disk(url, ts.to_bytes(6, "big") + struct.pack(">d", day_bars(2)[ts][0]))
    store = opened(url)
    damages = list(store.verify())
    assert len(damages) == 1
    with pytest.raises(StoreDamaged):
        store.read(SPY, Base.MINUTE, day_span(2))
    heal(store, damages, {2})
    store.close()


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("packed", "DELETE FROM segment WHERE id = 3"),
        ("packed", "UPDATE segment SET series_id = 99 WHERE id = 3"),
        (
            "plain",
            f"DELETE FROM bar WHERE ts < {T0 + DAY}; DELETE FROM bar_stretch WHERE number < {T0 // DAY + 1}",
        ),
    ],
)
def test_bars_that_vanished_are_missed(tmp_path: Path, kind: str, statement: str) -> None:
    """Bars that went without a trace do not add up to the catalogue's count; their series is asked for again."""
    url = url_of(kind, tmp_path)
    fill(url)
    tamper(url, *statement.split(";"))
    store = opened(url)
    (damage,) = store.verify()
    assert "1500" in damage.what
    assert "1800" in damage.what
    heal(store, [damage], set(range(DAYS)))
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM segment WHERE id = 3",
        "UPDATE segment SET series_id = 99 WHERE id = 3",
        "UPDATE segment SET payload = substr(payload, 1, length(payload) - 9) WHERE id = 3",
    ],
)
def test_a_packed_series_with_a_hole_in_its_log_is_not_served(tmp_path: Path, statement: str) -> None:
    """Segments that are missing leave no trace where they were, so none of their series is believed."""
    url = url_of("packed", tmp_path)
    fill(url)
    tamper(url, statement)
    store = opened(url)
    with pytest.raises(StoreDamaged, match="not all that were written"):
        store.read(SPY, Base.MINUTE, day_span(2))
    with pytest.raises(StoreDamaged, match="not all that were written"):
        list(store.revisions(SPY, Base.MINUTE, EVER))
    with pytest.raises(StoreDamaged):
        store.count(SPY, Base.MINUTE, SpanSet([EVER]))
    for damage in list(store.verify()):
        store.set_aside(damage, now=1000)
    for day in range(DAYS):
        put(store, day_bars(day), at=2000)
    assert store.read(SPY, Base.MINUTE, EVER) == batch(BARS)
    store.close()


def test_a_plain_series_with_wrong_edges_is_served_whole(tmp_path: Path) -> None:
    """What the catalogue says of the first and last bar decides nothing about what is read."""
    url = url_of("plain", tmp_path)
    fill(url)
    tamper(url, f"UPDATE series SET last_ts = {T0 + DAY}, bars = 400")
    store = opened(url)
    assert store.read(SPY, Base.MINUTE, EVER) == batch(BARS)
    assert list(store.verify()) != []
    store.close()


def test_rows_that_make_no_sense_are_damage(tmp_path: Path) -> None:
    """Words that no gapless ever wrote are told as damage of the file, not as a fault of the program."""
    url = url_of("packed", tmp_path)
    fill(url)
    tamper(url, "UPDATE ledger SET outcome = 'bxrs'")
    store = opened(url)
    with pytest.raises(StoreDamaged, match="bxrs"):
        store.entries(SPY, Base.MINUTE)
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_history_that_was_damaged_is_not_made_up(tmp_path: Path, kind: str) -> None:
    """After a repair the bars of now are served; what they were before the damage nobody can say."""
    url = url_of(kind, tmp_path)
    fill(url)
    name, statements = ("a changed byte", PACKED) if kind == "packed" else ("a changed price", PLAIN)
    tamper(url, str(statements[name][1]))
    store = opened(url)
    heal(store, list(store.verify()), {2})
    with pytest.raises(StoreDamaged, match="at that moment"):
        store.read(SPY, Base.MINUTE, EVER, as_of=500)
    assert store.read(SPY, Base.MINUTE, day_span(1), as_of=500) == batch(day_bars(1))
    assert store.read(SPY, Base.MINUTE, EVER, as_of=2000) == batch(BARS)
    store.close()


def test_damaged_revisions_are_not_served(tmp_path: Path) -> None:
    """An earlier version in the plain store has its own checksum."""
    url = url_of("plain", tmp_path)
    fill(url)
    store = opened(url)
    put(store, {ts: bar(1.0) for ts in day_bars(0)}, at=100)
    store.close()
    tamper(url, "UPDATE bar_revision SET close = 0")
    store = opened(url)
    assert len(store.read(SPY, Base.MINUTE, EVER)) == len(BARS)
    with pytest.raises(StoreDamaged, match="earlier version"):
        store.read(SPY, Base.MINUTE, EVER, as_of=50)
    with pytest.raises(StoreDamaged, match="earlier version"):
        list(store.revisions(SPY, Base.MINUTE, EVER))
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_no_revisions_are_told_of_damaged_bars(tmp_path: Path, kind: str) -> None:
    """What changed cannot be told where what is there is not what was written; elsewhere it can."""
    url = url_of(kind, tmp_path)
    fill(url)
    store = opened(url)
    put(store, day_bars(4) | {T0 + 4 * DAY: bar(1.0)}, at=100)
    name, statements = ("a changed byte", PACKED) if kind == "packed" else ("a changed price", PLAIN)
    tamper(url, str(statements[name][1]))
    with pytest.raises(StoreDamaged, match="SPY 1m"):
        list(store.revisions(SPY, Base.MINUTE, EVER))
    (only,) = store.revisions(SPY, Base.MINUTE, day_span(4))
    assert (only.ts, only.written) == (T0 + 4 * DAY, 100)
    store.close()


def test_a_damaged_segment_is_not_counted_by_what_is_in_it(tmp_path: Path) -> None:
    """Where a segment has to be opened to count its bars, its checksum is asked first."""
    url = url_of("packed", tmp_path)
    fill(url)
    tamper(url, str(PACKED["a changed byte"][1]))
    store = opened(url)
    half = Span(T0 + 2 * DAY, T0 + 2 * DAY + 100 * MINUTE)
    with pytest.raises(StoreDamaged):
        store.count(SPY, Base.MINUTE, SpanSet([half]))
    assert store.count(SPY, Base.MINUTE, SpanSet([day_span(3)])) == 300
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE bar SET provisional = 1 WHERE ts = {T0 + 2 * DAY}",
        f"UPDATE bar SET provisional = 0 WHERE ts = {T0 + 2 * DAY + 299 * MINUTE}",
    ],
)
def test_a_mark_that_the_ledger_does_not_bear_out_is_found(tmp_path: Path, change: str) -> None:
    """Bars that call themselves final, or provisional, and are not: verify tells, asking again heals."""
    url = url_of("plain", tmp_path)
    store = opened(url)
    bars, edge = day_bars(2), T0 + 2 * DAY + 200 * MINUTE
    final, still_open = (
        {ts: b for ts, b in bars.items() if (ts < edge) is before} for before in (True, False)
    )
    put(store, final, at=1)
    span = Span(edge, edge + 100 * MINUTE)
    store.write(checked(still_open, span, 2, outcome=Outcome.PROVISIONAL))
    assert list(store.verify()) == []
    tamper(url, change)
    damages = list(store.verify())
    assert [damage.what for damage in damages] == ["its rows are not as final as the ledger says"]
    for damage in damages:
        store.set_aside(damage, now=1000)
    assert list(store.verify()) == []
    store.close()


def test_derived_rows_that_disagree_are_found(tmp_path: Path) -> None:
    """A row of a derived timeframe that its base bars do not give is damage, and is made anew."""
    url = url_of("plain", tmp_path)
    fill(url)
    store = opened(url)
    store.remember([Wish(SPY, Timeframe.parse("1h"), day_span(0))])
    assert list(store.verify()) == []
    tamper(url, "UPDATE bar SET volume = volume + 1 WHERE series_id = 2")
    damages = list(store.verify())
    assert [damage.what for damage in damages] == ["rows of 1h are not what the 1m bars give"]
    heal(store, damages, set(range(DAYS)))
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_file_is_named(tmp_path: Path, kind: str) -> None:
    """A file that lost its second half is an error of storage, on opening or on verifying; nothing is served."""
    url = url_of(kind, tmp_path)
    fill(url)
    data = file_of(url).read_bytes()
    file_of(url).write_bytes(data[: len(data) // 2])

    def look() -> None:
        store = opened(url)
        try:
            if list(store.verify()):
                raise StoreDamaged("found")
        finally:
            store.close()

    with pytest.raises(StoreDamaged):
        look()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_whose_names_are_no_text_is_named_and_replaced(tmp_path: Path, kind: str) -> None:
    """SQLite's own words then hold bytes that are no text; a backup takes its place."""
    url = url_of(kind, tmp_path)
    fill(url)
    store = opened(url)
    store.backup(tmp_path / "backup")
    store.close()
    broken = "CAST(X'6261AC72' AS TEXT)"
    tamper(
        url,
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_schema SET name = {broken}, sql = {broken} WHERE name = 'ledger'",
    )
    with pytest.raises(StoreDamaged):
        opened(url)
    restore_store(tmp_path / "backup", url, replace=True)
    store = opened(url)
    assert store.read(SPY, Base.MINUTE, EVER) == batch(BARS)
    store.close()
