"""Leases: who may write a series, with fences that only ever rise."""

import os
import platform
from dataclasses import asdict, replace

from sqlalchemy import Connection, Row, bindparam, select, update

from gapless.errors import LeaseHeld
from gapless.stores.database import Database
from gapless.stores.schema import LEASE, put
from gapless.vocabulary.steps import Lease

_FIND = select(LEASE).where(LEASE.c.resource == bindparam("its_name"))


class Leasing:
    """The leases' part of a store. A holder is named `host:pid:token` by whoever claims."""

    _db: Database

    def claim(self, resource: str, holder: str, *, ttl: int, now: int) -> Lease:
        """Take a lease for `ttl` ms at `now` (Unix ms), with a higher fence than anyone before.

        Raises:
            LeaseHeld: somebody else has it, and is not known to be dead.
        """
        with self._db.writing(light=True) as connection:
            row = _row(connection, resource)
            if row and row.holder not in ("", holder) and row.expires > now and not _died(row.holder):
                raise _held(resource, row.holder)
            lease = Lease(resource, holder, row.fence + 1 if row else 1, now + ttl)
            put(connection, LEASE, asdict(lease))
            return lease

    def renew(self, lease: Lease, *, ttl: int, now: int) -> Lease:
        """Hold on until `ttl` ms after `now` (Unix ms).

        Raises:
            LeaseHeld: it was taken over, or given back.
        """
        with self._db.writing(light=True) as connection:
            check_fence(connection, lease)
            renewed = replace(lease, expires=now + ttl)
            put(connection, LEASE, asdict(renewed))
            return renewed

    def release(self, lease: Lease) -> None:
        """Give a lease back; one that was taken over is left alone."""
        mine = (LEASE.c.resource == lease.resource) & (LEASE.c.fence == lease.fence)
        with self._db.writing(light=True) as connection:
            connection.execute(update(LEASE).where(mine).values(holder="", expires=0))


def check_fence(connection: Connection, lease: Lease | None) -> None:
    """Make sure, inside a transaction, that nobody took this lease over.

    Raises:
        LeaseHeld: its fence is not the highest, or it was given back.
    """
    if lease is None:
        return
    row = _row(connection, lease.resource)
    if row is None or row.fence != lease.fence or not row.holder:
        raise _held(lease.resource, row.holder if row else "")


def _row(connection: Connection, resource: str) -> Row[tuple[str, str, int, int]] | None:
    return connection.execute(_FIND, {"its_name": resource}).one_or_none()


def _held(resource: str, holder: str) -> LeaseHeld:
    who = f"by another run ({holder})" if holder else "no longer by this run"
    return LeaseHeld(
        f"{resource} is held {who}.",
        holder=holder,
        hint="Wait until the other run is done, or stop it; what is stored stays as it is.",
    )


def _died(holder: str) -> bool:
    """Whether a holder is a process of this machine that is no more; of other machines nobody can say."""
    host, _, rest = holder.partition(":")
    pid, _, _ = rest.partition(":")
    if host != platform.node() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it runs, for somebody else
    return False
