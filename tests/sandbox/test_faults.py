"""Each fault does what its name says, as often as was asked, and never for ever."""

import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.errors import UsageError
from gapless.sandbox import MIX, TOXICS, Fault, Pinned, Sandbox, SyntheticMarket
from gapless.sandbox.faults import FaultPlan, applicable, parse_faults
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from sandbox.plain_client import NOW, Client, Reply, client_of, utc

PATH = "/v2/aggs/ticker/X:BTCUSD/range/1/minute/2026-03-01/2026-03-05?adjusted=false&limit=100"
BTC = Instrument.parse("X:BTCUSD")


async def spoiled(
    client: Client, sandbox: Sandbox, fault: str, path: str = PATH
) -> tuple[Reply, dict[str, Any]]:
    """The answer with a fault, and the sound one that follows when it is asked again."""
    sandbox.fail_next(fault)
    bad, good = await client.get(path), await client.get(path)
    assert good.status == 200
    assert sandbox.stats["faults"] == {fault: 1}
    return bad, good.json


def stamps(page: dict[str, Any]) -> list[int]:
    """When the bars of a page start."""
    return [row["t"] for row in page["results"]]


# -- before and under the body -----------------------------------------------


async def test_rate_limit_is_a_429_out_of_the_blue(client: Client, sandbox: Sandbox) -> None:
    """With the body of a real one."""
    bad, _ = await spoiled(client, sandbox, "rate_limit")
    assert (bad.status, bad.json["status"]) == (429, "ERROR")


async def test_bad_gateway_is_a_page_of_html(client: Client, sandbox: Sandbox) -> None:
    """502, 503 and 504 take turns."""
    sandbox.fail_next("bad_gateway", times=3)
    answers = [await client.get(PATH) for _ in range(3)]
    assert {answer.status for answer in answers} == {502, 503, 504}
    assert all(answer.raw.startswith(b"<html>") for answer in answers)
    assert all(answer.headers["Content-Type"] == "text/html" for answer in answers)


async def test_reset_ends_the_connection_in_the_middle(client: Client, sandbox: Sandbox) -> None:
    """The client has a part of the body and an error."""
    sandbox.fail_next("reset")
    with pytest.raises(aiohttp.ClientError):
        await client.get(PATH)
    assert (await client.get(PATH)).status == 200


async def test_cut_closes_the_connection_in_the_middle(client: Client, sandbox: Sandbox) -> None:
    """In good order, with less than was promised."""
    sandbox.fail_next("cut")
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get(PATH)
    assert (await client.get(PATH)).status == 200


@pytest.mark.parametrize("fault", ["latency", "drip", "bandwidth"])
async def test_what_only_takes_time_leaves_the_answer_whole(fault: str) -> None:
    """Byte for byte the answer without it."""
    async with (
        Sandbox(SyntheticMarket(), now=Pinned(NOW), stall=0.05) as sandbox,
        client_of(sandbox) as client,
    ):
        slow, good = await spoiled(client, sandbox, fault)
        assert (slow.status, slow.json) == (200, good)


async def test_truncated_gzip_ends_before_its_end(client: Client, sandbox: Sandbox) -> None:
    """The HTTP answer is complete, its content is not."""
    bad, _ = await spoiled(client, sandbox, "truncated_gzip")
    assert len(bad.wire) == int(bad.headers["Content-Length"])
    with pytest.raises(EOFError):
        _ = bad.raw


async def test_stall_keeps_the_client_waiting() -> None:
    """Nothing more comes until the client gives up."""
    async with (
        Sandbox(SyntheticMarket(), now=Pinned(NOW), stall=30) as sandbox,
        client_of(sandbox) as client,
    ):
        sandbox.fail_next("stall")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get(PATH), 0.3)
        assert (await client.get(PATH)).status == 200


async def test_invalid_json_is_a_success_that_cannot_be_read(client: Client, sandbox: Sandbox) -> None:
    """200, and the text ends too early."""
    bad, _ = await spoiled(client, sandbox, "invalid_json")
    assert bad.status == 200
    with pytest.raises(json.JSONDecodeError):
        _ = bad.json


async def test_not_authorized_with_the_status_of_a_success(client: Client, sandbox: Sandbox) -> None:
    """Only the body says that it is a refusal."""
    bad, _ = await spoiled(client, sandbox, "not_authorized_200")
    assert (bad.status, bad.json["status"]) == (200, "NOT_AUTHORIZED")


# -- in the page -------------------------------------------------------------


