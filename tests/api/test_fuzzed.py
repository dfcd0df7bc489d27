"""Thousands of requests made from the server's own document: no fault, no status that is not declared.

The document itself is served, so what is fuzzed is what a caller reads.
"""

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.served import TOKEN, Client, serving
from engine.living import OwnedClock, store_url, warehouse
from gapless.api import questions
from gapless.api.endpoints import ENDPOINTS
from gapless.api.openapi import document

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FUZZED = [e for e in ENDPOINTS if e.params]
EACH = 163
"""Cases that fit the document for each address with parameters, and as many that do not."""
STORED = {"symbol": "AAPL", "ticker": "X:BTCUSD", "run_id": "nobody"}


@pytest.fixture(scope="module")
def writable(stored: str, clock: OwnedClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that may start runs, of a vendor that is never there, over a store that is nobody else's."""
    own = store_url(tmp_path_factory.mktemp("fuzzed"), "packed")
    with warehouse("http://127.0.0.1:9", stored, clock) as house:
        house.backup(Path(own))
    with serving(own, clock, env={"GAPLESS_SERVE_TOKEN": TOKEN}, serve_allow_write="yes") as found:
        yield found


def ask(
    client: Client, told: dict[str, Any], path: str, method: str, mode: GenerationMode, cases: int
) -> int:
    """Make that many requests of one address and hold each answer against the document; returns how many.

    Of those that fit, half ask for what is stored.
    """
    operation = loaded(json.dumps(told))[path][method]
    names = {name: text for name, text in STORED.items() if "{" + name + "}" in path}
    asked = 0

    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"

        def fuzz(count: int, **fixed: Any) -> None:  # noqa: ANN401 - schemathesis' own options
            @settings(
                max_examples=count,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode, **fixed))
            def one(case: Any) -> None:  # noqa: ANN401 - schemathesis' own
                nonlocal asked
                asked += 1
                answer = case.call(base_url=client.url, session=session, timeout=60)
                case.validate_response(answer, checks=CHECKS)

            one()

        if names and operation.query and mode is GenerationMode.POSITIVE:
            fuzz(cases // 2, path_parameters=names if set(names) == _in_path(path) else None)
            cases -= cases // 2
        fuzz(cases)
    return asked


@cache
def loaded(told: str) -> Any:  # noqa: ANN401 - schemathesis' own
    """The document as schemathesis reads it, which takes a while."""
    return schemathesis.openapi.from_dict(json.loads(told))


def _in_path(path: str) -> set[str]:
    return {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_it_is_enough() -> None:
    """Five thousand cases in all."""
    assert (len(FUZZED) * 2 - 1) * EACH >= 5000


RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("endpoint", "mode"),
    # Any text may be the name of a run: there is no wrong one.
    [(e, mode) for e in FUZZED for mode in (RIGHT, WRONG) if (e.name, mode) != ("run", WRONG)],
    ids=lambda part: getattr(part, "name", ""),
)
def test_nothing_undeclared_comes_out(writable: Client, endpoint: Any, mode: GenerationMode) -> None:  # noqa: ANN401
    """Whatever is asked, the answer is one that the document has, and none says that the server failed."""
    told = writable.data("/openapi.json")
    asked = ask(writable, told, endpoint.path, endpoint.method, mode, EACH)
    assert asked >= EACH


def test_an_undeclared_status_is_noticed(writable: Client) -> None:
    """With 400 taken out of the document, the first wrong word fails."""
    planted = copy.deepcopy(document(writes=True))
    del planted["paths"]["/v1/runs"]["get"]["responses"]["400"]
    with pytest.raises(FailureGroup) as caught:
        ask(writable, planted, "/v1/runs", "GET", GenerationMode.NEGATIVE, 50)
    assert [type(one).__name__ for one in caught.value.exceptions] == ["UndefinedStatusCode"]


def test_a_fault_is_noticed(writable: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A division by zero behind an address fails it, though 500 is declared; the answer does not tell which."""
    monkeypatch.setitem(questions.QUESTIONS, "runs", lambda *_: 1 / 0)
    with pytest.raises(FailureGroup) as caught:
        ask(writable, document(writes=True), "/v1/runs", "GET", GenerationMode.POSITIVE, 20)
    assert "ServerError" in [type(one).__name__ for one in caught.value.exceptions]
    got = writable("/v1/runs?limit=13")
    assert got.status == 500
    assert b"zero" not in got.body.lower()
    assert b"Traceback" not in got.body
