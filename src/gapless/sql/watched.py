"""A dataset on its way into DuckDB: it can be stopped between batches, and what went wrong in it is not lost."""

import threading
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.dataset as ds

from gapless.errors import Stopped


class Watch:
    """Over all datasets of one query: `stop` ends their reading, `error` is the first that one of them raised.

    DuckDB passes on the text of an error and no more; a damaged store has to stay a damaged store.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.error: Exception | None = None

    def go_on(self) -> None:
        """Between batches.

        Raises:
            Stopped: nobody waits for more.
        """
        if self.stop.is_set():
            raise Stopped("The query was stopped.")

    def saw(self, error: Exception) -> None:
        """Keep the first error; what comes after it is a consequence."""
        if self.error is None and not self.stop.is_set():
            self.error = error


class Watched(ds.InMemoryDataset):  # type: ignore[misc]  # pyarrow publishes no types
    """Another dataset, under a watch. To DuckDB it has the same columns and takes the same filters."""

    def __init__(self, inner: ds.Dataset, watch: Watch) -> None:
        # DuckDB takes only what is a dataset to Arrow; of this one nobody reads the rows.
        super().__init__(inner.schema.empty_table())
        self._inner, self._watch = inner, watch

    def scanner(self, **options: object) -> "WatchedScanner":
        """A scan with Arrow's options (`columns`, `filter`, ...), handed to the dataset as they came."""
        try:
            return WatchedScanner(self._inner.scanner(**options), self._watch)
        except Exception as error:
            self._watch.saw(error)
            raise


class WatchedScanner:
    """What DuckDB uses of a scanner."""

    def __init__(self, inner: ds.Scanner, watch: Watch) -> None:
        self._inner, self._watch = inner, watch
        self.projected_schema: pa.Schema = inner.projected_schema

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream."""
        return pa.RecordBatchReader.from_batches(self.projected_schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._inner.to_reader():
                self._watch.go_on()
                yield batch
        except Exception as error:
            self._watch.saw(error)
            raise
