"""What can go wrong between a vendor and its client, by name, at given rates or on demand."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from gapless.errors import UsageError
from gapless.sandbox.aggs import AggsPage, Question
from gapless.vocabulary.batch import Batch


class Fault(StrEnum):
    """One thing that goes wrong with one answer."""

    RATE_LIMIT = "rate_limit"  # 429, although the client kept to the rate
    BAD_GATEWAY = "bad_gateway"  # 502, 503 or 504 with a page of HTML
    RESET = "reset"  # the connection dies in the middle of the body
    TRUNCATED_GZIP = "truncated_gzip"  # a complete answer that holds an incomplete gzip stream
    STALL = "stall"  # a part of the body, then nothing
    INVALID_JSON = "invalid_json"  # 200 with a body that ends early
    NO_RESULTS_WITH_NEXT = "no_results_with_next"  # no rows, but a next page
    FOREIGN_NEXT_URL = "foreign_next_url"  # the next page is on another host
    REPEATED_NEXT_URL = "repeated_next_url"  # the next page is this one
    DUPLICATE_ROWS = "duplicate_rows"
    UNSORTED_ROWS = "unsorted_rows"
    OUT_OF_RANGE_ROWS = "out_of_range_rows"
    ADJUSTED_FLIP = "adjusted_flip"  # the page says it is adjusted the other way
    NAN_PRICE = "nan_price"  # a price that is no number
    WRONG_TICKER = "wrong_ticker"
    COUNT_MISMATCH = "count_mismatch"  # the counts do not fit the rows
    TRUNCATED_ROWS = "truncated_rows"  # the last rows are missing, the counts are right
    LATE_REVISION = "late_revision"  # after this answer a bar of it changes
    CLIPPED_HISTORY = "clipped_history"  # the first half is missing, and nothing says so
    NOT_AUTHORIZED_200 = "not_authorized_200"  # a refusal with the status of a success
    CUT = "cut"  # the connection is closed in good order in the middle of the body
    LATENCY = "latency"  # nothing for a while, then the whole answer
    DRIP = "drip"  # the first bytes one by one, then the rest
    BANDWIDTH = "bandwidth"  # the whole answer, spread evenly over a while


TOXICS = (Fault.CUT, Fault.LATENCY, Fault.DRIP, Fault.BANDWIDTH)
"""What happens on the way and not at the vendor; all but `cut` only take time, as long as a stall does."""

_OUTSIDE_THE_MIX = (Fault.LATE_REVISION, Fault.CLIPPED_HISTORY, Fault.NOT_AUTHORIZED_200, *TOXICS)

MIX = tuple(fault for fault in Fault if fault not in _OUTSIDE_THE_MIX)
"""The faults that an answer shows by itself and that asking again heals.

