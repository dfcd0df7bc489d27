"""No page is misread, none that is sound is refused, and none brings a decoder down. And: the harness can fail."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gapless.providers import bars, columns, envelope, massive
from gapless.vocabulary.steps import Octets
from torture import payloads


def test_no_page_is_misread() -> None:
    """Both decoders and a slow reader agree on ten thousand pages, three quarters of them bent."""
    figure = payloads.HARNESS.measure(payloads.HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (payloads.HARNESS.small, 0), str(figure)


def test_the_pages_are_of_both_kinds() -> None:
    """Neither all sound nor all broken, or nothing would be shown."""
    refused = sum(payloads._read(body).rows is None for body in payloads.pages(1000, 3))
    assert 300 < refused < 700


def _without(module: Any, name: str) -> tuple[Any, str, Callable[..., Any]]:  # noqa: ANN401 - any module
    return module, name, lambda *_, **__: None


def _whole_volumes(text: Octets, start: int, end: int) -> columns.Columns | None:
    """A fast reader that takes volume for a whole number."""
    found = columns.regular_columns(text, start, end)
    return found if found is None or "v" not in found else {**found, "v": np.floor(found["v"])}


@pytest.mark.parametrize(
    "plant",
    [
        _without(massive, "check_counts"),
        _without(bars, "_refuse"),
        _without(bars, "_check_price"),
        _without(columns, "_once"),
        (envelope, "regular_columns", _whole_volumes),
        (massive, "_placed", lambda fault, *_: fault),
        (columns, "ValueError", ZeroDivisionError),
    ],
    ids=lambda plant: plant[1],
)
def test_a_planted_bug_is_seen(monkeypatch: pytest.MonkeyPatch, plant: tuple[Any, str, object]) -> None:
    """Each check that is switched off shows within a thousand pages."""
    module, name, value = plant
    monkeypatch.setattr(module, name, value, raising=False)
    assert payloads.HARNESS.measure(1000, 1).broken > 0
