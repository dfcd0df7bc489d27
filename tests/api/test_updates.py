"""A server that updates its own store every day."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.served import serving
from cli.program import Gapless, ended, until
from engine.living import NOW, OwnedClock, asked, living, store_url, stored, truth, utc, warehouse
from gapless.sandbox import Latency, Sandbox, SyntheticMarket
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base


@pytest.fixture
def clock() -> OwnedClock:
    """The time of one test, the same for both sides."""
    return OwnedClock()


@pytest.fixture
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=7), now=clock) as sandbox:
        yield sandbox


@pytest.fixture
def behind(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> str:
    """A store that was last updated three days ago."""
    url = store_url(tmp_path, "packed")
    clock.at = NOW - 3 * DAY
    with warehouse(vendor.url, url, clock) as house:
        assert house.backfill(["X:BTCUSD"], ["1m", "1d"], "2026-11-16").exit_code == 0
    clock.at = NOW
    return url


def test_a_server_makes_up_for_what_was_missed(vendor: Sandbox, clock: OwnedClock, behind: str) -> None:
    """It was off for three days: the store equals the vendor's truth soon after it is on again, and is served."""
    days = Span(utc("2026-11-16"), utc("2026-11-24"))
    with serving(behind, clock, vendor=vendor.url, serve_update_at="21:30") as client:
        until(
            lambda: len(client.data("/v1/runs")["runs"]) > 1 and client.data("/v1/runs")["runs"][0]["ended"]
        )
        assert client.data("/v1/bars/X:BTCUSD?timeframe=1d&on_gap=raise")["gaps"] == []
    with warehouse(vendor.url, behind, clock) as house:
        for base in Base:
            assert stored(house, "X:BTCUSD", base, days) == truth(vendor, "X:BTCUSD", base, days)


def test_a_server_that_stops_in_the_middle_of_an_update_keeps_what_it_read(
    clock: OwnedClock, tmp_path: Path
) -> None:
    """It lets go of everything, and the next update brings the store to the vendor's truth."""
    symbols, days = ["AAPL", "MSFT", "NVDA", "SPY", "QQQ", "DIA"], Span(utc("2026-11-17"), utc("2026-11-24"))
    url = store_url(tmp_path, "packed")
    with living(SyntheticMarket(seed=7), now=clock, latency=Latency(0.3)) as slow:
        clock.at = NOW - 3 * DAY
        with warehouse(slow.url, url, clock) as house:
            house.backfill(symbols, ["1d"], "2026-11-16")
        clock.at, before = NOW, asked(slow)
        with serving(url, clock, vendor=slow.url, serve_update_at="21:30", workers="1"):
            until(lambda: asked(slow) - before > 1)
        assert asked(slow) - before < len(symbols)
        with warehouse(slow.url, url, clock) as house:
            assert house.update().exit_code == 0
            for symbol in symbols:
                assert stored(house, symbol, Base.DAY, days) == truth(slow, symbol, Base.DAY, days)


def test_a_server_that_is_not_told_to_asks_for_nothing(
    vendor: Sandbox, clock: OwnedClock, behind: str
) -> None:
    """However far its store is behind."""
    before = vendor.stats["total"]
    with serving(behind, clock, vendor=vendor.url) as client:
        assert client("/readyz").status == 200
    assert vendor.stats["total"] == before


def test_the_program_tells_when_it_will_update(tmp_path: Path) -> None:
    """On standard error, and it ends with a signal at once."""
    program = Gapless(tmp_path, {"MASSIVE_API_KEY": "sandbox"})
    with program.started("serve", "--port", "0", "--update-at", "06:00 Europe/Berlin") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        lines = [process.stderr.readline().decode() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert ended(process, 20).code == 0
    assert any(
        line.startswith("The next update is due at ") and "(06:00 Europe/Berlin)" in line for line in lines
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("--update-at", "25:00"),
            2,
            "`serve.update_at` (from flag) cannot be used: `25:00` is not a time of day.",
        ),
        (("--update-at", "21:30 Berlin"), 2, "`Berlin` is not a time zone."),
        (("--update-at", "21:30"), 4, "There is no API key."),
    ],
)
def test_what_could_never_update_is_refused(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """At once, not every night."""
    refused = Gapless(tmp_path)("serve", "--port", "0", *words)
    assert refused.code == code
    assert said in refused.error
    assert refused.hint
