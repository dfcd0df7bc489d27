"""sql: as a table, as CSV and as JSON; cut and stopped where there is too much; wrong queries."""

import csv
import io
import json

import pytest

from cli.program import Ended, Gapless

_COUNT = (
    "SELECT symbol, count(*) AS n, min(ts) AS first FROM bars WHERE timeframe = '1d' GROUP BY 1 ORDER BY 1"
)


def test_a_query_gives_the_bars_that_bars_prints(filled: tuple[Gapless, Ended]) -> None:
    """The same number of rows, the same first instant, as CSV in a pipe."""
    program, _ = filled
    told = list(csv.DictReader(io.StringIO(program("sql", _COUNT).out)))
    assert [row["symbol"] for row in told] == ["AAPL", "X:BTCUSD"]
    for row in told:
        shown = list(csv.DictReader(io.StringIO(program("bars", row["symbol"], "--on-gap", "mark").out)))
        assert (int(row["n"]), row["first"]) == (len(shown), shown[0]["time"])


def test_json_has_an_object_for_each_row(filled: tuple[Gapless, Ended]) -> None:
    """Numbers as numbers, missing as null, instants as text."""
    program, _ = filled
    instants = "TIMESTAMPTZ '2024-01-02 14:30:00+00' AS c, DATE '2024-01-02' AS e"
    query = f"SELECT 1 AS a, NULL AS b, {instants}, 'nan'::DOUBLE AS d"
    assert program("sql", query, "--json").json() == [
        {"a": 1, "b": None, "c": "2024-01-02T14:30:00Z", "d": None, "e": "2024-01-02"}
    ]


def test_on_a_terminal_it_is_a_table(filled: tuple[Gapless, Ended]) -> None:
    """Heads above, numbers flush right; `--csv` is CSV all the same."""
    program, _ = filled
    query = "SELECT * FROM (VALUES ('a', 1.5e0, NULL), ('bb', 1234567.25e0, 7)) t(name, price, n)"
    lines = program.on_terminal("sql", query).lines
    assert [line.split() for line in lines] == [
        ["name", "price", "n"],
        ["a", "1.5", "-"],
        ["bb", "1,234,567.2", "7"],
    ]
    assert lines[1].index("1.5") > lines[2].index("1,234")
    assert program.on_terminal("sql", "SELECT 1 AS a", "--csv").out == "a\n1\n"


def test_a_narrow_table_folds_text_and_cuts_no_number(filled: tuple[Gapless, Ended]) -> None:
    """Long words wrap, then whole columns are left out from the right, which is said."""
    program, _ = filled
    query = f"SELECT '{'why ' * 9}' AS reason, 1234567 AS n, 7654321 AS m"
    roomy = program.on_terminal("sql", query, columns=44)
    assert [line.split()[-2:] for line in roomy.lines[:2]] == [["n", "m"], ["1234567", "7654321"]]
    assert (roomy.out.count("why"), roomy.err) == (9, "")
    narrow = program.on_terminal("sql", query, columns=30)
    assert (narrow.lines[0].split(), "1234567" in narrow.out) == (["reason", "n"], True)
    assert "No room for m: a wider terminal" in narrow.err


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_a_cut_result_says_so(filled: tuple[Gapless, Ended], form: str) -> None:
    """So many rows and no more, exit 0, and a word on standard error; `--limit 0` has them all."""
    program, _ = filled
    query = "SELECT * FROM range(30)"
    cut, whole = (program("sql", query, form, "--limit", limit) for limit in ("20", "0"))
    counts = [len(json.loads(d.out)) if form == "--json" else d.out.count("\n") - 1 for d in (cut, whole)]
    assert counts == [20, 30]
    assert (cut.code, whole.code) == (0, 0)
    assert "Cut after 20 rows" in cut.err
    assert "--limit 0" in cut.err
    assert whole.err == ""


def test_without_a_query_it_lists_the_views(filled: tuple[Gapless, Ended]) -> None:
    """Each with the columns that it really has; it fits a narrow page."""
    program, _ = filled
    views = program("sql", "--json").json()
    assert [row["name"] for row in program("sql", "SHOW TABLES", "--json").json()] == sorted(views)
    for name, columns in views.items():
        described = program("sql", f"DESCRIBE {name}", "--json").json()
        assert [row["column_name"] for row in described] == list(columns)
    drawn = program("sql").out
    assert max(map(len, drawn.splitlines())) <= 80
    assert all(name in drawn for name in views)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("selec 1", "syntax error"),
        ("select * from candles", "no view `candles`"),
        ("select nonsense from bars", "nonsense"),
        ("drop table bars", "not allowed"),
        ("select * from read_csv('/etc/passwd')", "closed"),
        ("", "empty"),
    ],
)
def test_a_wrong_query_is_told(filled: tuple[Gapless, Ended], query: str, said: str) -> None:
    """Exit 2, what was wrong, what to do; nothing on standard output."""
    program, _ = filled
    done = program("sql", query)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.error
    assert done.hint


@pytest.mark.parametrize("limit", ["10", "0"])
def test_a_query_that_takes_too_long_is_stopped(filled: tuple[Gapless, Ended], limit: str) -> None:
    """Exit 5, whether its rows are collected or handed on as they come."""
    program, _ = filled
    query = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    done = program("sql", query, "--timeout", "0.2", "--limit", limit)
    assert done.code == 5, done.err
    assert "longer than 0.2 seconds" in done.error
