"""What the engine needs from the world, as narrow Protocols. Rooms implement them; `app` wires them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import (
    Answer,
    Checked,
    CorporateAction,
    Damage,
    Decoded,
    Entry,
    Job,
    Lease,
    Page,
    Receipt,
    Request,
    Revision,
    Series,
    Wish,
)
from gapless.vocabulary.timeframe import Base


class Clock(Protocol):
    """The time of day, and waiting; handed in so that tests can own them."""

    def now(self) -> int:
        """The wall clock in Unix milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary point; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Calendar(Protocol):
    """When the market of an instrument trades."""

    def known(self, instrument: Instrument) -> Span:
        """The span in which this calendar can say open or closed; outside it the answer is unknown."""
        ...

    def sessions(self, instrument: Instrument, span: Span) -> Sessions:
        """The sessions whose trading day overlaps `span`, clipped to what is known."""
        ...


class Provider(Protocol):
    """How one vendor wants to be asked, and what its answers mean. Pure: it never opens a socket."""

    page_bars: int
    """The most base bars that one answer can hold."""

    def first(self, job: Job, start: int) -> Request:
        """The request for the bars of `job` from `start` (Unix ms) to the end of its span."""
        ...

    def follow(self, decoded: Decoded, asset_class: AssetClass) -> Request | None:
        """The request for the next page; None on the last.

        Raises:
            BadAnswer: the vendor points to another host or a wrong path.
        """
        ...

    def decode(self, job: Job, page: Page, *, asked: Span) -> Decoded:
        """Bytes to columns, strictly; every bar is inside `asked`.

        Raises:
            BadAnswer: anything that a sound answer would not contain.
            Refused: the vendor says so inside a 200.
        """
        ...

    def actions_request(self, kind: str, tickers: Sequence[str]) -> Request:
        """The request for the splits (`kind="split"`) or dividends (`"dividend"`) of stock tickers."""
        ...

    def decode_actions(self, kind: str, page: Page) -> tuple[list[CorporateAction], Request | None]:
        """The corporate actions on a page, and the request for the next one."""
        ...


