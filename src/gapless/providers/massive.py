"""Massive (formerly Polygon.io): how to ask for bars and corporate actions, and how to read the answers."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import quote

from gapless.errors import BadAnswer
from gapless.providers import actions
from gapless.providers.bars import bars_of, batch_of, check_counts
from gapless.providers.columns import named_columns
from gapless.providers.days import date_span
from gapless.providers.envelope import read_envelope, read_page
from gapless.providers.links import Links
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import CorporateAction, Decoded, Job, Page, Request
from gapless.vocabulary.timeframe import Base

_UNIT = {Base.MINUTE: "minute", Base.DAY: "day"}
_MARKET = {
    AssetClass.STOCKS: "us/market/stocks",
    AssetClass.CRYPTO: "global/market/crypto",
    AssetClass.FOREX: "global/market/fx",
}


class Massive:
    """The provider for `base_url` (scheme, host and port); pure, one for all threads."""

    page_bars = 50_000

    def __init__(self, base_url: str) -> None:
        self._links = Links(base_url)

    # -- bars of one ticker

    def first(self, job: Job, start: int) -> Request:
        """The request for the bars of `job` from `start` (Unix ms) to the end of its span.

        The vendor includes `to`, and snaps it to the end of its minute or day: one millisecond before the end
        of a half-open span names exactly the last bar in it.
        """
        asset_class = job.instrument.asset_class
        adjusted = "" if asset_class is AssetClass.INDICES else "adjusted=false&"
        return self._links.request(
            f"{_range_path(job.instrument, job.base)}{start}/{job.span.end - 1}",
            f"{adjusted}sort=asc&limit={self.page_bars}",
            asset_class,
        )

    def follow(self, decoded: Decoded, asset_class: AssetClass) -> Request | None:
        """The request for the next page; None on the last.

        Raises:
            BadAnswer: the vendor points to another host, or to what is not a range of bars.
        """
        return self._links.follow(decoded.next_url, "/v2/aggs/ticker/", asset_class)

    def decode(self, job: Job, page: Page, *, asked: Span) -> Decoded:
        """Bytes to columns, strictly; every bar is inside `asked`, and `next_url` goes on with the same series.

        Raises:
            BadAnswer: anything that a sound answer would not contain.
            Refused: the vendor says so inside a 200.
        """
        try:
            return self._decode(job, page, asked)
        except BadAnswer as fault:
            raise _placed(fault, f"{job.instrument} {job.base}", page) from None

    def _decode(self, job: Job, page: Page, asked: Span) -> Decoded:
        envelope, columns = read_page(page.body)
        instrument = job.instrument
        if envelope.ticker != instrument.ticker:
            raise BadAnswer(f"the answer is about `{envelope.ticker}`")
        # An index has no splits: it is asked for without the flag, and what the answer says of it means nothing.
        if envelope.adjusted and instrument.asset_class is not AssetClass.INDICES:
            raise BadAnswer("the answer is adjusted, raw bars were asked for")
        rows = 0 if columns is None else len(columns["t"])
        check_counts(envelope, rows)
        self._links.check(envelope.next_url, _range_path(instrument, job.base))
        return Decoded(
            batch=Batch.empty()
            if columns is None
            else bars_of(columns, job.base, instrument.asset_class, asked),
            next_url=envelope.next_url,
            full=max(rows, envelope.query_count or 0) >= self.page_bars,
            request_id=str(envelope.request_id) or page.request_id,
        )

    # -- one day of a whole market

    def grouped_request(self, day: date, asset_class: AssetClass) -> Request:
        """The request for the day bars of every ticker of stocks, crypto or forex on one date."""
        path = f"/v2/aggs/grouped/locale/{_MARKET[asset_class]}/{day.isoformat()}"
        return self._links.request(path, "adjusted=false", asset_class)

    def decode_grouped(self, page: Page, day: date) -> dict[str, Batch]:
        """One-bar batches by ticker, stamped with the midnight that starts `day` in the class's zone.

        The vendor stamps these rows with the close of the session, not with its start.

        Raises:
            BadAnswer: anything that a sound answer would not contain.
            Refused: the vendor says so inside a 200.
        """
        try:
            return _grouped(page, day)
        except BadAnswer as fault:
            raise _placed(fault, f"all tickers of {day}", page) from None

    # -- corporate actions and holidays

    def actions_request(self, kind: str, tickers: Sequence[str]) -> Request:
        """The request for the splits (`kind="split"`) or dividends (`"dividend"`) of stock tickers."""
        endpoint = actions.ENDPOINTS[kind]
        wanted = ",".join(quote(ticker, safe="") for ticker in tickers)
        query = f"ticker.any_of={wanted}&limit=5000&sort={endpoint.date_field}.asc"
        return self._links.request(endpoint.path, query, AssetClass.STOCKS)

    def decode_actions(self, kind: str, page: Page) -> tuple[list[CorporateAction], Request | None]:
        """The corporate actions on a page, numbers as the vendor wrote them, and the request for the next one.

        Raises:
            BadAnswer: anything that a sound answer would not contain, or a next page elsewhere.
        """
        try:
            found, next_url = actions.decode_actions(kind, page.body)
            following = self._links.follow(next_url, actions.ENDPOINTS[kind].path, AssetClass.STOCKS)
        except BadAnswer as fault:
            raise _placed(fault, f"{kind}s", page) from None
        return found, following

    def holidays_request(self) -> Request:
        """The request for the coming holidays and early closes of the stock markets; it has no past."""
        return self._links.request("/v1/marketstatus/upcoming", "", AssetClass.STOCKS)

    def decode_holidays(self, page: Page) -> list[actions.Holiday]:
        """The coming holidays, one for each exchange.

        Raises:
            BadAnswer: anything that a sound answer would not contain.
        """
        try:
            return actions.decode_holidays(page.body)
        except BadAnswer as fault:
            raise _placed(fault, "holidays", page) from None


def _range_path(instrument: Instrument, base: Base) -> str:
    return f"/v2/aggs/ticker/{quote(instrument.ticker, safe=':')}/range/1/{_UNIT[base]}/"


def _grouped(page: Page, day: date) -> dict[str, Batch]:
    asset_class = page.request.asset_class
    envelope = read_envelope(page.body)
    tickers, columns = named_columns(bytes(envelope.results))
    check_counts(envelope, len(tickers))
    if envelope.adjusted:
        raise BadAnswer("the answer is adjusted, raw bars were asked for")
    if len(set(tickers)) < len(tickers):
        raise BadAnswer("a ticker is there twice")
    start, end = date_span(day, asset_class)
    if tickers and not (start <= columns["t"].min() and columns["t"].max() < end):
        raise BadAnswer("a row is stamped with another date")
    columns["t"].fill(start)
    batch = batch_of(columns, columns["t"].astype("int64"), asset_class)
    return {ticker: batch.take(slice(row, row + 1)) for row, ticker in enumerate(tickers)}


def _placed(fault: BadAnswer, what: str, page: Page) -> BadAnswer:
    """The same fault, with what it is about and where the answer can be found again."""
    return BadAnswer(f"{what}: {fault.message}", request_id=page.request_id, digest=page.digest)
