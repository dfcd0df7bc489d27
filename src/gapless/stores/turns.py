"""The limiter that all processes on one store share: a sliding window kept in one row per profile."""

import numpy as np
from sqlalchemy import Connection, select

from gapless.stores.database import Database
from gapless.stores.schema import LIMITER, put
from gapless.vocabulary.batch import Floats

_LONGEST_HOLD = 300.0
"""Seconds that nobody is held back for longer, whatever the vendor says, unless the rate's own window is."""


class Turns:
    """The limiter's part of a store."""

    _db: Database

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """Take one of `calls` turns in any `per` seconds at `now` (Unix seconds).

        Returns 0.0 when the turn is taken, else the seconds after which to try again.
        """
        with self._db.writing(light=True) as connection:
            counted, held = _state(connection, profile)
            moment, turns = _settled(counted, per, now)
            # A hold further ahead than any is long tells of a clock that was put back, too.
            held_until = min(held, now + max(per, _LONGEST_HOLD))
            free = turns[-calls] + per if len(turns) >= calls else moment
            if (rest := max(free, held_until) - moment) > 0:
                if turns is not counted or held_until != held:  # else the next one would begin to wait anew
                    _keep(connection, profile, turns, held_until)
                return float(rest + (moment - now))
            kept = turns[turns + per > moment]
            _keep(connection, profile, np.append(kept, moment), held_until)
            return 0.0

    def move_turn(self, profile: str, counted: float, used: float) -> None:
        """A turn that was taken at `counted` was used at `used` (Unix seconds), later: it counts from there.

        Where it was counted a little later than asked for, because somebody else's clock was read later, the first turn
        from `counted` on is moved in its stead: that errs on the late side.
        """
        with self._db.writing(light=True) as connection:
            turns, held_until = _state(connection, profile)
            at = int(np.searchsorted(turns, counted))
            if at < len(turns) and turns[at] < used:
                _keep(connection, profile, np.sort(np.append(np.delete(turns, at), used)), held_until)

    def hold_back(self, profile: str, until: float) -> None:
        """Nobody gets a turn of this profile before `until` (Unix seconds); the latest one counts."""
        with self._db.writing(light=True) as connection:
            turns, held_until = _state(connection, profile)
            _keep(connection, profile, turns, max(until, held_until))


def _settled(turns: Floats, per: float, now: float) -> tuple[float, Floats]:
    """The moment to count from, and the turns as seen from it: none of them is later.

    Another process may have read the clock later and come here sooner: then its moment counts, so that the
    window stays exact. Turns further ahead than a window tell of a clock that was put back: they are now.
    """
    if not len(turns) or turns[-1] <= now:
        return now, turns
    if turns[-1] - now <= per:
        return float(turns[-1]), turns
    return now, np.minimum(turns, now)


def _state(connection: Connection, profile: str) -> tuple[Floats, float]:
    row = connection.execute(select(LIMITER).where(LIMITER.c.profile == profile)).one_or_none()
    return (np.frombuffer(row.turns, np.float64), row.held_until) if row else (np.empty(0), 0.0)


def _keep(connection: Connection, profile: str, turns: Floats, held_until: float) -> None:
    put(connection, LIMITER, {"profile": profile, "turns": turns.tobytes(), "held_until": held_until})
