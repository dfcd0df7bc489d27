"""The leases of one run: one for each series it writes, renewed while it works."""

from collections.abc import Iterable

from gapless.crash import crash_point
from gapless.errors import LeaseHeld
from gapless.ports import Clock, Store
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.steps import Job, Lease
from gapless.vocabulary.timeframe import Base

TTL = 120_000
"""How long a lease outlives its run where nobody can see that it died, in milliseconds."""
RENEW_EVERY = 30.0
"""Seconds between renewals."""


class Leases:
    """Leases by series; a series that another run holds is in `held` with the error that says by whom."""

    def __init__(self, store: Store, clock: Clock, holder: str) -> None:
        self._store = store
        self._clock = clock
        self._holder = holder
        self._mine: dict[str, Lease] = {}
        self.held: dict[str, LeaseHeld] = {}

    def claim(self, jobs: Iterable[Job]) -> None:
        """Claim every series of these jobs."""
        for resource in sorted({series_name(job.instrument, job.base) for job in jobs}):
            try:
                self._mine[resource] = self._store.claim(
                    resource, self._holder, ttl=TTL, now=self._clock.now()
                )
            except LeaseHeld as error:
                self.held[resource] = error
            crash_point("lease-claimed")

    def of(self, job: Job) -> Lease:
        """The lease of a job's series.

        Raises:
            LeaseHeld: another run has it.
        """
        name = series_name(job.instrument, job.base)
        if name in self.held:
            raise self.held[name]
        return self._mine[name]

    def renew(self) -> None:
        """Hold on to all of them for longer; one that was taken over is moved to `held`."""
        for name, lease in list(self._mine.items()):
            try:
                self._mine[name] = self._store.renew(lease, ttl=TTL, now=self._clock.now())
            except LeaseHeld as error:
                self.held[name] = error
                del self._mine[name]
            crash_point("lease-renewed")

    def release(self) -> None:
        """Give all of them back."""
        for lease in self._mine.values():
            self._store.release(lease)
            crash_point("lease-released")
        self._mine.clear()


def series_name(instrument: Instrument, base: Base) -> str:
    """The resource that the lease of a series is for."""
    return f"{instrument.ticker} {base}"
