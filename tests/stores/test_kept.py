"""Bars that stay unpacked: sooner at hand, never instead of looking at what is on disk."""

from pathlib import Path

import pytest

from gapless.errors import StoreDamaged
from gapless.stores.kept import Kept
from gapless.vocabulary.timeframe import MINUTE, Base
from stores.making import EVER, SPY, T0, bar, batch, minutes, opened, put, url_of
from stores.test_damage import tamper


def test_damage_is_found_however_often_the_bars_were_read(tmp_path: Path) -> None:
    """Their checksum is compared with the bytes on disk each time."""
    url = url_of("packed", tmp_path)
    store = opened(url)
    put(store, minutes(50), at=10)
    for _ in range(2):
        assert store.read(SPY, Base.MINUTE, EVER) == batch(minutes(50))

    tamper(url, "UPDATE segment SET payload = zeroblob(length(payload))")

    with pytest.raises(StoreDamaged):
        store.read(SPY, Base.MINUTE, EVER)
    store.close()


def test_a_correction_is_seen_at_once(tmp_path: Path) -> None:
    """What stays unpacked is of a set of segments, and a correction is one more of them."""
    url = url_of("packed", tmp_path)
    reader, writer = opened(url), opened(url)
    put(writer, minutes(5), at=10)
    assert reader.read(SPY, Base.MINUTE, EVER) == batch(minutes(5))

    corrected = {**minutes(5), T0 + MINUTE: bar(99.0)}
    put(writer, corrected, at=11)

    assert reader.read(SPY, Base.MINUTE, EVER) == batch(corrected)
    assert reader.read(SPY, Base.MINUTE, EVER, as_of=10) == batch(minutes(5))
    for store in (reader, writer):
        store.close()


def test_nobody_can_change_what_others_will_read(tmp_path: Path) -> None:
    """Arrays that are handed out again cannot be written to."""
    store = opened(url_of("packed", tmp_path))
    put(store, minutes(5), at=10)
    for _ in range(2):
        with pytest.raises(ValueError, match="read-only"):
            store.read(SPY, Base.MINUTE, EVER).close[0] = 0.0
    store.close()


def test_the_latest_bars_are_kept_and_no_more_than_so_many() -> None:
    """What was not asked for the longest time goes first; what is large never stays."""
    kept = Kept(most=16)
    first = batch(minutes(4))

    kept.put((b"a",), first)
    kept.put((b"b",), batch(minutes(4)))
    kept.put((b"c",), batch(minutes(4)))
    kept.put((b"d",), batch(minutes(4)))
    assert kept.get((b"a",)) is first
    kept.put((b"e",), batch(minutes(4)))
    kept.put((b"large",), batch(minutes(5)))

    there = [name for name in (b"a", b"b", b"c", b"d", b"e", b"large") if kept.get((name,)) is not None]
    assert there == [b"a", b"c", b"d", b"e"]
    assert kept.get((b"a", b"c")) is None
