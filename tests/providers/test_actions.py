"""Splits, dividends and holidays: numbers exact, nothing half-read."""

from decimal import Decimal

import pytest

from gapless.errors import BadAnswer
from gapless.providers import Holiday
from providers.hand_made import MASSIVE, PAGES, page
from providers.recorded import cassette, sample, vendors_own


def _wrapped(rows: bytes, **more: str) -> bytes:
    extra = "".join(f',"{name}":"{value}"' for name, value in more.items())
    return b'{"status":"OK","request_id":1,"results":%b%b}' % (rows, extra.encode())


def test_splits_of_aapl_as_recorded() -> None:
    """Five splits; 2014 was 7 for 1; ratios are the vendor's text."""
    splits, following = MASSIVE.decode_actions("split", page(_wrapped(sample("splits-aapl"))))

    assert following is None
    assert [(s.ticker, s.date, s.ratio_from, s.ratio_to) for s in splits] == [
        ("AAPL", "2020-08-31", "1", "4"),
        ("AAPL", "2014-06-09", "1", "7"),
        ("AAPL", "2005-02-28", "1", "2"),
        ("AAPL", "2000-06-21", "1", "2"),
        ("AAPL", "1987-06-16", "1", "2"),
    ]
    assert len({s.id for s in splits}) == 5


def test_the_vendors_own_splits_and_dividends_are_read() -> None:
    """The form with an envelope, ids where there are any; two splits of one ticker a week apart stay two."""
    splits, _ = MASSIVE.decode_actions("split", page(vendors_own("v3/reference/splits")))
    dividends, _ = MASSIVE.decode_actions("dividend", page(vendors_own("v3/reference/dividends")))

    assert [s.date for s in splits if s.ticker == "SHOP"] == ["2022-06-29", "2022-06-22"]
    assert (dividends[0].ticker, dividends[0].date, dividends[0].cash) == ("CSSEN", "2025-06-12", "0.59375")
    assert {d.kind for d in dividends} == {"dividend"}


def test_the_present_form_of_splits_and_dividends() -> None:
    """Ids and currency as given, every digit of a number kept."""
    splits, following = MASSIVE.decode_actions("split", page((PAGES / "splits_v1.json").read_bytes()))
    dividends, _ = MASSIVE.decode_actions("dividend", page((PAGES / "dividends_v1.json").read_bytes()))

    assert [(s.id, s.ratio_from, s.ratio_to) for s in splits] == [
        ("E1", "1", "10"),
        ("E2", "3", "4"),
        ("E3", "1", "1.05"),
    ]
    assert following is not None
    assert following.url == "https://vendor.example/stocks/v1/splits?cursor=YXA9MQ"
    assert [(d.id, d.cash, d.currency) for d in dividends] == [("D1", "0.240000000000000001", "USD")]
    assert Decimal(dividends[0].cash) != Decimal("0.24")


def test_no_actions_is_an_answer() -> None:
    """With an empty array or none at all."""
    for body in (_wrapped(b"[]"), b'{"status":"OK","request_id":"x"}'):
        assert MASSIVE.decode_actions("split", page(body)) == ([], None)


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("split", '{"ticker":"A","execution_date":"2020-01-01","split_from":1}', "row 1: .*`split_to`"),
        (
            "split",
            '{"ticker":"A","execution_date":"2020-13-01","split_from":1,"split_to":2}',
            "execution_date",
        ),
        (
            "split",
            '{"ticker":"A","execution_date":"2020-01-01","split_from":0,"split_to":2}',
            "a split of 0 to 2",
        ),
        (
            "split",
            '{"ticker":"A","execution_date":"2020-01-01","split_from":"NaN","split_to":2}',
            "a split of NaN",
        ),
        ("dividend", '{"ticker":"A","ex_dividend_date":"2020-01-01","cash_amount":-1}', "a dividend of -1"),
        ("dividend", '{"ticker":"A","ex_dividend_date":"2020-01-01","cash_amount":null}', "cash_amount"),
        (
            "dividend",
            '{"ticker":"A","ex_dividend_date":"2020-01-01","cash_amount":1,"cash_amount":2}',
            "twice",
        ),
    ],
)
def test_an_action_that_cannot_be_is_refused(kind: str, row: str, words: str) -> None:
    """Each with its reason."""
    with pytest.raises(BadAnswer, match=words):
        MASSIVE.decode_actions(kind, page(_wrapped(f"[{row}]".encode())))


def test_a_page_of_actions_without_rows_cannot_have_a_next() -> None:
    """Something was lost."""
    with pytest.raises(BadAnswer, match="points to a next page"):
        MASSIVE.decode_actions(
            "split", page(b'{"status":"OK","next_url":"https://vendor.example/stocks/v1/splits?cursor=a"}')
        )


def test_holidays_as_recorded() -> None:
    """One for each exchange, early closes with their hours in UTC."""
    holidays = MASSIVE.decode_holidays(page(cassette("market_holidays")))

    assert holidays[0] == Holiday("NYSE", "Memorial Day", "2020-05-25", "closed", None, None)
    thanksgiving = [h for h in holidays if h.date == "2020-11-27" and h.exchange == "NYSE"]
    assert thanksgiving == [
        Holiday("NYSE", "Thanksgiving", "2020-11-27", "early-close", 1606487400000, 1606500000000)
    ]


@pytest.mark.parametrize(
    "body",
    [b"{}", b'[{"exchange":"NYSE"}]', b'[{"exchange":"N","name":"x","date":"2020-01-01","status":"odd"}]'],
)
def test_a_holiday_that_cannot_be_read_is_refused(body: bytes) -> None:
    """A status that is not known could mean anything."""
    with pytest.raises(BadAnswer, match="holidays: the answer cannot be read"):
        MASSIVE.decode_holidays(page(body))
