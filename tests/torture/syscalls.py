"""The n-th system call on the store's files fails: the program says so, nothing is lost, the next run goes on.

Every n of a small backfill by the real program, its calls turned into failures by `strace`. A write that is cut
short is a limit of the file's size, which the system keeps by writing as much as fits.
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, mkdtemp
from threading import Timer

from cli.program import Gapless
from engine.living import NOW, OwnedClock, living, utc, warehouse
from gapless.errors import StorageError
from gapless.sandbox import Pinned, Sandbox, SyntheticMarket
from gapless.stores import open_store
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from stores.making import SPY, T0, minutes, put
from torture.harness import Figure, Harness
from torture.nursery import Nursery
from torture.oracle import UNVOUCHED, Oracle

FAULT = "EIO, ENOSPC, short and false writes at the n-th system call"
CALLS = ("pwrite64", "pread64", "fdatasync", "ftruncate")
FILES = ("", "-wal", "-shm", "-journal")
KINDS = (
    ("pwrite64", "error=EIO"),
    ("pwrite64", "error=ENOSPC"),
    ("pread64", "error=EIO"),
    ("fdatasync", "error=EIO"),
    ("ftruncate", "error=EIO"),
)
PAGES = 6
LIE = "retval=100"
"""The system says that 100 bytes were written, and wrote none: the caller writes the rest, and the 100 are lost."""

_LONGEST = 240.0
"""Seconds that `strace` may take."""

Plant = Callable[[], None]
"""A bug on purpose; it is called in the process that is to have it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is asked for: these symbols from one date to another (UTC)."""

    symbols: tuple[str, ...]
    start: str
    end: str

    @property
    def span(self) -> Span:
        """From and to, in Unix ms."""
        return Span(utc(self.start), utc(self.end))


SMALL = Wanted(("AAPL",), "2026-09-01", "2026-09-03")
LARGE = Wanted(("AAPL", "X:BTCUSD", "C:EURUSD"), "2026-08-03", "2026-09-03")
EVERY = 1_000
"""So many are all that the small run has; who wants more gets the large one."""


@dataclass(frozen=True, slots=True)
class Case:
    """What fails: the n-th `call` of each thread; or, without a call, all that would make a file longer than n."""

    call: str
    how: str
    n: int
    insists: bool = False
    """The program goes on writing whatever it is told, as threads do that were about to when another one failed."""

    def __str__(self) -> str:
        return f"{self.call or 'file size'} {self.how} {self.n}{' insisting' if self.insists else ''}"


@dataclass(slots=True)
class _Bench:
    """Runs the program with one fault after another, each in an empty folder."""

    nursery: Nursery
    sandbox: Sandbox
    wanted: Wanted
    oracle: Oracle
    plant: Plant | None

    def counted(self, folder: Path) -> Counter[str]:
        """How often a run that nothing happens to makes each call, in the thread that makes most of them."""
        code, log = self._program(folder, ())
        assert code == 0, (folder / "err").read_text()
        made = Counter(re.findall(r"^(\d+ +\w+)\(", log, re.MULTILINE))
        return Counter({c: max(n for k, n in made.items() if k.split()[1] == c) for c in CALLS})

    def longest(self, folder: Path) -> int:
        """The size that the store of such a run has."""
        return (folder / "market.gapless").stat().st_size

    def tried(self, case: Case, folder: Path) -> tuple[bool, list[str]]:
        """Whether the program met the fault, and every promise that it broke."""
        inject = ("-e", f"inject={case.call}:{case.how}:when={case.n}") if case.call else ()
        if case.insists:
            return self._insisted(folder, inject)
        code, log = self._program(folder, inject, limit=0 if case.call else case.n)
        if case.how == LIE:
            return "INJECTED" in log, self._served(folder)
        said = (folder / "err").read_text()
        problems = [] if code in (0, 7) else [f"exit code {code}: {said[-300:]}"]
        if code == 7 and (said.count("error: ") != 1 or "hint: " not in said or "Traceback" in said):
            problems.append(f"it was not said in one line and a hint: {said[-300:]}")
        if case.call == "fdatasync" and _wrote_on(log):
            problems.append("the journal was written after a sync of it had failed")
        return code == 7 or "INJECTED" in log, problems + self._whole_again(folder)

    def _insisted(self, folder: Path, inject: Sequence[str]) -> tuple[bool, list[str]]:
        code, log = self._traced(folder, inject, insist, str(folder), self.plant)
        problems = [] if code == 0 else [f"exit code {code}"]
        if _wrote_on(log):
            problems.append("the journal was written after a sync of it had failed")
        with closing(open_store(f"{folder}/market.gapless")) as store:
            problems += [f"verify: {damage.what}" for damage in store.verify()]
            kept = {entry.recorded for entry in store.entries(SPY, Base.MINUTE)}
        told = {int(page) for page in (folder / "told").read_text().split()}
        return "INJECTED" in log, problems + [f"page {page} is lost" for page in told - kept]

    def _whole_again(self, folder: Path) -> list[str]:
        try:
            with warehouse(self.sandbox.url, f"{folder}/market.gapless", OwnedClock()) as house:
                problems = self.oracle.broken(house)
                report = house.backfill(
                    self.wanted.symbols,
                    ["1m", "1d"],
                    f"{self.wanted.start}T00:00Z",
                    f"{self.wanted.end}T00:00Z",
                )
                if report.exit_code:
                    problems.append(f"the next run ended with {report.exit_code}: {report.error}")
                return problems + self.oracle.incomplete(house, self.wanted.span) + self.oracle.broken(house)
        except StorageError as error:
            return [f"the store cannot be used any more: {error}"]

    def _served(self, folder: Path) -> list[str]:
        """What is served though it is false; that it is damaged may be said at any point.

        Bars whose entries are lost are told to be missing, and asked for again.
        """
        try:
            with warehouse(self.sandbox.url, f"{folder}/market.gapless", OwnedClock()) as house:
                problems = self.oracle.broken(house)
                return [
                    what
                    for what in problems
                    if not what.startswith("verify: ") and not what.endswith(UNVOUCHED)
                ]
        except StorageError:
            return []

    def _program(self, folder: Path, inject: Sequence[str], *, limit: int = 0) -> tuple[int, str]:
        """Run a backfill under `strace`; its exit code, and the calls on the store's files."""
        return self._traced(
            folder, inject, live, str(folder), self.sandbox.url, self.wanted, limit, self.plant
        )

    def _traced(
        self, folder: Path, inject: Sequence[str], work: Callable[..., None], *args: object
    ) -> tuple[int, str]:
        pid = self.nursery.start(work, *args)
        log, store = folder / "calls", folder / "market.gapless"
        paths = [word for suffix in FILES for word in ("-P", f"{store}{suffix}")]
        command = ["strace", "-f", "-y", "-s", "0", "-e", f"trace={','.join(CALLS)}", *inject, *paths]
        with subprocess.Popen([*command, "-o", str(log), "-p", str(pid)], stderr=subprocess.PIPE) as tracer:
            assert tracer.stderr is not None
            enough = Timer(_LONGEST, tracer.kill)
            enough.start()
            try:
                if b"attached" not in (line := tracer.stderr.readline()):
                    os.kill(pid, signal.SIGKILL)
                    raise RuntimeError(f"strace cannot look on: {line.decode()}")
                (folder / "go").touch()
                code = self.nursery.wait(pid)
                tracer.communicate()
            finally:
                enough.cancel()
        return code, log.read_text()


