"""What can be done with one store without the vendor: ask, read, take out, bring in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from gapless.adjust import Adjust, Judged
from gapless.app.examining import flags
from gapless.app.instants import When, parse_instant, span_between
from gapless.app.lookup import Asked, OnGap, Remedy, look_up, missing
from gapless.app.meaning import Meant, held, meant
from gapless.app.naming import Names, Place, instruments_of, timeframes_of
from gapless.app.opening import opened
from gapless.app.planning import Desk, settled
from gapless.app.questions import explained, gaps, statuses
from gapless.app.reading import Reader, View, pieces_of
from gapless.app.running import holder, new_run_id
from gapless.app.survey import settled_until
from gapless.app.views import views_of
from gapless.calendars import open_calendar
from gapless.engine import series_name
from gapless.errors import NoStore, NotStored, UsageError
from gapless.fetch import Rate
from gapless.frames import Bars, Piece, Scan, scan
from gapless.ports import Clock, Store
from gapless.providers import SUBSCRIPTIONS, Massive
from gapless.quality import Flag
from gapless.reports import Explanation, SeriesStatus
from gapless.resample import SessionPart
from gapless.settings import Settings
from gapless.sql import Limits, SqlResult, run_sql
from gapless.transfer import (
    ExportReceipt,
    ImportReceipt,
    Layout,
    export,
    export_database,
    import_folder,
    import_table,
)
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import OPEN_END, CorporateAction, Damage, Entry, Gap, Lease, Revision, Wish
from gapless.vocabulary.timeframe import Base, Timeframe

_IMPORT_TTL = 3_600_000
"""How long an import may hold its series where nobody can see that it died, in milliseconds."""


class Shelf(ABC):
    """Reads the bars of one store, proves them complete and moves them. Close it, or use it in a `with` block."""

    def __init__(self, settings: Settings, store: Store | None, clock: Clock) -> None:
        self.settings = settings
        self._store = store
        self._clock = clock
        self._calendar = open_calendar()
        self._subscription = SUBSCRIPTIONS[settings.plan]
        self._provider = Massive(settings.base_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The store itself.

        Raises:
            UsageError: there is none yet.
        """
        if self._store is None:
            raise NoStore(
                f"There is no store at {self.settings.store} yet.", hint="`gapless backfill` makes one."
            )
        return self._store

    # -- ask

    def status(self, symbols: Names = (), timeframes: Names = ()) -> list[SeriesStatus]:
        """How complete everything is that was ever asked for, up to the last settled day."""
        desk = self._desk()
        return statuses(desk, self.store, [settled(desk, wish) for wish in self._wishes(symbols, timeframes)])

    def gaps(self, symbols: Names = ()) -> list[Gap]:
        """Every stretch that is missing, with its reason and when it is asked again."""
        desk = self._desk()
        return list(gaps(desk, [settled(desk, wish) for wish in self._wishes(symbols)]))

    def explain(self, symbol: str, timeframe: str, instant: When) -> Explanation:
        """What is known of the bar around an instant: its numbers, no trade, closed, or missing and why."""
        instrument, desk = Instrument.parse(symbol), self._desk()
        at = parse_instant(instant, instrument.asset_class, now=desk.now, param="instant")
        return explained(desk, self._reader(provisional=True), instrument, Timeframe.parse(timeframe), at)

    # -- read

    def bars(
        self,
        symbols: Names,
        timeframe: str = "1d",
        start: When | None = None,
        end: When | None = None,
        *,
        session: str = "all",
        adjust: str | None = None,
        as_of: When | None = None,
        on_gap: str = "raise",
        provisional: bool = False,
    ) -> Bars:
        """The bars of one symbol or many that start in `[start, end)`; without dates, all that was ever asked for.

        Args:
            symbols: one ticker, or several: then every frame has a column `symbol`.
            timeframe: `1m` to `1mo`; what is no base is derived on one fixed grid.
            start: inclusive; a date begins at the midnight of the exchange's zone (crypto, forex: UTC).
            end: exclusive.
            session: `all`, or only the `regular`, `pre` or `post` part of each session.
            adjust: for `splits`, or for `all` (splits and dividends); None gives bars as they were traded.
            as_of: what a reader would have got at this moment.
            on_gap: where bars are missing `raise`, `warn`, only `mark` it in `.gaps`, or `fetch` them first.
            provisional: also bars that can still change; `final` tells them apart.

        Raises:
            BarsMissing: bars that should be there are not.
            UsageError: an unknown word, a date that makes no sense, or nothing is stored.
            StoreDamaged: nothing damaged is served.
        """
        instruments = tuple(instruments_of(symbols))
        if not instruments:
            raise UsageError("No symbol was named.", hint='For example: bars("AAPL", "5m").')
        many = not isinstance(symbols, str)
        asked = Asked(instruments, Timeframe.parse(timeframe), start, end, many)
        reader = self._reader(session, adjust, as_of, instruments[0].asset_class, provisional=provisional)
        return look_up(asked, reader, OnGap.parse(on_gap), self._fetch)

    def scan(
        self,
        symbols: Names = (),
        timeframes: Names = (),
        start: When | None = None,
        end: When | None = None,
        *,
        session: str = "all",
        adjust: str | None = None,
        as_of: When | None = None,
        provisional: bool = False,
    ) -> Scan:
        """Bars that are read piece by piece as somebody asks for rows: of what is named, or all that was wished for.

        Arguments as in `bars`. Filters on symbol, timeframe and time decide what is read at all. What is missing
        is not told here: `gaps` tells it.
        """
        reader = self._reader(session, adjust, as_of, provisional=provisional)
        return scan(pieces_of(held(self._meant(reader, symbols, timeframes, start, end))), reader.read)

    def sql(self, query: str, *, limits: Limits | None = None) -> SqlResult:
        """One query in DuckDB's SQL over `bars`, `symbols`, `gaps`, `ledger`, `revisions` and `quality`.

        It only reads, and sees nothing but these views. `bars` has every timeframe that was asked for.

        Raises:
            UsageError: the query is wrong or does something else than read.
            OwnLimit: it took too long or needed too much memory.
        """
        wishes = self._wishes(())
        views = views_of(self.store, wishes, self.scan(), self.gaps, self.quality)
        return run_sql(query, views, limits=limits or Limits())

    def revisions(
        self, symbol: str, timeframe: str = "1d", start: When | None = None, end: When | None = None
    ) -> list[Revision]:
        """What the vendor changed of base bars after they were stored, by start and time of writing.

        Raises:
            NotStored: the symbol was never asked for.
            UsageError: this kind of store keeps no earlier versions.
        """
        self._wishes([symbol])
        instrument, now = Instrument.parse(symbol), self._clock.now()
        base = Timeframe.parse(timeframe).base
        span = span_between(start, end, Span(0, OPEN_END), instrument.asset_class, now=now)
        return list(self.store.revisions(instrument, base, span)) if span else []

    def quality(self, symbols: Names = (), start: When | None = None, end: When | None = None) -> list[Flag]:
        """What is odd about stored bars, as flags with a reason; no bar is hidden or changed for it."""
        wishes = held(self._meant(self._reader(), symbols, (), start, end))
        if not wishes:
            return []
        instruments = list(dict.fromkeys(wish.instrument for wish in wishes))
        hull = Span(min(wish.span.start for wish in wishes), max(wish.span.end for wish in wishes))
        return list(flags(self._desk(), self.store, instruments, hull))

    def actions(self, symbol: str) -> list[CorporateAction]:
        """The splits and dividends of a stock as the vendor stated them."""
        return self.store.actions(Instrument.parse(symbol).ticker)

    def judged(self, symbol: str, adjust: str = "all") -> list[Judged]:
        """The same held against the stock's own days: which ones `adjust` applies, which are doubtful, and why."""
        return list(self._reader(adjust=adjust).adjustment(Instrument.parse(symbol)).judged)

    # -- out and in

    def export(
        self,
        out: Place,
        fmt: str,
        symbols: Names = (),
        timeframes: Names = (),
        start: When | None = None,
        end: When | None = None,
        *,
        session: str = "all",
        adjust: str | None = None,
    ) -> ExportReceipt:
        """Write final bars: of what is named, or of all that was asked for.

        `parquet`, `csv` and `arrow` make a folder of files by timeframe, symbol and year with a manifest;
        `sqlite` makes one file, a plain store of its own. What was stopped goes on when called again. `gaps` of the
        receipt are what is missing of what was asked for.
        """
        reader = self._reader(session, adjust)
        found = self._meant(reader, symbols, timeframes, start, end)
        wishes = held(found)
        gaps = [gap for one in found for gap in missing(one.wish, reader, given=end is not None)]
        if fmt == "sqlite":
            if session != "all" or adjust:
                raise UsageError(
                    "A plain store holds raw bars of all sessions.", hint="Use another format for a view."
                )
            receipt = export_database(self.store, Path(out), wishes, opened)
            return replace(receipt, gaps=tuple(dict.fromkeys(gaps)))
        receipt = export(
            Path(out),
            fmt,
            pieces_of(wishes),
            reader.read,
            ledger=lambda piece: self._entries(reader, piece),
            raw=reader.view.raw,
            about={"session": session, "adjust": adjust or "none"},
            basis={wish.instrument.ticker: reader.basis(wish.instrument) for wish in wishes},
        )
        return replace(receipt, gaps=tuple(dict.fromkeys(gaps)))

    def import_(self, source: Place, layout: Layout | None = None, *, replace: bool = False) -> ImportReceipt:
        """Take bars from an exported folder, or from a file whose columns `layout` explains.

        A folder brings its proofs along; a file of one's own proves its bars and nothing between them. With `replace`
        final bars that differ become earlier versions; without it they are a reason to stop.
        """
        now = self._clock.now()
        taken: list[Lease] = []
        who = holder()

        def claim(instrument: Instrument, base: Base) -> Lease:
            taken.append(self.store.claim(series_name(instrument, base), who, ttl=_IMPORT_TTL, now=now))
            return taken[-1]

        try:
            if layout is None:
                return import_folder(
                    self.store, Path(source), now=now, run_id=new_run_id(now), replace=replace, claim=claim
                )
            return import_table(
                self.store,
                Path(source),
                layout,
                now=now,
                settled=partial(settled_until, self._calendar, now=now),
                run_id=new_run_id(now),
                replace=replace,
                claim=claim,
            )
        finally:
            for lease in taken:
                self.store.release(lease)

    def verify(self, *, repair: bool = False) -> list[Damage]:
        """Read everything and find what is not as it was written; with `repair`, take it out to be asked again."""
        damages = list(self.store.verify())
        if repair:
            for damage in damages:
                self.store.set_aside(damage, now=self._clock.now())
        return damages

    def backup(self, target: Place, *, replace: bool = False) -> int:
        """Copy the store as it is at this moment into one file, while others go on writing; returns its bytes.

        The copy is synced and every bar in it is read before it gets its name. `gapless.restore` puts it back.

        Raises:
            UsageError: there is a file already, and `replace` is not set.
            StoreDamaged: the store holds damage; no file was made.
            StorageError: the file cannot be made, or the one to be replaced is in use.
        """
        return self.store.backup(Path(target), replace=replace)

    # -- inside

    @abstractmethod
    def _fetch(self, remedies: Sequence[Remedy]) -> str:
        """Get what a reader found missing; why that ended early, `""` where it did not."""

    def _desk(self) -> Desk:
        return Desk(
            self._store,
            self._calendar,
            self._subscription,
            self._rates(),
            self._provider.page_bars,
            self._clock.now(),
        )

    def _rates(self) -> dict[AssetClass, Rate | None]:
        rate = Rate.parse(self.settings.rate or self._subscription.rate)
        rates: dict[AssetClass, Rate | None] = dict.fromkeys(AssetClass, rate)
        if self.settings.rate_crypto:
            rates[AssetClass.CRYPTO] = Rate.parse(self.settings.rate_crypto)
        return rates

    def _wishes(self, symbols: Names, timeframes: Names = ()) -> list[Wish]:
        instruments, frames = {*instruments_of(symbols)}, {*timeframes_of(timeframes)}
        known = self.store.wishes()
        strangers = instruments - {wish.instrument for wish in known}
        if strangers:
            names = ", ".join(sorted(instrument.ticker for instrument in strangers))
            raise NotStored(
                f"{names} was never asked for in this store.", hint="`gapless backfill` it first."
            )
        return [
            wish
            for wish in known
            if (not instruments or wish.instrument in instruments)
            and (not frames or wish.timeframe in frames)
        ]

    def _reader(
        self,
        session: str = "all",
        adjust: str | None = None,
        as_of: When | None = None,
        asset_class: AssetClass = AssetClass.STOCKS,
        *,
        provisional: bool = False,
    ) -> Reader:
        now = self._clock.now()
        view = View(
            SessionPart.parse(session),
            Adjust.parse(adjust) if adjust else None,
            None if as_of is None else parse_instant(as_of, asset_class, now=now, param="as_of"),
            provisional,
        )
        return Reader(self.store, self._calendar, view, now)

    def _entries(self, reader: Reader, piece: Piece) -> list[Entry]:
        return self.store.entries(
            Instrument.parse(piece.symbol), reader.base(Timeframe.parse(piece.timeframe))
        )

    def _meant(
        self,
        reader: Reader,
        symbols: Names,
        timeframes: Names,
        start: When | None,
        end: When | None,
    ) -> list[Meant]:
        return meant(reader, self._wishes(symbols), timeframes_of(timeframes), start, end)
