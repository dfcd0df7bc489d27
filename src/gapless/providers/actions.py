"""Corporate actions and holidays: small answers, decoded with their numbers exact."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from gapless.errors import BadAnswer
from gapless.providers.columns import read_json
from gapless.providers.envelope import read_envelope
from gapless.vocabulary.steps import CorporateAction, Octets


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one kind of action is asked for, and the field that dates it."""

    path: str
    date_field: str


ENDPOINTS = {
    "split": Endpoint("/stocks/v1/splits", "execution_date"),
    "dividend": Endpoint("/stocks/v1/dividends", "ex_dividend_date"),
}


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which one exchange is `closed`, or an `early-close` from `open` to `close` (Unix ms)."""

    exchange: str
    name: str
    date: str
    status: str
    open: int | None
    close: int | None


class _Split(msgspec.Struct):
    ticker: str
    execution_date: date
    split_from: Decimal
    split_to: Decimal
    id: str = ""

    def action(self) -> CorporateAction:
        if not (_positive(self.split_from) and _positive(self.split_to)):
            raise BadAnswer(
                f"{self.ticker} {self.execution_date}: a split of {self.split_from} to {self.split_to}"
            )
        day, before, after = str(self.execution_date), str(self.split_from), str(self.split_to)
        name = self.id or f"{self.ticker}/{day}/{before}:{after}"
        return CorporateAction(self.ticker, "split", day, name, ratio_from=before, ratio_to=after)


class _Dividend(msgspec.Struct):
    ticker: str
    ex_dividend_date: date
    cash_amount: Decimal
    currency: str = ""
    id: str = ""

    def action(self) -> CorporateAction:
        if not self.cash_amount.is_finite() or self.cash_amount < 0:
            raise BadAnswer(f"{self.ticker} {self.ex_dividend_date}: a dividend of {self.cash_amount}")
        day, cash = str(self.ex_dividend_date), str(self.cash_amount)
        name = self.id or f"{self.ticker}/{day}/{cash}"
        return CorporateAction(self.ticker, "dividend", day, name, cash=cash, currency=self.currency)


class _HolidayRow(msgspec.Struct):
    exchange: str
    name: str
    date: date
    status: Literal["closed", "early-close"]
    open: datetime | None = None
    close: datetime | None = None


_splits = msgspec.json.Decoder(list[_Split])
_dividends = msgspec.json.Decoder(list[_Dividend])
_holidays = msgspec.json.Decoder(list[_HolidayRow])


def decode_actions(kind: str, body: Octets) -> tuple[list[CorporateAction], str | None]:
    """The splits or dividends of an answer, and its `next_url`.

    The older form of these endpoints gives no `id`; then it is made from what the row says.

    Raises:
        BadAnswer: a row that cannot be read, or numbers that no action has.
        Refused: the vendor says so inside a 200.
    """
    envelope = read_envelope(body)
    rows = bytes(envelope.results)
    if rows == b"null":
        if envelope.next_url:
            raise BadAnswer("the answer has no results but points to a next page")
        return [], None
    if kind == "split":
        return [row.action() for row in read_json(rows, _splits.decode)], envelope.next_url
    return [row.action() for row in read_json(rows, _dividends.decode)], envelope.next_url


def decode_holidays(body: Octets) -> list[Holiday]:
    """The holidays of an answer, which is a bare array.

    Raises:
        BadAnswer: a row that cannot be read.
    """
    rows = read_json(body, _holidays.decode)
    return [
        Holiday(r.exchange, r.name, str(r.date), r.status, _instant(r.open), _instant(r.close)) for r in rows
    ]


def _instant(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise BadAnswer(f"`{moment}` does not say its time zone")
    return int(moment.timestamp()) * 1000


def _positive(number: Decimal) -> bool:
    return number.is_finite() and number > 0