Not among them: `late_revision` (the truth moves), `clipped_history` (only a calendar can see it),
`not_authorized_200` (a refusal, which no client should repeat) and what the way does to sound answers (`TOXICS`).
"""

_ANYWHERE = frozenset(
    {
        Fault.RATE_LIMIT,
        Fault.BAD_GATEWAY,
        Fault.RESET,
        Fault.TRUNCATED_GZIP,
        Fault.STALL,
        Fault.INVALID_JSON,
        Fault.NOT_AUTHORIZED_200,
        *TOXICS,
    }
)
_NEEDS_TWO_ROWS = frozenset({Fault.UNSORTED_ROWS, Fault.TRUNCATED_ROWS, Fault.CLIPPED_HISTORY})


def applicable(rows: int | None) -> frozenset[Fault]:
    """What can happen to an answer with so many bars; None: it is not a page of bars."""
    if rows is None:
        return _ANYWHERE
    if rows == 0:
        return _ANYWHERE | {Fault.ADJUSTED_FLIP, Fault.WRONG_TICKER, Fault.COUNT_MISMATCH}
    return frozenset(Fault) if rows > 1 else frozenset(Fault) - _NEEDS_TWO_ROWS


@dataclass(slots=True)
class _Script:
    fault: Fault
    times: int
    where: str


class FaultPlan:
    """Decides which answers go wrong; the same seed and the same requests give the same faults.

    At most `most_in_a_row` answers to one address go wrong one after another, so that patience is rewarded.
    """

    def __init__(self, chances: Mapping[Fault, float], *, seed: int = 0, most_in_a_row: int = 3) -> None:
        self.chances = dict(chances)
        self.made: Counter[str] = Counter()
        self._seed, self._most = seed, most_in_a_row
        self._asked: Counter[str] = Counter()
        self._in_a_row: defaultdict[str, int] = defaultdict(int)
        self._scripts: list[_Script] = []

    def fail_next(self, fault: Fault, *, times: int = 1, where: str = "") -> None:
        """The next `times` answers to addresses that contain `where` go wrong, if this fault can happen to them."""
        self._scripts.append(_Script(fault, times, where))

    def draw(self, address: str, possible: Collection[Fault]) -> Fault | None:
        """What goes wrong with this answer, if anything."""
        fault = self._scripted(address, possible) or self._random(address, possible)
        self._in_a_row[address] = self._in_a_row[address] + 1 if fault else 0
        if fault:
            self.made[fault] += 1
        return fault

    def _scripted(self, address: str, possible: Collection[Fault]) -> Fault | None:
        for script in self._scripts:
            if script.times and script.where in address and script.fault in possible:
                script.times -= 1
                return script.fault
        return None

    def _random(self, address: str, possible: Collection[Fault]) -> Fault | None:
        self._asked[address] += 1
        if self._in_a_row[address] >= self._most:
            return None
        die, choice = self._dice(f"{address}|{self._asked[address]}")
        if die >= sum(self.chances.values()):
            return None
        # One that cannot happen here leaves its share to the others, so that the total stays as asked for.
        usable = {fault: chance for fault, chance in self.chances.items() if fault in possible and chance}
        choice *= sum(usable.values())
        for fault, chance in usable.items():
            choice -= chance
            if choice < 0:
                return fault
        return None

    def _dice(self, what: str) -> tuple[float, float]:
        digest = hashlib.blake2b(f"{self._seed}|{what}".encode(), digest_size=16).digest()
        return int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:]) / 2**64


def parse_faults(text: str | Mapping[str, float] | None) -> dict[Fault, float]:
    """Read `20%` (all of `MIX` together), `reset=0.1,stall=5%`, or a mapping of names to chances.

    Raises:
        UsageError: an unknown name, or chances that are not between 0 and 1.
    """
    if not text:
        return {}
    if isinstance(text, str) and "=" not in text:
        share = _share(text) / len(MIX)
        return dict.fromkeys(MIX, share)
    if isinstance(text, str):
        pairs = [part.partition("=")[::2] for part in text.split(",")]
        chances = {_named(name.strip()): _share(share) for name, share in pairs}
    else:
        chances = {_named(name): _share(str(share)) for name, share in text.items()}
    if sum(chances.values()) > 1:
        raise UsageError("The chances of all faults together are more than 1.", hint="Lower some of them.")
    return chances


def _named(name: str) -> Fault:
    if name not in tuple(Fault):
        raise UsageError(f"`{name}` is not a fault.", hint=f"Faults are: {', '.join(Fault)}.")
    return Fault(name)


def _share(text: str) -> float:
    plain = text.strip()
    try:
        share = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"`{text}` is not a share.", hint="Write it like 20% or 0.2.")
    return share


# -- what they do to a page of bars ------------------------------------------

Spoil = Callable[[AggsPage, Question], AggsPage]


def _some_next(page: AggsPage, question: Question) -> str:
    return page.next_url or question.url(str(int(page.bars.ts.max()) + question.base.step), question.end_text)


def _rows(page: AggsPage, bars: Batch) -> AggsPage:
    return replace(page, bars=bars, rows=len(bars))


def _no_results(page: AggsPage, question: Question) -> AggsPage:
    return replace(page, bars=Batch.empty(), rows=0, next_url=_some_next(page, question))


def _foreign(page: AggsPage, question: Question) -> AggsPage:
    elsewhere = _some_next(page, question).replace(question.host, "https://elsewhere.example", 1)
    return replace(page, next_url=elsewhere)


def _repeated(page: AggsPage, question: Question) -> AggsPage:
    return replace(page, next_url=question.url(question.start_text, question.end_text))


def _duplicate(page: AggsPage, _: Question) -> AggsPage:
    middle = len(page.bars) // 2
    return _rows(page, page.bars.take(np.insert(np.arange(len(page.bars)), middle, middle)))


def _unsorted(page: AggsPage, _: Question) -> AggsPage:
    order = np.arange(len(page.bars))
    middle = len(order) // 2
    order[[middle - 1, middle]] = order[[middle, middle - 1]]
    return replace(page, bars=page.bars.take(order))


def _out_of_range(page: AggsPage, question: Question) -> AggsPage:
    stamps = page.bars.ts.copy()
    stamps[0 if question.ascending else -1] = question.grid.start(-1)
    return replace(page, bars=replace(page.bars, ts=stamps))


def _truncated(page: AggsPage, _: Question) -> AggsPage:
    return replace(page, bars=page.bars.take(slice(0, -(-len(page.bars) // 2))))


def _clipped(page: AggsPage, question: Question) -> AggsPage:
    half = len(page.bars) // 2
    kept = page.bars.take(slice(half, None) if question.ascending else slice(0, -half))
    return replace(_rows(page, kept), base_bars=page.base_bars - half)


SPOIL: dict[Fault, Spoil] = {
    Fault.NO_RESULTS_WITH_NEXT: _no_results,
    Fault.FOREIGN_NEXT_URL: _foreign,
    Fault.REPEATED_NEXT_URL: _repeated,
    Fault.DUPLICATE_ROWS: _duplicate,
    Fault.UNSORTED_ROWS: _unsorted,
    Fault.OUT_OF_RANGE_ROWS: _out_of_range,
    Fault.ADJUSTED_FLIP: lambda page, _: replace(page, adjusted=not page.adjusted),
    Fault.WRONG_TICKER: lambda page, _: replace(page, ticker="ZVZZT"),
    Fault.COUNT_MISMATCH: lambda page, _: replace(page, rows=page.rows + 1),
    Fault.TRUNCATED_ROWS: _truncated,
    Fault.CLIPPED_HISTORY: _clipped,
}
"""The faults that are in the page itself."""


def garble(fault: Fault, body: bytes) -> bytes:
    """The faults that are in the text."""
    if fault is Fault.INVALID_JSON:
        return body[: len(body) * 9 // 10]
    if fault is Fault.NAN_PRICE:
        return re.sub(rb'"c":[^,}]+', b'"c":NaN', body, count=1)
    return body
