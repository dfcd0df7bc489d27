"""Figures for Prometheus, in base units: of the store and its runs, and of the server itself."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from gapless.api.questions import last_success
from gapless.api.stock import Stock
from gapless.errors import NoStore

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper edges of durations, in seconds."""

Labels = dict[str, object]
Sample = tuple[Labels, float]


class Requests:
    """Counts what the server answered."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._durations: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()

    def heard(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """One answer; `endpoint` is the declared one, so that no caller can make up labels."""
        self._answers[method, endpoint, status] += 1
        counts = self._durations.setdefault(endpoint, [0] * (len(_BUCKETS) + 1))
        counts[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[endpoint] += seconds  # type: ignore[assignment]  # a Counter adds floats too

    def lines(self) -> Iterator[str]:
        """As Prometheus reads them."""
        answers = (
            ({"method": method, "endpoint": endpoint, "status": status}, count)
            for (method, endpoint, status), count in sorted(self._answers.items())
        )
        yield from metric("gapless_http_requests_total", "counter", "Answers.", answers)
        name = "gapless_http_request_duration_seconds"
        yield from _head(name, "histogram", "How long an answer took, streams apart.")
        for endpoint, counts in sorted(self._durations.items()):
            total = 0
            for edge, count in zip((*_BUCKETS, "+Inf"), counts, strict=True):
                total += count
                yield _sample(f"{name}_bucket", {"endpoint": endpoint, "le": edge}, total)
            yield _sample(f"{name}_sum", {"endpoint": endpoint}, self._seconds[endpoint])
            yield _sample(f"{name}_count", {"endpoint": endpoint}, total)


def store_lines(stock: Stock) -> Iterator[str]:
    """Figures of the store; without one, that it is not there."""
    try:
        warehouse = stock.warehouse()
    except NoStore:
        yield from metric("gapless_last_success_timestamp_seconds", "gauge", _SUCCESS, [({}, 0)])
        yield from metric("gapless_store_exists", "gauge", "Whether there is a store.", [({}, 0)])
        return
    store, gaps = warehouse.store, Counter(gap.outcome for gap in warehouse.gaps())
    success = (last_success(warehouse) or 0) / 1000
    bars = Counter[str]()
    for series in store.series():
        bars[series.base] += series.bars
    yield from metric("gapless_last_success_timestamp_seconds", "gauge", _SUCCESS, [({}, success)])
    yield from metric("gapless_store_exists", "gauge", "Whether there is a store.", [({}, 1)])
    yield from metric("gapless_store_bytes", "gauge", "Bytes on disk.", [({}, store.size())])
    yield from metric(
        "gapless_bars", "gauge", "Stored bars.", [({"base": b}, n) for b, n in sorted(bars.items())]
    )
    missing: list[Sample] = [({"outcome": outcome}, count) for outcome, count in sorted(gaps.items())]
    yield from metric("gapless_gaps", "gauge", "Stretches that are missing, by why.", missing or [({}, 0)])
    yield from _runs(warehouse.runs(20))


_SUCCESS = "When the last run ended that left nothing missing; 0: none did."


def _runs(runs: list[dict[str, Any]]) -> Iterator[str]:
    """Of the last run that ended, and of those that go on."""
    going = [run for run in runs if run["state"] == "running"]
    yield from metric("gapless_runs_running", "gauge", "Runs under way.", [({}, len(going))])
    done: list[Sample] = [({}, (run["progress"] or {}).get("requests_done", 0)) for run in going[:1]]
    yield from metric("gapless_run_requests", "gauge", "Requests of the run under way.", done or [({}, 0)])
    last = next((run for run in runs if run["report"]), None)
    if last is None:
        return
    report = last["report"]
    for name, about, value in (
        ("ended_timestamp_seconds", "When it ended.", last["ended"] / 1000),
        ("duration_seconds", "How long it took.", report["seconds"]),
        ("requests", "Its requests.", report["requests"]),
        ("bars", "Base bars that it read.", report["bars"]),
        ("gaps", "Stretches that were missing at its end.", report["gaps"]),
        ("exit_code", "Its exit code: 0 whole, 3 gaps remain.", report["exit_code"]),
    ):
        yield from metric(f"gapless_last_run_{name}", "gauge", f"Of the last run: {about}", [({}, value)])
    retries: list[Sample] = [
        ({"kind": kind}, count) for kind, count in {"RateLimited": 0, **report["retries"]}.items()
    ]
    yield from metric("gapless_last_run_retries", "gauge", "Attempts of the last run that failed.", retries)


def metric(name: str, kind: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    """One metric with its samples."""
    yield from _head(name, kind, about)
    for labels, value in samples:
        yield _sample(name, labels, value)


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Labels, value: float) -> str:
    told = ",".join(f'{key}="{_escaped(str(text))}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
