"""What one reader sees together is of one moment, and what vouches for it is the fold of the ledger."""

import sqlite3
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.errors import StoreDamaged
from gapless.ledger import fold
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Outcome
from gapless.vocabulary.timeframe import MINUTE, Base
from stores.making import EVER, KINDS, SPY, T0, batch, file_of, minutes, opened, put, url_of

DAMAGED = "segment is not what its checksum says"


@pytest.mark.parametrize("kind", KINDS)
def test_bars_and_ledger_of_one_moment(kind: str, tmp_path: Path) -> None:
    """What another process writes meanwhile is neither vouched for nor read until the moment is over."""
    url = url_of(kind, tmp_path)
    with_bars, other = opened(url), opened(url)
    put(with_bars, minutes(5), at=10)

    with with_bars.moment():
        before = with_bars.covered(SPY, Base.MINUTE)
        put(other, minutes(5, start=T0 + 5 * MINUTE), at=11)
        assert len(with_bars.read(SPY, Base.MINUTE, EVER)) == 5
        assert with_bars.covered(SPY, Base.MINUTE) == before
        assert len(with_bars.entries(SPY, Base.MINUTE)) == 1

    assert len(with_bars.read(SPY, Base.MINUTE, EVER)) == 10
    assert with_bars.covered(SPY, Base.MINUTE).covers(Span(T0, T0 + 10 * MINUTE))
    with_bars.close()
    other.close()


words = st.lists(
    st.tuples(
        st.integers(0, 25), st.integers(1, 15), st.sampled_from([o for o in Outcome if o is not Outcome.BARS])
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=words)
@pytest.mark.parametrize("kind", KINDS)
def test_covered_is_the_fold_of_the_ledger(
    kind: str, written: list[tuple[int, int, Outcome]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After every write, told by the one who wrote and by one who only reads."""
    url = url_of(kind, tmp_path_factory.mktemp("covered"))
    writer, reader = opened(url), opened(url)
    for at, (start, length, outcome) in enumerate(written):
        entry = Entry(SPY, Base.MINUTE, Span(start, start + length), outcome, recorded=at)
        writer.write(Checked(SPY, Base.MINUTE, Batch.empty(), (entry,)))
        for store in (writer, reader):
            assert store.covered(SPY, Base.MINUTE) == fold(store.entries(SPY, Base.MINUTE)).covered
    writer.close()
    reader.close()


def as_an_earlier_gapless_wrote(file: Path, spoil: bytes = b"") -> None:
    """Give every segment the number and the checksum of the first codec; its payload is the same."""
    db = sqlite3.connect(file)
    found = db.execute("SELECT id, start_ts, end_ts, bars, written, payload FROM segment").fetchall()
    for number, start, end, bars, written, payload in found:
        head = f"SPY 1m|{start}|{end}|{bars}|1|{written}|".encode()
        checksum = blake2b(head + payload + spoil, digest_size=16).digest()
        db.execute("UPDATE segment SET codec = 1, checksum = ? WHERE id = ?", (checksum, number))
    db.commit()
    db.close()


def test_segments_of_the_first_codec_are_read(tmp_path: Path) -> None:
    """They have a checksum of another kind."""
    url = url_of("packed", tmp_path)
    store = opened(url)
    put(store, minutes(50), at=10)
    store.close()

    as_an_earlier_gapless_wrote(file_of(url))
    store = opened(url)
    assert store.read(SPY, Base.MINUTE, EVER) == batch(minutes(50))
    assert not list(store.verify())
    store.close()

    as_an_earlier_gapless_wrote(file_of(url), spoil=b"!")
    store = opened(url)
    with pytest.raises(StoreDamaged, match=DAMAGED):
        store.read(SPY, Base.MINUTE, EVER)
    store.close()
