"""The figures of a run, against counts made elsewhere."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.living import NOW, OwnedClock, asked, living, store_url, truth, utc, warehouse
from gapless.reports.shares import Step, Stretch, shares
from gapless.sandbox import Pinned, SyntheticMarket
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base

stretches = st.builds(
    lambda step, start, length: Stretch(step, float(start), float(start + length)),
    st.sampled_from(Step),
    st.integers(-5, 45),
    st.integers(0, 20),
)


@given(st.lists(stretches, max_size=25))
def test_each_second_is_blamed_on_the_first_step_that_was_busy(pages: list[Stretch]) -> None:
    """The slow answer looks at each of forty seconds on its own."""
    blamed = []
    for second in range(40):
        busy = [page.step for page in pages if page.start <= second < page.end]
        blamed.append(min(busy).name.lower() if busy else "idle")
    expected = {name: blamed.count(name) / 40 for name in ("rate", "network", "decode", "store", "idle")}
    found = shares(pages, 0.0, 40.0)
    assert found.keys() == expected.keys()
    assert all(abs(found[name] - share) < 1e-9 for name, share in expected.items())


def test_the_report_adds_up(tmp_path: Path) -> None:
    """Jobs, bars, requests and retries are what the sandbox and its truth counted."""
    span = Span(utc("2026-09-01"), utc("2026-10-08"))
    with (
        living(SyntheticMarket(seed=8), now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock()) as house,
    ):
        sandbox.fail_next("invalid_json", where="/X:BTCUSD/range/1/minute")
        report = house.backfill(["X:BTCUSD"], ["5m", "1h", "1d"], span.start, span.end)
        bars = sum(len(truth(sandbox, "X:BTCUSD", base, span)) for base in Base)
        assert (report.jobs, report.completed, report.failed, report.success) == (3, 3, 0, 1.0)
        assert (report.bars, report.inserted, report.corrected, report.withdrawn) == (bars, bars, 0, 0)
        assert (report.requests, report.ideal_requests) == (asked(sandbox), 3)
        assert report.requests == 4
        assert dict(report.retries) == {"BadAnswer": 1}
        assert abs(sum(report.limited_by.values()) - 1) < 1e-6
        assert report.bytes_per_bar is not None
        assert 0 < report.bytes_per_bar < 40
        data = report.as_dict()
        assert {"success", "exit_code", "targets"} <= data.keys()
        assert len(data["targets"]) == 4
        assert house.store.runs()[0]["report"]["bars"] == bars


def test_nothing_to_do_is_a_success(tmp_path: Path) -> None:
    """A second run has the same jobs complete without a request."""
    with (
        living(SyntheticMarket(seed=8), now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock()) as house,
    ):
        house.backfill(["SPY"], ["1d"], "2026-09-01", "2026-10-01")
        report = house.backfill(["SPY"], ["1d"], "2026-09-01", "2026-10-01")
        assert (report.requests, report.ideal_requests, report.completed, report.exit_code) == (0, 0, 1, 0)


def test_requests_for_splits_and_dividends_are_planned_and_counted_apart(tmp_path: Path) -> None:
    """Two stocks share two of them; a coin needs none. The sandbox counted every request that it answered."""
    with (
        living(SyntheticMarket(seed=8), now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock()) as house,
    ):
        sandbox.fail_next("invalid_json", where="/stocks/v1/splits")
        asked_for = (["AAPL", "SPY", "X:BTCUSD"], ["1d"], "2026-09-01", "2026-10-01")
        plan = house.plan(*asked_for)
        report = house.backfill(*asked_for)

        assert (plan.requests, plan.action_requests) == (3, 2)
        assert (report.requests, report.action_requests) == (3, 3)
        assert sandbox.stats["total"] == 6
        assert "3 for splits and dividends" in dict(report.rows())["requests"]