class Http(Protocol):
    """The only way to the vendor: `turn` first, then one attempt. Apart, so that a stop can cut waiting short."""

    async def turn(self, asset_class: AssetClass) -> None:
        """Wait until the shared rate of this class allows one more request; it is then taken."""
        ...

    async def fetch(self, request: Request) -> Answer:
        """Ask once and read the whole answer. The caller has taken a turn.

        Raises:
            Retriable, JobOver, RunOver: by what the engine does next.
        """
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store can do, as data."""

    versions: bool  # bars as of an earlier moment can be read
    many_processes: bool
    derived_rows: bool  # derived timeframes are rows that SQL readers see
    typical_bytes: int  # on disk for a bar of the base, for estimates


class Store(Protocol):
    """Where bars, ledger, leases, limiter and runs rest together. Synchronous; safe to call from threads."""

    url: str
    capabilities: Capabilities

    # -- bars and ledger

    def write(self, checked: Checked, lease: Lease | None = None) -> Receipt:
        """Store bars and entries in one transaction; an equal bar is not written again.

        Raises:
            LeaseHeld: the lease's fence is no longer the highest; nothing was written.
            StorageError: nothing was written.
        """
        ...

    def read(self, instrument: Instrument, base: Base, span: Span, as_of: int | None = None) -> Batch:
        """The base bars that start inside `span`, as they are now or were at `as_of` (Unix ms, inclusive).

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        ...

    def fetch(
        self, instrument: Instrument, base: Base, span: Span, as_of: int | None = None
    ) -> Callable[[], Batch]:
        """The same in two steps: what is on disk is read and checked now, and any thread may unpack it later.

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        ...

    def tidy(self, instrument: Instrument, base: Base) -> int:
        """Keep what many small writes left as one larger one would; returns how many pieces were merged.

        Nothing that can be read changes, earlier versions included.

        Raises:
            StorageError: nothing was merged.
        """
        ...

    def count(self, instrument: Instrument, base: Base, spans: SpanSet) -> int:
        """How many base bars start inside `spans`, without reading their numbers."""
        ...

    def revisions(self, instrument: Instrument, base: Base, span: Span) -> Iterator[Revision]:
        """What the vendor changed of the bars that start inside `span` after they were stored, by ts, then written.

        A bar that was not there before counts where its span was covered already: elsewhere it is only new.
        What changed before bars of a span were lost to damage is not listed: their numbers are not known any more.

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        ...

    def moment(self) -> AbstractContextManager[None]:
        """All that this thread reads until it leaves is as it was when it began, whatever is written meanwhile."""
        ...

    def entries(self, instrument: Instrument, base: Base) -> list[Entry]:
        """Every ledger entry of a series in the order of writing."""
        ...

    def covered(self, instrument: Instrument, base: Base) -> SpanSet:
        """Where the ledger of a series vouches for its bars: what folding all entries gives, for less work."""
        ...

    def series(self) -> list[Series]:
        """What is stored, by ticker and base."""
        ...

    # -- what is wanted

    def remember(self, wishes: Iterable[Wish]) -> None:
        """Keep what was asked for; a wish of the same instrument and timeframe grows to the union's hull."""
        ...

    def forget(self, wishes: Iterable[Wish]) -> None:
        """Want these no longer; their bars and what is known of them stay."""
        ...

    def wishes(self) -> list[Wish]:
        """All that was ever asked for, by ticker and timeframe."""
        ...

    # -- corporate actions

    def put_actions(
        self, kind: str, tickers: Collection[str], stated: Iterable[CorporateAction], *, read: int
    ) -> int:
        """Make `stated` all that is kept of this kind for these tickers; returns how many are new, changed or gone.

        `kind` is `split` or `dividend`. `stated` is the vendor's whole list of them, read at `read` (Unix ms): what
        it lacks was withdrawn.
        """
        ...

    def actions(self, ticker: str) -> list[CorporateAction]:
        """The corporate actions of one ticker, by date."""
        ...

    def actions_read(self, kind: str, ticker: str) -> int | None:
        """When the list of this kind was last read whole for one ticker (Unix ms); None if it never was."""
        ...

    # -- leases

    def claim(self, resource: str, holder: str, *, ttl: int, now: int) -> Lease:
        """Take a lease for `ttl` milliseconds, with a higher fence than anyone before.

        A lease that ran out, or whose holder is a dead process of this machine, is taken over.

        Raises:
            LeaseHeld: somebody else has it.
        """
        ...

    def renew(self, lease: Lease, *, ttl: int, now: int) -> Lease:
        """Hold on for longer.

        Raises:
            LeaseHeld: it was taken over meanwhile.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give a lease back; one that was taken over is left alone."""
        ...

    # -- the shared limiter

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """Take one of `calls` turns in any `per` seconds, shared by all processes on this store.

        Returns 0.0 when the turn is taken, else the seconds after which to try again. `now` in Unix seconds.
        """
        ...

    def move_turn(self, profile: str, counted: float, used: float) -> None:
        """A turn that was taken at `counted` was used at `used` (Unix seconds), later: it counts from there."""
        ...

    def hold_back(self, profile: str, until: float) -> None:
        """Nobody gets a turn of this profile before `until` (Unix seconds): the vendor said so."""
        ...

    # -- runs

    def begin_run(self, run_id: str, started: int, wish: Mapping[str, Any]) -> None:
        """Record that a run began, and what it was asked for."""
        ...

    def note_progress(self, run_id: str, progress: Mapping[str, Any]) -> None:
        """Keep how far a run is, over what was kept before; nothing once it has ended. A power cut may take it."""
        ...

    def end_run(self, run_id: str, ended: int, report: Mapping[str, Any]) -> None:
        """Record how a run ended."""
        ...

    def runs(self, limit: int = 20, run_id: str | None = None) -> list[dict[str, Any]]:
        """The latest runs, or this one, newest first: `run_id`, `started`, `ended`, `wish`, `progress`, `report`."""
        ...

    # -- what changed

    def pulse(self) -> int:
        """Another number whenever anything was written by anybody else; asking costs microseconds."""
        ...

    def stamps(self) -> dict[tuple[str, str], tuple[int, int]]:
        """By ticker and base: how often the series was written, and when last (Unix ms)."""
        ...

    # -- health

    def verify(self) -> Iterator[Damage]:
        """Read everything and tell what is not as it was written."""
        ...

    def set_aside(self, damage: Damage, *, now: int) -> None:
        """Take damaged bars out of service and record `lost` for their span, in one transaction."""
        ...

    def backup(self, target: Path, *, replace: bool = False) -> int:
        """Copy all of the store, as it is at this moment, into the file `target`; others may go on writing.

        The copy is synced and verified before it gets its name. Returns its bytes.

        Raises:
            UsageError: there is a file already, and `replace` is not set.
            StoreDamaged: the store holds damage, so there is nothing sound to copy; no file was made.
            StorageError: the file cannot be made, or the one to be replaced is in use.
        """
        ...

    def size(self) -> int:
        """Bytes on disk, journals included."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