async def test_no_results_with_next_hides_a_page_in_the_middle(client: Client, sandbox: Sandbox) -> None:
    """No rows, but the chain goes on as if they had been there."""
    bad, good = await spoiled(client, sandbox, "no_results_with_next")
    assert "results" not in bad.json
    assert bad.json["next_url"] == good["next_url"]


async def test_foreign_next_url_points_to_another_host(client: Client, sandbox: Sandbox) -> None:
    """Path and cursor are right, the host is not."""
    bad, good = await spoiled(client, sandbox, "foreign_next_url")
    assert urlsplit(bad.json["next_url"]).hostname != urlsplit(client.url).hostname
    assert urlsplit(bad.json["next_url"]).path == urlsplit(good["next_url"]).path


async def test_repeated_next_url_would_go_round_for_ever(client: Client, sandbox: Sandbox) -> None:
    """The next page is the same page."""
    bad, good = await spoiled(client, sandbox, "repeated_next_url")
    assert stamps((await client.get(bad.json["next_url"])).json) == stamps(good)


async def test_duplicate_rows(client: Client, sandbox: Sandbox) -> None:
    """One bar is there twice, and is counted twice."""
    bad, good = await spoiled(client, sandbox, "duplicate_rows")
    assert bad.json["resultsCount"] == len(stamps(good)) + 1
    assert sorted(set(stamps(bad.json))) == stamps(good)


async def test_unsorted_rows(client: Client, sandbox: Sandbox) -> None:
    """All are there, two have changed places."""
    bad, good = await spoiled(client, sandbox, "unsorted_rows")
    assert stamps(bad.json) != sorted(stamps(bad.json)) == stamps(good)


async def test_out_of_range_rows(client: Client, sandbox: Sandbox) -> None:
    """The first bar claims to be from before the range."""
    bad, good = await spoiled(client, sandbox, "out_of_range_rows")
    assert stamps(bad.json)[0] < utc("2026-03-01") <= stamps(good)[0]


async def test_adjusted_flip(client: Client, sandbox: Sandbox) -> None:
    """The page says that it is adjusted, although raw bars were asked for; also on a later page."""
    bad, good = await spoiled(client, sandbox, "adjusted_flip")
    assert (bad.json["adjusted"], good["adjusted"]) == (True, False)
    sandbox.fail_next("adjusted_flip")
    assert (await client.get(good["next_url"])).json["adjusted"]


async def test_nan_price(client: Client, sandbox: Sandbox) -> None:
    """A price is written NaN, which is no JSON."""
    bad, _ = await spoiled(client, sandbox, "nan_price")
    assert b'"c":NaN' in bad.raw


async def test_wrong_ticker(client: Client, sandbox: Sandbox) -> None:
    """The page says that it is about something else."""
    bad, good = await spoiled(client, sandbox, "wrong_ticker")
    assert bad.json["ticker"] != good["ticker"] == "X:BTCUSD"


async def test_count_mismatch(client: Client, sandbox: Sandbox) -> None:
    """The rows are right, the counts are not."""
    bad, good = await spoiled(client, sandbox, "count_mismatch")
    assert bad.json["results"] == good["results"]
    assert bad.json["resultsCount"] == bad.json["count"] == len(good["results"]) + 1


async def test_truncated_rows(client: Client, sandbox: Sandbox) -> None:
    """The last rows are missing, and the counts still speak of them."""
    bad, good = await spoiled(client, sandbox, "truncated_rows")
    assert bad.json["results"] == good["results"][:50]
    assert bad.json["resultsCount"] == 100


async def test_clipped_history(client: Client, sandbox: Sandbox) -> None:
    """The older half is missing, and nothing says so."""
    bad, good = await spoiled(client, sandbox, "clipped_history")
    assert bad.json["results"] == good["results"][50:]
    assert bad.json["resultsCount"] == bad.json["count"] == bad.json["queryCount"] == 50


async def test_late_revision_changes_the_truth_afterwards(client: Client, sandbox: Sandbox) -> None:
    """The first answer is the old truth, the second the new one, and so is `truth`."""
    span = Span(utc("2026-03-01"), utc("2026-03-02"))
    before = sandbox.truth(BTC, Base.MINUTE, span)
    sandbox.fail_next("late_revision")
    first, second = (await client.get(PATH)).json, (await client.get(PATH)).json
    after = sandbox.truth(BTC, Base.MINUTE, span)
    assert (~before.same_rows(after)).sum() == 1
    changed = [(a, b) for a, b in zip(first["results"], second["results"], strict=True) if a != b]
    assert [b["v"] - a["v"] for a, b in changed] == [pytest.approx(1)]


