"""Keys, plans and rates: who may see what, and how often."""

from datetime import UTC, datetime

import pytest

from gapless.errors import UsageError
from gapless.sandbox import Pinned, Rate, Sandbox, SyntheticMarket
from gapless.sandbox.profiles import Window
from gapless.vocabulary.timeframe import DAY, MINUTE
from sandbox.plain_client import NOW, Client, client_of, utc

DAYS = "/v2/aggs/ticker/AAPL/range/1/day/{}/{}?limit=50000"


def days(start: str, end: str) -> str:
    """The path of a request for day bars of AAPL."""
    return DAYS.format(start, end)


async def test_without_a_key_nothing_is_served(client: Client) -> None:
    """401, with the vendor's words."""
    answer = await client.get(days("2026-01-01", "2026-01-31"), key="")
    assert (answer.status, answer.json["error"]) == (401, "API Key was not provided")


async def test_an_unknown_key_is_turned_away(client: Client) -> None:
    """401, with other words."""
    answer = await client.get(days("2026-01-01", "2026-01-31"), key="nobody")
    assert (answer.status, answer.json["status"], answer.json["error"]) == (401, "ERROR", "Unknown API Key")


async def test_the_key_may_be_in_the_query(client: Client) -> None:
    """`apiKey=` does as well as the header; the next page does not repeat it."""
    answer = await client.get(
        "/v2/aggs/ticker/AAPL/range/1/day/2026-01-01/2026-01-31?limit=2&apiKey=sandbox", key=""
    )
    assert answer.status == 200
    assert "sandbox" not in answer.json["next_url"].partition("?")[2]
    assert (await client.get(answer.json["next_url"], key="")).status == 401


async def test_history_before_the_plan_is_cut_off_without_a_word(client: Client) -> None:
    """Two years are 730 days from the moment of asking: the range from 2022 begins on Monday 2024-11-25."""
    answer = await client.get(days("2022-07-01", "2026-11-20"), key="two-years")
    assert answer.status == 200
    assert answer.json["results"][0]["t"] == utc("2024-11-25T05:00")
    assert answer.json["status"] == "OK"


async def test_the_edge_of_the_plan_moves_the_grid_of_several_minutes() -> None:
    """A 5-minute range from before the edge starts on the minute of asking, as it did in 2022."""
    now = utc("2026-11-23T13:13") + 20_000
    async with Sandbox(SyntheticMarket(), now=Pinned(now)) as sandbox, client_of(sandbox) as client:
        path = "/v2/aggs/ticker/X:BTCUSD/range/5/minute/2020-02-01/2026-11-20?limit=500"
        answer = await client.get(path, key="two-years")
    assert answer.json["results"][0]["t"] == now - 20_000 - 730 * DAY


async def test_a_range_wholly_before_the_plan_is_refused(client: Client) -> None:
    """403 NOT_AUTHORIZED, with the reason in `message`."""
    answer = await client.get(days("2020-01-01", "2021-01-01"), key="two-years")
    assert (answer.status, answer.json["status"]) == (403, "NOT_AUTHORIZED")
    assert answer.json["message"].startswith("Your plan doesn't include this data timeframe.")


async def test_a_plan_of_finished_days_may_not_ask_for_today(client: Client) -> None:
    """It is Monday evening in New York: Monday is refused, Friday is served."""
    assert (await client.get(days("2026-11-01", "2026-11-23"), key="basic")).status == 403
    assert (await client.get(days("2026-11-01", "2026-11-20"), key="basic")).status == 200


async def test_a_delayed_plan_says_so_and_sees_fifteen_minutes_less() -> None:
    """Status DELAYED on ranges; at 15:30 the newest minute is that of 15:14."""
    now = utc("2026-10-07T19:30")
    async with Sandbox(SyntheticMarket(), now=Pinned(now)) as sandbox, client_of(sandbox) as client:
        answer = await client.get("/v2/aggs/ticker/SPY/range/1/minute/2026-10-07/2026-10-07", key="delayed")
        previous = await client.get("/v2/aggs/ticker/SPY/prev", key="delayed")
    assert answer.json["status"] == "DELAYED"
    assert answer.json["results"][-1]["t"] == now - 16 * MINUTE
    assert previous.json["status"] == "OK"


async def test_a_plan_has_its_asset_classes(client: Client) -> None:
    """A stocks key is not entitled to crypto."""
    path = "/v2/aggs/ticker/X:BTCUSD/range/1/day/2026-01-01/2026-01-31"
    answer = await client.get(path, key="stocks-only")
    assert (answer.status, answer.json["message"][:36]) == (403, "You are not entitled to this data. P")
    assert (await client.get(path, key="crypto-only")).status == 200


