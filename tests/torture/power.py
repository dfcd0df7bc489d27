"""Power cuts: a real run is recorded call by call, cut anywhere, and what the disk has left is opened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gapless.errors import GaplessError
from gapless.ports import Store
from gapless.vocabulary.timeframe import Base
from stores.making import EVER, KINDS, url_of
from torture.disk import Disk
from torture.harness import Figure, Harness
from torture.powered import State, opened, pages, states
from torture.tape import Event, Said, record, why_not

_JOURNALS = (32 << 20, 16 << 10)
"""Bytes at which the journal is folded in: as in earnest, when closing only; and all the time."""
_FAULT = "power cut: unsynced sectors dropped, torn, reordered"


@dataclass(frozen=True, slots=True)
class _Promised:
    """What the process had said before the cut: its last acknowledged write and run, the fence of that write."""

    write: int = 0
    run: int = 0
    fence: int = 0


def measure(size: int, seed: int, synchronous: str = "FULL", kinds: Sequence[str] = KINDS) -> Figure:
    """Cut `size` times: at any moment of the runs of each kind of store, with a long and a short journal."""
    if reason := why_not():
        return Figure(_FAULT, 0, "cuts", 0, f"not tried: {reason}")
    rng = Random(seed)
    broken: list[str] = []
    calls, runs = 0, len(kinds) * len(_JOURNALS)
    with TemporaryDirectory() as folder:
        for kind in kinds:
            for journal in _JOURNALS:
                place = Path(folder) / f"{kind}-{journal}"
                place.mkdir()
                tape = place.with_suffix(".tape")
                events = record(place, tape, "torture.powered", kind, str(place), str(journal), synchronous)
                calls += len(events)
                broken += _unlike(events, place)
                broken += _cut(kind, events, size // runs, rng, Path(folder))
    detail = f"{runs} runs of {calls:,} calls that change files" if not broken else broken[0]
    return Figure(_FAULT, size // runs * runs, "cuts", len(broken), detail)


def _unlike(events: Sequence[Event], place: Path) -> list[str]:
    """Whether the recording is not what happened: played to its end it gives the files that are there."""
    disk = Disk()
    for event in events:
        disk.apply(event)
    found = {file.name: file.read_bytes() for file in place.iterdir()}
    return [] if disk.settled() == found else [f"the recording of {place.name} does not give its files"]


def _cut(kind: str, events: Sequence[Event], cuts: int, rng: Random, folder: Path) -> Iterator[str]:
    """Cut one run so many times, from the first call to the last; what is wrong afterwards, in words."""
    disk, expected, said = Disk(), states(), dict[str, int]()
    moments = sorted(rng.randrange(len(events) + 1) for _ in range(cuts))
    done = 0
    for moment in moments:
        for event in events[done:moment]:
            disk.apply(event)
            if isinstance(event, Said):
                what, _, number = event.text.partition(" ")
                said[what] = int(number)
        done = moment
        with TemporaryDirectory(dir=folder) as place:
            for name, content in disk.after_power_cut(rng).items():
                (Path(place) / name).write_bytes(content)
            wrong = _wrong(url_of(kind, Path(place)), _Promised(**said), expected, rng)
        yield from (f"{kind}, after call {moment} of {len(events)}: {problem}" for problem in wrong)


def _wrong(url: str, promised: _Promised, expected: Sequence[State], rng: Random) -> list[str]:
    try:
        store = opened(url)
        try:
            return list(_compared(store, promised, expected, rng))
        finally:
            store.close()
    except GaplessError as error:
        return [f"{type(error).__name__}: {error.message}"]


def _compared(store: Store, promised: _Promised, expected: Sequence[State], rng: Random) -> Iterator[str]:
    yield from (f"verify: {damage.what}" for damage in store.verify())
    moments = sorted(entry.recorded for one in expected[0] for entry in store.entries(one, Base.MINUTE))
    there = len(moments)
    if moments != list(range(1, there + 1)):
        yield f"writes {moments} are there"
    if not promised.write <= there <= promised.write + 1:
        yield f"{promised.write} writes were acknowledged, {there} are there"
    earlier = rng.randrange(1, there + 1) if there else 0
    for number, as_of in ((there, None), (earlier, earlier or None)):
        for one, bars in expected[min(number, len(expected) - 1)].items():
            if store.read(one, Base.MINUTE, EVER, as_of) != bars:
                yield f"{one} is not what it was after write {number}"
    if len(store.runs()) < promised.run:
        yield "an acknowledged run is lost"
    if (fence := store.claim("bars", "elsewhere:2:t", ttl=1, now=2**40).fence) <= promised.fence:
        yield f"fence {fence} is given again: a write was made under {promised.fence}"
    for page in pages()[there : there + 1]:
        store.write(page.checked)
        if store.read(page.instrument, Base.MINUTE, EVER) != expected[there + 1][page.instrument]:
            yield "the next write is not what was written"


HARNESS = Harness(_FAULT, 2_000, 100_000, measure)