async def test_an_outage_hides_bars_until_it_is_over(client: Client, sandbox: Sandbox) -> None:
    """An empty success on a trading day; later the bars are there."""
    day = Span(utc("2026-03-01"), utc("2026-03-01") + 5 * DAY)
    sandbox.market.hide(BTC, Base.MINUTE, day)
    during = (await client.get(PATH)).json
    assert not len(sandbox.truth(BTC, Base.MINUTE, day))
    sandbox.market.show()
    assert during["resultsCount"] == 0
    assert (await client.get(PATH)).json["resultsCount"] == 100


# -- how often ---------------------------------------------------------------


async def test_a_scripted_fault_can_wait_for_its_address(client: Client, sandbox: Sandbox) -> None:
    """Only the second page, which is the one with a cursor, goes wrong."""
    sandbox.fail_next("wrong_ticker", where="cursor=")
    pages = await client.chain(PATH.replace("limit=100", "limit=5000"))
    assert [page["ticker"] == "X:BTCUSD" for page in pages] == [True, False]


async def test_with_faults_at_a_fifth_patience_is_rewarded() -> None:
    """Asking each page again until it is sound brings the truth, within four attempts a page."""
    market = SyntheticMarket(seed=7)
    attempts: Counter[str] = Counter()
    async with (
        Sandbox(market, now=Pinned(NOW), faults="60%", seed=5, stall=0.01) as sandbox,
        client_of(sandbox) as client,
    ):
        rows: list[int] = []
        url: str | None = PATH.replace("03-05", "03-02")
        while url:
            attempts[url] += 1
            plain = await _sound(client, sandbox, url)
            if plain is not None:
                rows += stamps(plain)
                url = plain.get("next_url")
        truth = sandbox.truth(BTC, Base.MINUTE, Span(utc("2026-03-01"), utc("2026-03-03")))
        assert rows == truth.ts.tolist()
        assert sum(sandbox.stats["faults"].values()) == attempts.total() - len(attempts)
    assert max(attempts.values()) <= 4


async def _sound(client: Client, sandbox: Sandbox, url: str) -> dict[str, Any] | None:
    """The page, or nothing where the sandbox counts that it did something to it."""
    before = sum(sandbox.stats["faults"].values())
    try:
        answer = await client.get(url)
    except aiohttp.ClientError:
        return None
    return answer.json if sum(sandbox.stats["faults"].values()) == before else None


def test_the_same_seed_and_requests_make_the_same_faults() -> None:
    """And about as many as were asked for, of every kind."""
    asked = [f"/page/{n}" for n in range(4000)]
    runs = [FaultPlan(parse_faults("20%"), seed=1) for _ in range(2)]
    first, second = ([plan.draw(address, applicable(100)) for address in asked] for plan in runs)
    assert first == second
    assert 700 < sum(fault is not None for fault in first) < 900
    assert {fault for fault in first if fault} == set(MIX)


@given(rows=st.none() | st.integers(0, 3), seed=st.integers(0, 99))
def test_only_what_can_happen_does_and_never_more_than_three_times_in_a_row(
    rows: int | None, seed: int
) -> None:
    """With a chance of 1, three answers go wrong and the fourth is sound."""
    plan = FaultPlan(parse_faults("100%"), seed=seed)
    drawn = [plan.draw("/page", applicable(rows)) for _ in range(8)]
    assert [fault is None for fault in drawn] == [False, False, False, True] * 2
    assert {fault for fault in drawn if fault} <= applicable(rows)


def test_the_mix_leaves_out_what_no_answer_shows() -> None:
    """The moving truth, the silent clip, the refusal and what the way does have to be asked for by name."""
    unseen = {Fault.LATE_REVISION, Fault.CLIPPED_HISTORY, Fault.NOT_AUTHORIZED_200}
    assert set(Fault) - set(MIX) == unseen | set(TOXICS)


def test_chances_are_read_as_people_write_them() -> None:
    """By name, in per cent or as a number."""
    assert parse_faults("reset=10%,stall=0.05") == {Fault.RESET: 0.1, Fault.STALL: 0.05}
    assert parse_faults({"reset": 0.1}) == {Fault.RESET: 0.1}
    assert parse_faults(None) == {}


@pytest.mark.parametrize("text", ["many", "120%", "boom=0.1", "reset=0.9,stall=0.9", "reset=x", "-5%"])
def test_what_is_no_chance_is_refused(text: str) -> None:
    """With a hint."""
    with pytest.raises(UsageError) as caught:
        parse_faults(text)
    assert caught.value.hint


async def test_an_unknown_fault_cannot_be_scripted(sandbox: Sandbox) -> None:
    """A misspelt name does not pass silently."""
    with pytest.raises(UsageError, match="is not a fault"):
        sandbox.fail_next("rest")
