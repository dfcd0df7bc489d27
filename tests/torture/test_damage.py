"""Stored bytes that change: found, never served, healed."""

import pytest

from torture.damage import HARNESS, exchange_contents, hide, measure


def test_damage_is_found_and_never_served_and_heals() -> None:
    """Of every kind of damage, in both kinds of store."""
    figure = measure(HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (HARNESS.small, 0), figure.detail


def test_checksums_switched_off_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that believes whatever it reads serves what is false."""
    monkeypatch.setattr("gapless.stores.segments.Segment.intact", lambda _segment, _series: True)
    monkeypatch.setattr("gapless.stores.plain.sound", lambda *_: True)
    assert measure(4, 1, strikes=(exchange_contents,)).broken > 0


def test_segments_that_are_not_added_up_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes what its index shows for all there is serves too little."""
    monkeypatch.setattr(
        "gapless.stores.packed.payload_bytes", lambda _connection, listed: listed.stored_bytes
    )
    assert measure(2, 1, strikes=(hide,)).broken > 0
