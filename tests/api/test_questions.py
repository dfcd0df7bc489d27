"""What is known of the store, over HTTP: the same as the library says, in the shape that is declared."""

from itertools import pairwise
from typing import Any

import pytest

from api.served import Client
from engine.living import OwnedClock, utc, warehouse
from gapless.api.declared import JSON, Endpoint
from gapless.api.endpoints import ENDPOINTS
from gapless.api.examples import COVERAGE_BY_DAY
from gapless.vocabulary.timeframe import DAY, MINUTE

MONDAY = utc("2026-11-09T05:00")
HOUR = 60 * MINUTE
ASKED = {
    "bars": "/v1/bars/AAPL?timeframe=5m&start=2026-11-09&end=2026-11-14&limit=2",
    "coverage_of": "/v1/coverage/MSFT?by=minute&start=2026-11-09&end=2026-11-14",
    "explain": "/v1/explain/AAPL?at=2026-11-09T15:00Z",
    "revisions": "/v1/revisions/AAPL",
    "actions": "/v1/actions/AAPL",
    "sessions": "/v1/sessions/AAPL?start=2026-11-09&end=2026-11-11",
    "plan": "/v1/plan?symbols=GOOG&timeframes=1m&start=2026-11-02&end=2026-11-07",
    "aggs": "/v2/aggs/ticker/AAPL/range/5/minute/2026-11-09/2026-11-13?limit=2",
}


