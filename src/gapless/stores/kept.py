"""What was unpacked lately, kept for the next reader: days of one week lie in one segment."""

from collections import OrderedDict
from threading import Lock

from gapless.vocabulary.batch import Batch

Key = tuple[int | bytes, ...]
"""As of when, and the checksums of segments."""


_LARGE = 4
"""What would fill one part in so many is not kept: a single long read would drive out everything else."""


class Kept:
    """Bars by the segments that they were unpacked from, and as of when; the latest ones, `most` bars in all.

    A segment never changes, and its checksum is compared with its bytes on disk before anyone asks here: so what is
    kept is what would be unpacked. Nobody can write to it. Safe to use from many threads.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bars: OrderedDict[Key, Batch] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    def get(self, key: Key) -> Batch | None:
        """The bars of exactly these segments, None where they are not kept."""
        with self._lock:
            if (bars := self._bars.get(key)) is not None:
                self._bars.move_to_end(key)
            return bars

    def put(self, key: Key, bars: Batch) -> None:
        """Keep these bars, for which others may have to go; not where they are many."""
        for column in bars.columns.values():
            column.flags.writeable = False
        with self._lock:
            if len(bars) > self._most // _LARGE or key in self._bars:
                return
            self._bars[key] = bars
            self._held += len(bars)
            while self._held > self._most:
                _, gone = self._bars.popitem(last=False)
                self._held -= len(gone)
