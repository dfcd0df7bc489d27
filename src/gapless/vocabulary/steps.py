"""What flows: each step of the conveyor hands the next one frozen value, named for what it is there."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import Base, Timeframe


class Outcome(StrEnum):
    """How a span of one series ended."""

    BARS = "bars"  # covered: the vendor's bars are stored, and what has no bar had no trade
    EMPTY = "empty"  # covered: the vendor said more than once that there is nothing
    CLOSED = "closed"  # covered: the market was closed, nobody needs to be asked
    PROVISIONAL = "provisional"  # bars are stored that can still change
    UNCONFIRMED = "unconfirmed"  # the vendor said once that there is nothing where a session was
    REFUSED = "refused"  # the plan does not allow it
    SUSPECT = "suspect"  # the answer failed a check; nothing of it is stored
    FAILED = "failed"  # no answer; asked again later
    LOST = "lost"  # stored bars were found damaged and set aside; asked again

    @property
    def covers(self) -> bool:
        """Whether nothing needs to be asked any more."""
        return self in (Outcome.BARS, Outcome.EMPTY, Outcome.CLOSED)


OPEN_END = 32_503_680_000_000
"""The end of a wish that goes on for ever: the year 3000 in Unix ms."""


@dataclass(frozen=True, order=True, slots=True)
class Wish:
    """What a person wants: one instrument in one timeframe over a span, which may end at `OPEN_END`."""

    instrument: Instrument
    timeframe: Timeframe
    span: Span


def wished(wishes: Iterable[Wish]) -> dict[tuple[Instrument, Base], SpanSet]:
    """The spans that wishes need of each series; timeframes of one base share its bars."""
    series: dict[tuple[Instrument, Base], SpanSet] = {}
    for wish in wishes:
        key = wish.instrument, wish.timeframe.base
        series[key] = series.get(key, SpanSet()) | SpanSet([wish.span])
    return series


@dataclass(frozen=True, slots=True)
class Job:
    """One chain of requests for one stretch of one series. `bars` is the planner's estimate."""

    instrument: Instrument
    base: Base
    span: Span
    bars: int = 0
    requests: int = 1

    @property
    def id(self) -> str:
        """Made from what is asked, so that the same work has the same name in every process."""
        asked = f"{self.instrument.ticker}|{self.base}|{self.span.start}|{self.span.end}"
        return hashlib.sha256(asked.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: an absolute URL without the key. `asset_class` picks the rate it counts against."""

    url: str
    asset_class: AssetClass


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of 200 as it came over the wire; `received` in Unix ms, `seconds` since it was asked for.

    `dated` is what the vendor's clock showed, in Unix ms; None where it did not say.
    """

    request: Request
    wire: bytes = field(repr=False)
    encoding: str
    request_id: str
    received: int
    seconds: float
    dated: int | None = None


Octets = bytes | bytearray
"""A body that nobody changes; a bytearray where that is what unpacking gave and a copy would cost milliseconds."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, decompressed. `digest` is the SHA-256 of what came over the wire; `received`, `dated` in Unix ms."""

    request: Request
    body: Octets = field(repr=False)
    digest: str
    request_id: str
    received: int
    wire_bytes: int
    dated: int | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a page says: `next_url` as the vendor wrote it; `full`: it held as many base bars as asked for."""

    batch: Batch
    next_url: str | None
    full: bool
    request_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: how a span of a series ended, and where that comes from.

    `recorded` is when it was written, `due` when it is asked again (None: not by itself); Unix ms.
    """

    instrument: Instrument
    base: Base
    span: Span
    outcome: Outcome
    recorded: int
    reason: str = ""
    rows: int = 0
    request_id: str = ""
    digest: str = ""
    url: str = ""
    job_id: str = ""
    run_id: str = ""
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """Bars that passed every check, with the entries that say what they prove.

    Where an entry says `bars` or `provisional`, the batch is the whole truth of that span: a stored bar that
    is not in it is withdrawn. Elsewhere the batch is silent. Every bar of the batch is inside such an entry.
    """

    instrument: Instrument
    base: Base
    batch: Batch
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a store did with one `Checked`; counts of base bars. `stored_bytes` is what it added on disk."""

    inserted: int = 0
    corrected: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    stored_bytes: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        return Receipt(
            self.inserted + other.inserted,
            self.corrected + other.corrected,
            self.withdrawn + other.withdrawn,
            self.unchanged + other.unchanged,
            self.stored_bytes + other.stored_bytes,
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one series until `expires` (Unix ms); a higher fence makes a lower one void."""

    resource: str
    holder: str
    fence: int
    expires: int


@dataclass(frozen=True, slots=True)
class Series:
    """What a store holds of one instrument and base. Instants in Unix ms; `last` is the last bar's start."""

    instrument: Instrument
    base: Base
    bars: int
    first: int | None
    last: int | None
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that is not covered: why, and when it is asked again (`due`, Unix ms; None: with the next run)."""

    symbol: str
    base: Base
    start: int
    end: int
    outcome: str
    reason: str
    due: int | None


@dataclass(frozen=True, slots=True)
class Damage:
    """Stored bars that are not what was written; `span` holds every bar that they could have been."""

    instrument: Instrument
    base: Base
    span: Span
    what: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one bar, raw; None where the vendor gave none."""

    open: float
    high: float
    low: float
    close: float
    volume: float | None
    vwap: float | None
    trades: int | None


@dataclass(frozen=True, slots=True)
class Revision:
    """A bar that the vendor changed after it was stored. `ts` is its start, `written` when that was; Unix ms.

    Without `old` the bar came late, without `new` it was withdrawn, with both it was corrected. `final` tells
    whether its minute or day was covered already: then a reader had been given `old`, or no bar, as final.
    """

    ts: int
    written: int
    old: Numbers | None
    new: Numbers | None
    final: bool


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A split or dividend as the vendor states it. `ratio_from`/`ratio_to` for splits, `cash` for dividends.

    `date` is the execution or ex date (`YYYY-MM-DD`); numbers are the vendor's text: ratios stay exact.
    """

    ticker: str
    kind: str
    date: str
    id: str
    ratio_from: str = ""
    ratio_to: str = ""
    cash: str = ""
    currency: str = ""
