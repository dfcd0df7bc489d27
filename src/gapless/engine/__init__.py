"""Engine: carries jobs from request to ledger entry, many at a time."""

from gapless.engine.conveyor import Rooms
from gapless.engine.run import Engine

__all__ = ["Engine", "Rooms"]
