"""Engine: carries jobs from request to ledger entry, many at a time."""

from gapless.engine.leases import series_name
from gapless.engine.run import Engine, Policy, World

__all__ = ["Engine", "Policy", "World", "series_name"]
