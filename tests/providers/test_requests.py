"""How the vendor is asked, and where its next pages may lead."""

from datetime import date

import pytest

from gapless.errors import BadAnswer, UsageError
from gapless.providers import Massive
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from providers.hand_made import BASE_URL, MASSIVE, START, compact, decode, envelope, job, midnight

NEXT = (
    f"{BASE_URL}/v2/aggs/ticker/AAPL/range/1/minute/1704206100000/1704206399999?cursor=bGltaXQ9NSZzb3J0PWFzYw"
)


def test_the_first_request_names_the_last_millisecond_of_the_span() -> None:
    """The vendor includes `to`; the end of a span is not in it."""
    request = MASSIVE.first(job(), START)

    assert request.url == (
        "https://vendor.example/v2/aggs/ticker/AAPL/range/1/minute/1704205800000/1704206399999"
        "?adjusted=false&sort=asc&limit=50000"
    )
    assert request.asset_class is AssetClass.STOCKS


def test_a_request_for_days_goes_from_midnight_to_midnight_over_the_clock_change() -> None:
    """8 to 11 March 2024 in New York: one day of 23 hours among them."""
    span = Span(midnight("2024-03-08"), midnight("2024-03-12"))

    url = MASSIVE.first(job(base=Base.DAY, span=span), span.start).url

    assert "/range/1/day/1709874000000/1710215999999?" in url


@pytest.mark.parametrize(
    ("ticker", "path"),
    [("X:BTCUSD", "/X:BTCUSD/"), ("BRK.B", "/BRK.B/"), ("ABC^D", "/ABC%5ED/"), ("KIMpL", "/KIMpL/")],
)
def test_tickers_are_quoted_and_keep_their_case(ticker: str, path: str) -> None:
    """A colon may stay."""
    assert f"/v2/aggs/ticker{path}range/1/" in MASSIVE.first(job(ticker), START).url


def test_an_index_is_not_asked_for_adjustment() -> None:
    """The vendor has no such parameter for it."""
    assert "adjusted" not in MASSIVE.first(job("I:SPX"), START).url


def test_other_requests() -> None:
    """Several tickers at once, oldest first; one day of a market; coming holidays."""
    assert MASSIVE.actions_request("split", ["AAPL", "BRK.B"]).url == (
        "https://vendor.example/stocks/v1/splits?ticker.any_of=AAPL,BRK.B&limit=5000&sort=execution_date.asc"
    )
    assert MASSIVE.actions_request("dividend", ["A"]).url == (
        "https://vendor.example/stocks/v1/dividends?ticker.any_of=A&limit=5000&sort=ex_dividend_date.asc"
    )
    assert MASSIVE.grouped_request(date(2024, 3, 8), AssetClass.FOREX).url == (
        "https://vendor.example/v2/aggs/grouped/locale/global/market/fx/2024-03-08?adjusted=false"
    )
    assert MASSIVE.holidays_request().url == "https://vendor.example/v1/marketstatus/upcoming"


def test_the_next_page_is_followed_as_written() -> None:
    """Cursor and all, for the rate of the same class."""
    decoded = decode(compact(envelope(next_url=NEXT)))

    following = MASSIVE.follow(decoded, AssetClass.STOCKS)

    assert following is not None
    assert (following.url, following.asset_class) == (NEXT, AssetClass.STOCKS)


def test_the_last_page_has_no_next() -> None:
    """Absent or null."""
    for answer in (envelope(), envelope(next_url=None)):
        assert MASSIVE.follow(decode(compact(answer)), AssetClass.STOCKS) is None


def test_a_key_in_the_next_page_is_taken_out() -> None:
    """Whatever its case, wherever it stands."""
    for text in ("apiKey=SECRET&cursor=a", "cursor=a&apikey=SECRET", "cursor=a&apiKey=SECRET&x=1"):
        decoded = decode(compact(envelope(next_url=NEXT.partition("?")[0] + "?" + text)))
        following = MASSIVE.follow(decoded, AssetClass.STOCKS)
        assert following is not None
        assert "SECRET" not in following.url
        assert "cursor=a" in following.url


@pytest.mark.parametrize(
    ("next_url", "words"),
    [
        (NEXT.replace("vendor.example", "evil.example"), "another host, `https://evil.example`"),
        (NEXT.replace("vendor.example", "vendor.example.evil.example"), "another host"),
        (NEXT.replace("https:", "http:"), "another host"),
        (NEXT.replace("vendor.example", "vendor.example:444"), "another host"),
        (NEXT.replace("https://", "https://someone:secret@"), "user name"),
        (NEXT.replace("https://vendor.example", ""), "no http scheme"),
        (NEXT.replace("vendor.example", "[::1"), "cannot be read"),
        (NEXT.replace("vendor.example", "vendor.example:port"), "cannot be read"),
        (NEXT.replace("/AAPL/", "/MSFT/"), "not one of what was asked for"),
        (NEXT.replace("/1/minute/", "/1/day/"), "not one of what was asked for"),
        (NEXT.replace("/1/minute/", "/5/minute/"), "not one of what was asked for"),
        (f"{BASE_URL}/v3/reference/tickers?cursor=a", "not one of what was asked for"),
    ],
)
def test_a_next_page_elsewhere_is_never_followed(next_url: str, words: str) -> None:
    """Another host would get the key, another path other bars; no user's secret is repeated."""
    with pytest.raises(BadAnswer, match=words) as caught:
        decode(compact(envelope(next_url=next_url)))

    assert "secret" not in caught.value.message


def test_the_default_port_is_the_same_place() -> None:
    """With or without its number."""
    decoded = decode(compact(envelope(next_url=NEXT.replace("vendor.example", "vendor.example:443"))))

    assert decoded.next_url is not None


def test_a_base_address_may_have_a_path() -> None:
    """A gateway in front of the vendor."""
    massive = Massive("https://gate.example/massive/")

    assert massive.first(job(), START).url.startswith("https://gate.example/massive/v2/aggs/ticker/AAPL/")


@pytest.mark.parametrize(
    "base_url", ["", "vendor.example", "ftp://vendor.example", "https://", "https://a@b", "https://a:b"]
)
def test_what_is_no_address_is_answered_with_an_example(base_url: str) -> None:
    """The hint shows one."""
    with pytest.raises(UsageError, match="not the address") as caught:
        Massive(base_url)

    assert "http://" in caught.value.hint