async def test_unknown_paths_are_plain_text(client: Client) -> None:
    """404 as the vendor's router gives it."""
    answer = await client.get("/v9/nothing")
    assert (answer.status, answer.raw) == (404, b"404 page not found\n")
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_every_answer_has_an_id_in_body_and_header(client: Client) -> None:
    """32 hexadecimal digits, the same in both."""
    answer = await client.get(days("2026-01-01", "2026-01-31"))
    assert answer.headers["X-Request-Id"] == answer.json["request_id"]
    assert len(bytes.fromhex(answer.json["request_id"])) == 16


async def test_answers_are_compressed_for_who_asks(client: Client) -> None:
    """Gzip where the client takes it, plain where it does not; the same bars."""
    packed = await client.get(days("2026-01-01", "2026-01-31"), **{"Accept-Encoding": "gzip"})
    plain = await client.get(days("2026-01-01", "2026-01-31"), **{"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json == plain.json


# -- rates -------------------------------------------------------------------


async def test_the_sixth_request_of_a_minute_is_one_too_many(client: Client, sandbox: Sandbox) -> None:
    """Five pass, the sixth is a 429 without Retry-After, and the counters say so."""
    answers = [await client.get(days("2026-01-01", "2026-01-31"), key="basic") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[5].json["error"].startswith("You've exceeded the maximum requests per minute")
    assert "Retry-After" not in answers[5].headers
    assert sandbox.stats["rate_limited"] == 1
    assert sandbox.stats["max_in_window"] == 6


async def test_a_rate_of_the_server_holds_for_every_key() -> None:
    """One call in an hour, told when to come back."""
    market = SyntheticMarket()
    async with (
        Sandbox(market, now=Pinned(NOW), rate=Rate(1, 3600), retry_after="17") as sandbox,
        client_of(sandbox) as client,
    ):
        first, second = [await client.get("/v1/marketstatus/now") for _ in range(2)]
    assert (first.status, second.status, second.headers["Retry-After"]) == (200, 429, "17")


def test_the_window_slides() -> None:
    """Two calls in ten seconds: the third waits until the first is ten seconds old; a refusal does not count."""
    now = 0.0
    window = Window(Rate(2, 10), lambda: now)
    assert [window.admit(), window.admit()] == [0.0, 0.0]
    now = 4.0
    assert window.admit() == 6.0
    now = 9.9
    assert window.admit() == pytest.approx(0.1)
    now = 10.0
    assert [window.admit(), window.admit()] == [0.0, 0.0]
    assert window.admit() == 10.0


@pytest.mark.parametrize(
    ("text", "rate"),
    [("150/min", Rate(150, 60)), ("100/s", Rate(100, 1)), ("5/2s", Rate(5, 2)), ("5/2", Rate(5, 2))],
)
def test_rates_are_read_as_people_write_them(text: str, rate: Rate) -> None:
    """Per second, per minute, or in some seconds."""
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0/s", "5", "5/0", "-1/s", "5/nan"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    """With a hint."""
    with pytest.raises(UsageError, match="is not a rate"):
        Rate.parse(text)


async def test_a_port_in_use_is_a_plain_error(sandbox: Sandbox) -> None:
    """Which says what to do."""
    with pytest.raises(UsageError, match="cannot listen on"):
        await Sandbox(SyntheticMarket()).start(port=int(sandbox.url.rpartition(":")[2]))


async def test_the_counters_are_served(client: Client) -> None:
    """Without a key, as JSON: requests by endpoint and status."""
    await client.get("/v1/marketstatus/now")
    stats = (await client.get("/sandbox/stats", key="")).json
    assert stats["requests"] == {"/v1/marketstatus/now": {"200": 1}}


async def test_the_time_of_day_is_the_servers_own_unless_pinned() -> None:
    """A sandbox without a clock of its own has bars of today's crypto market."""
    async with Sandbox(SyntheticMarket()) as sandbox, client_of(sandbox) as client:
        answer = await client.get("/v1/marketstatus/now")
    assert datetime.fromisoformat(answer.json["serverTime"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    "path",
    ["/v2/aggs/grouped/locale/us/market/stocks/{}", "/v1/open-close/AAPL/{}"],
    ids=["grouped", "open-close"],
)
async def test_single_days_keep_to_the_plan_too(client: Client, path: str) -> None:
    """A day before the plan is refused, one inside is served, and a word is no day."""
    statuses = [
        (await client.get(path.format(day), key="two-years")).status
        for day in ("2024-01-03", "2026-11-20", "now")
    ]
    assert statuses == [403, 200, 400]


async def test_the_session_of_a_closed_day_is_not_found(client: Client) -> None:
    """404 for Thanksgiving."""
    answer = await client.get("/v1/open-close/AAPL/2025-11-27")
    assert (answer.status, answer.json["status"]) == (404, "NOT_FOUND")
