"""The door: a query over views, run."""

from collections.abc import Mapping
from typing import Any

from gapless.frames.extras import extra
from gapless.sql.limits import Limits
from gapless.sql.result import SqlResult

_USUAL = Limits()


def run_sql(query: str, views: Mapping[str, Any], *, limits: Limits = _USUAL) -> SqlResult:
    """Run one SQL statement that only reads. DuckDB's dialect; the session's time zone is UTC.

    Each view is an Arrow table, an Arrow dataset (which is handed the filters and columns of the query), or a
    function of no arguments that makes one of these; the function is called only if the query names the view.
    With `limits.rows` the rows are in memory on return; without, they are read as they are asked for.

    Raises:
        UsageError: the query is wrong, does something else than read, or names what is not there;
            or DuckDB or pyarrow is not installed.
        OwnLimit: it took too long or needed too much memory.
        GaplessError: a view could not be read, and why.
    """
    with extra("sql", "duckdb", "pyarrow"):
        from gapless.sql.query import start  # noqa: PLC0415 - DuckDB and pyarrow are extras
    return SqlResult(*start(query, views, limits), most=limits.rows)
