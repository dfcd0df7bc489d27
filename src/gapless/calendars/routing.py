"""The calendar of every instrument, chosen by its asset class."""

from functools import cache

from gapless.calendars import exchange, rules
from gapless.calendars.table import Table
from gapless.ports import Calendar
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span

_TABLES = {
    AssetClass.STOCKS: exchange.stocks,
    AssetClass.INDICES: exchange.indices,
    AssetClass.CRYPTO: rules.crypto,
    AssetClass.FOREX: rules.forex,
}


def open_calendar() -> Calendar:
    """The calendar of all asset classes.

    It costs nothing to open. The first question about stocks or indices loads their sessions, which takes a
    second or two; they are kept for the life of the process.
    """
    return _ByAssetClass()


class _ByAssetClass:
    """Answers from the table of the instrument's asset class."""

    def known(self, instrument: Instrument) -> Span:
        """The span in which open or closed is known; outside it the answer is unknown."""
        return _table(instrument.asset_class).known

    def sessions(self, instrument: Instrument, span: Span) -> Sessions:
        """The sessions whose trading day overlaps `span`, in order; read-only views."""
        return _table(instrument.asset_class).overlapping(span)


@cache
def _table(asset_class: AssetClass) -> Table:
    return _TABLES[asset_class]()
