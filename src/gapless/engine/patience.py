"""How long a run puts up with failures: a vendor that is down fails no job, until patience runs out."""

from gapless.errors import Retriable, VendorDown

FIRST_PATIENCE = 30.0
"""Seconds without a single answer since the start of the run: more likely a wrong address than an outage."""
PATIENCE = 15 * 60.0
"""Seconds without an answer after there had been some."""


class Patience:
    """Tells apart a request that fails from a vendor that is down; one for all jobs of a run."""

    def __init__(self, started: float) -> None:
        self._last_success = started
        self._succeeded = False
        self._sound = self._failed = 0

    def note(self, *, sound: bool) -> None:
        """Count an attempt that got what it asked for, or one whose failure counts against its job."""
        if sound:
            self._sound += 1
        else:
            self._failed += 1

    def failing(self, *, besides: int) -> float:
        """The share of attempts that failed, from 0 to 1, without `besides` failures of one's own."""
        failed = self._failed - besides
        return failed / (failed + self._sound) if failed else 0.0

    def success(self, at: float) -> None:
        """An answer came, at this monotonic second."""
        self._last_success = at
        self._succeeded = True

    def counts(self, error: Retriable, *, since: float, now: float) -> bool:
        """Whether a failure counts against its job: only if others got through since the job's trouble began.

        Raises:
            VendorDown: nothing got through for too long.
        """
        if self._last_success > since:
            return True
        silent = now - self._last_success
        if silent <= (PATIENCE if self._succeeded else FIRST_PATIENCE):
            return False
        raise VendorDown(
            f"Nothing got through to the vendor for {silent:.0f} s; the last try ended with: {error.message}",
            hint="Check the network and `gapless config` (massive.base_url), then run the same command again: "
            "it goes on where it stopped.",
        ) from error