def shape(value: Any) -> Any:  # noqa: ANN401 - data
    """The names in it, all the way down; of a list its first item."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "value"


def fits(found: Any, example: Any) -> bool:  # noqa: ANN401 - data
    """Whether an answer has the names of its example; what is empty or null in either says nothing."""
    if found in ("value", []) or example in ("value", []):
        return True
    if isinstance(found, list):
        return fits(found[0], example[0])
    return set(found) == set(example) and all(fits(found[name], example[name]) for name in found)


@pytest.mark.parametrize(
    "endpoint",
    [
        e
        for e in ENDPOINTS
        if e.media[0] == JSON and e.method == "GET" and e.example and "{run_id}" not in e.path
    ],
    ids=lambda endpoint: endpoint.name,
)
def test_an_answer_looks_like_its_example(client: Client, endpoint: Endpoint) -> None:
    """Every name that the documentation shows is there, and no other."""
    found = client.data(ASKED.get(endpoint.name, endpoint.path))
    found.get("rules", {}).clear()
    example = dict(endpoint.example) | ({"rules": {}} if "rules" in endpoint.example else {})
    assert fits(shape(found), shape(example)), (shape(found), shape(example))


def test_days_look_like_their_example_and_add_up(client: Client) -> None:
    """A week of MSFT of which two days were never asked for: their marks, and the bars of the others."""
    found = client.data("/v1/coverage/MSFT?by=day&start=2026-11-09&end=2026-11-14")
    assert fits(shape(found), shape(COVERAGE_BY_DAY))
    assert [day["day"] for day in found["days"]] == [f"2026-11-{n:02}" for n in range(9, 14)]
    assert [day["state"] for day in found["days"]] == [
        "complete",
        "missing",
        "missing",
        "complete",
        "complete",
    ]
    whole = client.data("/v1/bars/MSFT?timeframe=1m&start=2026-11-09&end=2026-11-14&on_gap=mark")
    assert sum(day["bars"] for day in found["days"]) == len(whole["columns"]["ts"])
    assert found["percent"] == 60.0


def test_every_minute_is_in_one_stretch(client: Client) -> None:
    """They follow each other without a hole; what is missing says why; bars are where bars are."""
    found = client.data("/v1/coverage/MSFT?by=minute&start=2026-11-09&end=2026-11-14")
    stretches = found["stretches"]
    assert stretches[0]["start"] == MONDAY
    assert stretches[-1]["end"] == MONDAY + 5 * DAY
    assert all(a["end"] == b["start"] for a, b in pairwise(stretches))
    missing = [s for s in stretches if s["state"] == "missing"]
    tuesday = MONDAY + DAY
    assert [(s["start"], s["end"], s["outcome"]) for s in missing] == [
        (day + 4 * HOUR, day + 20 * HOUR, "unasked") for day in (tuesday, tuesday + DAY)
    ]
    bars = client.data("/v1/bars/MSFT?timeframe=1m&start=2026-11-09&end=2026-11-14&on_gap=mark")["columns"][
        "ts"
    ]
    held = [ts for s in stretches if s["state"] == "bars" for ts in range(s["start"], s["end"], MINUTE)]
    assert held == bars
    assert {s["state"] for s in stretches} == {"bars", "no trade", "closed", "missing"}


def test_what_the_library_says(client: Client, stored: str, vendor: Any, clock: OwnedClock) -> None:  # noqa: ANN401
    """Status, gaps and an explanation are those of a warehouse on the same store."""
    with warehouse(vendor.url, stored, clock) as house:
        statuses, gaps = house.status(), house.gaps()
        said = house.explain("AAPL", "1m", "2026-11-09T15:00Z")
    found = client.data("/v1/coverage")["series"]
    assert [(s["symbol"], s["timeframe"], s["percent"], s["bars"]) for s in found] == [
        (s.symbol, s.timeframe, s.percent, s.bars) for s in statuses
    ]
    assert [m["mark"] for m in found[0]["months"]] == [m.mark for m in statuses[0].months]
    assert [(g["start"], g["end"], g["reason"]) for g in client.data("/v1/gaps")["gaps"]] == [
        (g.start, g.end, g.reason) for g in gaps
    ]
    assert client.data("/v1/explain/AAPL?at=2026-11-09T15:00Z")["sentences"] == list(said.sentences)


def test_sessions_are_those_of_new_york(client: Client) -> None:
    """Two days of November: 4:00 to 20:00, regular from 9:30 to 16:00, five hours behind UTC."""
    found = client.data("/v1/sessions/AAPL?start=2026-11-09&end=2026-11-11")
    half = 30 * MINUTE
    for day, column in enumerate(zip(*found["sessions"].values(), strict=True)):
        hours = (0, 4 * HOUR, 9 * HOUR + half, 16 * HOUR, 20 * HOUR)
        assert column == tuple(MONDAY + day * DAY + hour for hour in hours)


def test_the_runs_are_told(client: Client) -> None:
    """Newest first, each with its report; one by its name, and none by another."""
    runs = client.data("/v1/runs?limit=2")["runs"]
    assert [run["state"] for run in runs] == ["ended", "ended"]
    assert runs[0]["started"] >= runs[1]["started"]
    one = client.data(f"/v1/runs/{runs[1]['run_id']}")
    assert one == runs[1]
    assert one["report"]["exit_code"] == 0
    assert client("/v1/runs/nobody").status == 404


def test_metrics_are_read_by_prometheus(client: Client) -> None:
    """Every sample stands under its TYPE; the first is when all was well for the last time."""
    text = client("/metrics").body.decode()
    types = [line.split()[2:] for line in text.splitlines() if line.startswith("# TYPE")]
    assert types[0] == ["gapless_last_success_timestamp_seconds", "gauge"]
    names = {name for name, _ in types}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            bare = name.partition("{")[0]
            assert {
                bare,
                bare.removesuffix("_bucket"),
                bare.removesuffix("_sum"),
                bare.removesuffix("_count"),
            } & names
    success = client.data("/v1/store")["last_success"]
    assert f"gapless_last_success_timestamp_seconds {success / 1000}" in text
    assert 'gapless_gaps{outcome="unasked"} 1' in text


def test_the_declared_document_is_served(client: Client) -> None:
    """OpenAPI 3.1, with every address that this server has, and an example for each question."""
    found = client.data("/openapi.json")
    assert found["openapi"].startswith("3.1")
    assert set(found["paths"]) == {e.path for e in ENDPOINTS if not e.writes}
    media = found["paths"]["/v1/bars/{symbol}"]["get"]["responses"]["200"]["content"]
    assert media["application/json"]["example"]["symbol"] == "AAPL"
