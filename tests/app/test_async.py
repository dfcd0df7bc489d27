"""The front door for event loops: the same calls, none of which holds the loop up; and a run that is cancelled."""

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import gapless
from engine.living import NOW, OwnedClock, asked, living, store_url, warehouse
from gapless import AsyncWarehouse, Warehouse
from gapless.sandbox import Latency, Pinned, Sandbox, SyntheticMarket
from gapless.vocabulary.events import Event, PageStored

START, END = "2026-11-09", "2026-11-14"


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    """A made-up market."""
    return SyntheticMarket(seed=71)


@pytest.fixture
def vendor(market: SyntheticMarket) -> Iterator[Sandbox]:
    """A vendor that takes a moment for each answer."""
    with living(market, now=Pinned(NOW), latency=Latency(0.05)) as sandbox:
        yield sandbox


def doors(kind: type) -> dict[str, inspect.Signature]:
    """The public methods of a class, its parents' too, with their signatures."""
    return {
        name: inspect.signature(member)
        for name, member in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def test_every_method_is_a_coroutine_with_the_same_signature() -> None:
    """But `stop`, which waits for nothing; each refers to the one whose words it does not repeat."""
    assert doors(AsyncWarehouse) == doors(Warehouse)
    for name in doors(Warehouse):
        method = getattr(AsyncWarehouse, name)
        assert inspect.iscoroutinefunction(method) == (name != "stop")
        assert (method.__doc__ or "").startswith(f"As `Warehouse.{name}`")


async def test_what_is_fetched_is_read(vendor: Sandbox, tmp_path: Path) -> None:
    """Every call comes back with what its plain twin gives, while the loop goes on."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    beside = asyncio.create_task(tick())
    house = warehouse(vendor.url, store_url(tmp_path, "packed"), OwnedClock())
    async with AsyncWarehouse(house) as w:
        assert (await w.plan(["AAPL"], ["5m"], START, END)).requests == 1
        assert (await w.backfill(["AAPL", "SPY"], ["5m", "1d"], START, END)).exit_code == 0
        assert ticks > 3
        bars = await w.bars(["AAPL", "SPY"], "1h", START, END, session="regular")
        assert bars.polars().equals(house.bars(["AAPL", "SPY"], "1h", START, END, session="regular").polars())
        assert [line.percent for line in await w.status()] == [100.0] * 4
        assert await w.gaps() == []
        assert (await w.explain("AAPL", "1d", START)).verdict == "bar"
        assert (await w.sql("select count(*) from bars where timeframe = '1d'")).rows == [(10,)]
        assert (await w.scan(["SPY"], ["1d"])).polars().collect().height == 5
        assert await w.revisions("AAPL") == []
        assert await w.quality(["SPY"]) == house.quality(["SPY"])
        assert await w.actions("AAPL") == house.actions("AAPL")
        assert await w.judged("AAPL") == house.judged("AAPL")
        assert await w.verify() == []
        assert (await w.update()).exit_code == 0
        assert (await w.repair()).exit_code == 0
        assert all(finding.what != "vendor" or finding.ok for finding in await w.doctor())
        rows = (await w.export(tmp_path / "out", "csv", ["SPY"], ["1d"])).rows
        assert (await w.import_(tmp_path / "out")).rows == rows == 5
    beside.cancel()


async def test_runs_take_turns(vendor: Sandbox, tmp_path: Path) -> None:
    """Two backfills that need the same series at once do not turn each other away."""
    house = warehouse(vendor.url, store_url(tmp_path, "packed"), OwnedClock())
    async with AsyncWarehouse(house) as w:
        first, second, bars = await asyncio.gather(
            w.backfill(["AAPL"], ["5m"], START, END),
            w.backfill(["AAPL"], ["1h"], START, END),
            w.bars("AAPL", "30m", START, END, on_gap="fetch"),
        )
        assert (first.exit_code, second.exit_code, bars.gaps) == (0, 0, ())
        assert asked(vendor) == 1


async def test_cancelling_a_run_keeps_what_was_read(
    vendor: Sandbox, market: SyntheticMarket, tmp_path: Path
) -> None:
    """It ends after the pages in hand, well before the last; the store is closed in peace and can go on."""
    symbols = [ticker.instrument.ticker for ticker in market.tickers if ":" not in ticker.instrument.ticker]
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(event: Event) -> None:
        if isinstance(event, PageStored):
            loop.call_soon_threadsafe(heard.set)

    house = warehouse(vendor.url, store_url(tmp_path, "packed"), OwnedClock(), workers="1")
    async with AsyncWarehouse(house) as w:
        run = asyncio.create_task(w.backfill(symbols, ["1d"], START, END, tell=tell))
        await asyncio.wait_for(heard.wait(), 20)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        pages = asked(vendor)
        assert 1 <= pages < len(symbols)
        assert len(await w.bars(symbols, "1d", START, END, on_gap="mark")) == 5 * pages
        assert (await w.backfill(symbols, ["1d"], START, END)).exit_code == 0
        assert asked(vendor) == len(symbols)


async def test_a_run_that_is_cancelled_at_once_does_not_go_on(vendor: Sandbox, tmp_path: Path) -> None:
    """Before it was planned, or while it waits for its turn."""
    house = warehouse(vendor.url, store_url(tmp_path, "packed"), OwnedClock(), workers="1")
    async with AsyncWarehouse(house) as w:
        runs = [asyncio.create_task(w.backfill(["AAPL", "SPY", "QQQ"], ["1d"], START, END)) for _ in range(2)]
        await asyncio.sleep(0)
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        assert asked(vendor) <= 1


async def test_a_plain_warehouse_works_inside_a_loop(vendor: Sandbox, tmp_path: Path) -> None:
    """As in a notebook, whose cells run in one."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), OwnedClock()) as w:
        assert w.backfill(["AAPL"], ["1d"], START, END).exit_code == 0
        assert len(w.bars("AAPL")) == 5


async def test_a_store_is_opened_by_name(
    vendor: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With settings as keywords, as `gapless.open` has them."""
    monkeypatch.setenv("MASSIVE_API_KEY", "sandbox")
    monkeypatch.chdir(tmp_path)
    async with gapless.open_async("mine.gapless", massive_base_url=vendor.url, massive_plan="advanced") as w:
        assert w.warehouse.settings.base_url == vendor.url
        assert await w.status() == []
    assert (tmp_path / "mine.gapless").exists()