def live(folder: str, url: str, wanted: Wanted, limit: int, plant: Plant | None) -> None:
    """What the child does: wait until somebody looks on, then be the program; `limit` bytes to a file, 0 for any."""
    _begin(folder, plant)
    settings = {
        "GAPLESS_MASSIVE_BASE_URL": url,
        "GAPLESS_MASSIVE_PLAN": "advanced",
        "GAPLESS_RATE": "unlimited",
    }
    program = Gapless(Path(folder), {**settings, "MASSIVE_API_KEY": "sandbox"})
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    dates = ("--start", f"{wanted.start}T00:00Z", "--end", f"{wanted.end}T00:00Z")
    ended = program("backfill", *wanted.symbols, "-t", "1m,1d", *dates)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    Path(folder, "err").write_text(ended.err)
    os._exit(ended.code)


def insist(folder: str, plant: Plant | None) -> None:
    """What another child does: write page after page, whatever happens to them."""
    _begin(folder, plant)
    told = []
    with suppress(StorageError), closing(open_store(f"{folder}/market.gapless")) as store:
        for page in range(1, PAGES + 1):
            with suppress(StorageError):
                put(store, minutes(50, T0 + page * DAY), at=page)
                told.append(page)
    Path(folder, "told").write_text(" ".join(map(str, told)))


