"""Opens stores with what a store needs of other rooms: how bars are derived, and when markets are open."""

from contextlib import suppress
from pathlib import Path

from gapless.calendars import open_calendar
from gapless.errors import NoStore, StoreReadOnly
from gapless.ports import Store
from gapless.resample import derive
from gapless.stores import open_store, restore_store
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import Base


def opened(url: str, *, create: bool = True, read_only: bool = False) -> Store:
    """The store at `url`; one that cannot be written is opened to be read, as is any with `read_only`.

    Raises:
        NoStore: nothing there, and `create` is not set.
        StorageError: it cannot be used.
    """
    if read_only:
        return open_store(url, derive=derive, open_time=_open_time, read_only=True)
    try:
        return open_store(url, derive=derive, open_time=_open_time, create=create)
    except StoreReadOnly:
        with suppress(NoStore):
            return open_store(url, derive=derive, open_time=_open_time, read_only=True)
        raise


def restored(backup: Path, url: str, *, replace: bool) -> int:
    """Put a copy of a backup where the store at `url` is to be; returns its bytes. See `restore_store`."""
    return restore_store(backup, url, derive=derive, open_time=_open_time, replace=replace)


def _open_time(instrument: Instrument, base: Base, span: Span) -> SpanSet:
    calendar = open_calendar()
    unknown = SpanSet([span]) - SpanSet([calendar.known(instrument)])
    return calendar.sessions(instrument, span).trading(base) | unknown
