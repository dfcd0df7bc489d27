"""One answer in five going wrong costs no bar and few requests. And: the harness can fail."""

from typing import Any

import pytest

from gapless.engine import conveyor
from gapless.fetch import body
from gapless.providers import bars, massive
from gapless.sandbox import Fault
from torture import answers


def test_no_fault_costs_a_bar() -> None:
    """Every job complete, every bar as it was, at most 1.35 requests for a page; each fault alone, then all mixed."""
    figure = answers.HARNESS.measure(answers.HARNESS.small, 1)
    assert figure.broken == 0, str(figure)
    assert figure.tried >= answers.HARNESS.small


@pytest.mark.parametrize(
    ("fault", "owner", "name", "value"),
    [
        (Fault.DRIP, conveyor, "_proven_end", lambda job, _: job.span.end),
        (Fault.TRUNCATED_ROWS, massive, "check_counts", lambda *_: None),
        (Fault.OUT_OF_RANGE_ROWS, bars, "_refuse", lambda *_: None),
        (Fault.TRUNCATED_GZIP, body, "NetworkError", ZeroDivisionError),
        (Fault.BAD_GATEWAY, answers, "MOST_ATTEMPTS", 1.0),
    ],
    ids=["pagination cut", "counts not checked", "rows not checked", "a fault of ours", "too many attempts"],
)
def test_a_planted_bug_is_seen(
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    owner: Any,  # noqa: ANN401 - a module or a class
    name: str,
    value: object,
) -> None:
    """Each of them loses bars, leaves jobs undone, or asks too often."""
    monkeypatch.setattr(owner, name, value)
    assert answers.measure(150, 1, [fault]).broken > 0