def _begin(folder: str, plant: Plant | None) -> None:
    while not Path(folder, "go").exists():
        time.sleep(0.002)
    if plant:
        plant()


def possible() -> str:
    """Why this cannot be tried here, empty where it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    command = ["strace", "-e", "inject=getpid:error=EIO", "true"]
    done = subprocess.run(command, capture_output=True, check=False)
    return "" if done.returncode == 0 else "strace is not allowed to trace here"


def measure(
    size: int,
    seed: int,
    *,
    plant: Plant | None = None,
    calls: Sequence[str] = (),
    share: tuple[int, int] = (0, 1),
) -> Figure:
    """Try `size` of all the faults there are, or all of them; with `calls` only errors of these.

    Of a `share` (2, 3) it is every third one, from the third.
    """
    if reason := possible():
        return Figure(FAULT, 0, "faults", 0, f"not tried: {reason}")
    broken: list[str] = []
    met: Counter[str] = Counter()
    wanted = SMALL if size <= EVERY else LARGE
    with ExitStack() as stack:
        room = Path(stack.enter_context(TemporaryDirectory()))
        sandbox = stack.enter_context(living(SyntheticMarket(seed), now=Pinned(NOW)))
        oracle = Oracle(sandbox, wanted.symbols, wanted.span)
        bench = _Bench(stack.enter_context(Nursery()), sandbox, wanted, oracle, plant)
        cases = [
            case
            for case in _cases(bench, _fresh(room))
            if not calls or (case.call in calls and case.how != LIE)
        ]
        chosen = Random(seed).sample(cases, min(size, len(cases)))[share[0] :: share[1]]
        for case in chosen:
            folder = _fresh(room)
            hit, problems = bench.tried(case, folder)
            met[case.how if hit else "not met"] += 1
            if problems:
                broken.append(str(case))
                sys.stderr.write(f"{case}: {problems}\n")
            shutil.rmtree(folder)
    detail = f"of {len(cases)} there are; " + ", ".join(f"{how}: {n}" for how, n in sorted(met.items()))
    return Figure(FAULT, len(chosen), "faults", len(broken), detail)


def _cases(bench: _Bench, folder: Path) -> Iterator[Case]:
    made = bench.counted(folder)
    for call, how in (*KINDS, ("pwrite64", LIE)):
        yield from (Case(call, how, n) for n in range(1, made[call] + 1))
    yield from (Case("fdatasync", "error=EIO", n, insists=True) for n in range(1, 6 + PAGES))
    # Inside the first page of the file, inside each page, and where a page ends.
    yield from (Case("", "short", n) for n in range(100, bench.longest(folder) * 2, 1000))


def _fresh(room: Path) -> Path:
    return Path(mkdtemp(dir=room))


def _wrote_on(log: str) -> bool:
    """Whether the journal was written after a sync of it had failed."""
    under_way: dict[str, str] = {}
    failed = False
    for line in log.splitlines():
        thread = line.split(maxsplit=1)[0]
        if "resumed>" not in line:  # else it is the end of the call that this thread began before
            under_way[thread] = line
        if failed and "pwrite64(" in line and "-wal>" in line:
            return True
        failed = failed or ("INJECTED" in line and "-wal>" in under_way[thread])
    return False


HARNESS = Harness(FAULT, EVERY, 5_000, measure)
