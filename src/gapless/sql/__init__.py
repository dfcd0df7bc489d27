"""SQL over the store through DuckDB: one statement that only reads, behind a closed door, within limits."""

from gapless.sql.limits import Limits
from gapless.sql.result import SqlResult
from gapless.sql.run import run_sql

__all__ = ["Limits", "SqlResult", "run_sql"]
