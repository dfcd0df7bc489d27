"""The queries of the documentation's page on SQL."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from gapless.frames.in_arrow import schema
from gapless.sql import run_sql
from sql.views import JAN_2, MINUTE, TS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "sql.md").read_text(encoding="utf-8")
YEAR = 365 * 1440 * MINUTE
DAY = 1440 * MINUTE


def market() -> pa.Table:
    """Two days of AAPL in January 2026, and a minute of the second."""
    rows = [("1d", 0, 100.0, 900.0), ("1d", DAY, 102.5, 800.0), ("1m", DAY + 15 * 60 * MINUTE, 101.0, 5.0)]
    form = schema("symbol", "timeframe")
    columns = {name: [None] * len(rows) for name in form.names} | {
        "symbol": ["AAPL"] * len(rows),
        "timeframe": [row[0] for row in rows],
        "ts": pa.array([JAN_2 + YEAR + row[1] for row in rows], TS),
        "close": [row[2] for row in rows],
        "volume": [row[3] for row in rows],
    }
    return pa.table(columns, schema=form)


def answers() -> list[list[tuple[object, ...]]]:
    """What the queries of the page find there, in the page's order; instants left out."""
    return [
        [("AAPL", 100.0, None), ("AAPL", 102.5, 2.5)],
        [(10, 5.0)],
        [("AAPL", 800.0, 5.0)],
        [(100.0, None), (102.5, None)],
    ]


def queries() -> list[str]:
    """Every SQL block of the page."""
    return re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("query", "expected"), list(zip(queries(), answers(), strict=True)))
def test_the_queries_of_the_page_answer(query: str, expected: list[tuple[object, ...]]) -> None:
    """Each one runs as it stands there and finds what it says."""
    result = run_sql(query, {"bars": market()})
    instants = {i for i, name in enumerate(result.columns) if name == "ts"}

    assert [tuple(v for i, v in enumerate(row) if i not in instants) for row in result.rows] == expected


def test_the_columns_of_bars_on_the_page_are_those_of_the_view() -> None:
    """All, in their order."""
    line = next(line for line in PAGE.splitlines() if line.startswith("| `bars`"))

    assert re.findall(r"`(\w+)`", line)[1:] == schema("symbol", "timeframe").names
