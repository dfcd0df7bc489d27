"""Looks at everything a run needs before the run does, and says what to mend."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from gapless.app.instants import iso, midnight
from gapless.app.looping import run_to_end
from gapless.errors import GaplessError, RunOver
from gapless.fetch import Rate, unpack
from gapless.ports import Calendar, Clock, Store
from gapless.providers import Holiday, Massive
from gapless.settings import Settings
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Page, Request
from gapless.vocabulary.timeframe import DAY

_LEAST_FREE = 1 << 30
_STOCK = Instrument(AssetClass.STOCKS, "SPY")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, what was seen, and what to do if it is not."""

    ok: bool
    what: str
    detail: str
    hint: str = ""


def examine(settings: Settings, store: Store | None, calendar: Calendar, clock: Clock) -> Iterator[Finding]:
    """Store, disk, calendar, key and vendor, in the order in which a run would need them."""
    yield _store(settings, store)
    yield _disk(settings)
    known = calendar.known(_STOCK)
    yield Finding(
        known.end > clock.now() + 30 * DAY,
        "calendar",
        f"knows US sessions from {iso(known.start)} to {iso(known.end)}",
        "Upgrade the package exchange-calendars.",
    )
    try:
        settings.key  # noqa: B018 - looking for it is the check
    except RunOver as error:
        yield Finding(False, "key", error.message, error.hint)
        return
    yield Finding(True, "key", f"set ({settings.origin('massive.key')})")
    yield from _vendor(settings, store, calendar, clock)


def _store(settings: Settings, store: Store | None) -> Finding:
    if store is None:
        return Finding(True, "store", f"{settings.store} is not there yet; the first backfill makes it")
    series = store.series()
    bars = sum(one.bars for one in series)
    return Finding(
        True, "store", f"{store.url}: {bars:,} bars in {len(series)} series, {store.size():,} bytes"
    )


def _disk(settings: Settings) -> Finding:
    folder = Path(settings.store.removeprefix("sqlite:///")).expanduser().absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Finding(
        free >= _LEAST_FREE,
        "disk",
        f"{free / 2**30:.1f} GiB free at {folder}",
        "Free some space before a large run.",
    )


def _vendor(settings: Settings, store: Store | None, calendar: Calendar, clock: Clock) -> Iterator[Finding]:
    """One request: it proves the address, the key and the vendor's holidays at once."""
    provider = Massive(settings.base_url)
    try:
        page = run_to_end(_ask(settings, store, clock, provider.holidays_request()))
        holidays = provider.decode_holidays(page)
    except GaplessError as error:
        yield Finding(False, "vendor", error.message, error.hint or "Check the network and massive.base_url.")
        return
    yield Finding(True, "vendor", f"{settings.base_url} answered and knows the key")
    yield _holidays(holidays, calendar)


async def _ask(settings: Settings, store: Store | None, clock: Clock, request: Request) -> Page:
    from gapless.fetch.client import open_http  # noqa: PLC0415 - the HTTP library takes a while to load

    async with open_http(
        key=settings.key.reveal(),
        base_url=settings.base_url,
        rates=dict.fromkeys(AssetClass, Rate.parse("5/min")) if store else {},
        turns=store or _NoTurns(),
        clock=clock,
        tell=lambda _: None,
    ) as http:
        await http.turn(request.asset_class)
        return unpack(await http.fetch(request))


class _NoTurns:
    """Stands in where there is no store to count in: a single request exceeds no rate."""

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """Always a turn."""
        del profile, calls, per, now
        return 0.0

    def move_turn(self, profile: str, counted: float, used: float) -> None:
        """Nobody counts."""

    def hold_back(self, profile: str, until: float) -> None:
        """Nobody is waiting."""


def _holidays(holidays: Sequence[Holiday], calendar: Calendar) -> Finding:
    """The vendor's coming closures against the calendar's sessions."""
    closed = {
        date.fromisoformat(one.date) for one in holidays if one.exchange == "NYSE" and one.status == "closed"
    }
    wrong = [day.isoformat() for day in sorted(closed) if _has_session(day, calendar)]
    return Finding(
        not wrong,
        "holidays",
        f"{len(closed)} coming closures agree"
        if not wrong
        else f"the calendar expects trading on {', '.join(wrong)}",
        "Upgrade the package exchange-calendars.",
    )


def _has_session(day: date, calendar: Calendar) -> bool:
    start = midnight(day, ZoneInfo(AssetClass.STOCKS.zone))
    return start in calendar.sessions(_STOCK, Span(start, start + DAY // 2)).day
