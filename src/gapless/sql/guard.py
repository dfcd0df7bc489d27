"""What a query may say: one statement that only reads, from the views and nothing else.

DuckDB itself tells what a query says: its parser's tree is walked before anything is bound or run. Statements, tables
and functions in the place of tables are listed where they are open, so what a later DuckDB brings is closed until
somebody opens it. Functions of a row only compute; the few that do more are listed as closed.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from gapless.errors import UsageError

LONGEST_QUERY = 100_000
"""Characters. DuckDB's parser recurses, and several times as many brackets would end the process."""

TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "repeat", "unnest"})
"""They make rows of what they are given; all others look at files, at the network or into DuckDB."""

CLOSED_FUNCTIONS = frozenset({"current_setting", "getenv", "getvariable", "sleep_ms", "write_log"})
"""Functions of a row that look at something beside it, leave something behind, or wait."""

_READING = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_EXPLAIN = re.compile(r"\s*explain\s+(?:analyze\s+)?", re.IGNORECASE)
_TREE = "SELECT json_serialize_sql($1, skip_null := true, skip_empty := true, skip_default := true)"
_ONLY_READS = "Write one SELECT, WITH, DESCRIBE, SHOW TABLES, SUMMARIZE or EXPLAIN statement."


@dataclass(frozen=True, slots=True)
class Reading:
    """A query that may run: the views that it names, and whether it wants the list of them."""

    statement: duckdb.Statement
    views: frozenset[str]
    lists: bool


def admit(query: str, connection: duckdb.DuckDBPyConnection, views: Mapping[str, Any]) -> Reading:
    """Read a query without running any of it.

    Raises:
        UsageError: it does something else than read from the views.
        duckdb.Error: it is not SQL.
    """
    _refuse_unreadable(query)
    statement = _only(query, connection)
    tree = _tree(_body(statement, query, connection), connection)
    tables, lists = _look(tree)
    return Reading(statement, _known(tables, _named_in_query(tree), views), lists)


def listing(views: Mapping[str, Any]) -> str:
    """The views in words, with their columns where they are known without making the view."""
    if not views:
        return "SHOW TABLES lists the views, DESCRIBE bars the columns of one."
    return f"The views are: {'; '.join(_listed(name, view) for name, view in views.items())}."


def _listed(name: str, view: object) -> str:
    schema = getattr(view, "schema", None)
    return name if schema is None else f"{name} ({', '.join(schema.names)})"


def _refuse_unreadable(query: str) -> None:
    if len(query) > LONGEST_QUERY:
        raise UsageError(
            f"The query has {len(query):,} characters; {LONGEST_QUERY:,} are the most.",
            hint="Take long lists of values out of it, and filter the result instead.",
        )
    try:
        query.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"Character {error.start + 1} of the query is no text.", hint="Write the query in UTF-8."
        ) from None


def _only(query: str, connection: duckdb.DuckDBPyConnection) -> duckdb.Statement:
    statements = connection.extract_statements(query)
    if not statements:
        raise UsageError("The query is empty.", hint=_ONLY_READS)
    if len(statements) > 1:
        raise UsageError(f"The query has {len(statements)} statements; one is run.", hint=_ONLY_READS)
    return statements[0]


def _body(statement: duckdb.Statement, query: str, connection: duckdb.DuckDBPyConnection) -> str:
    """The text of what is read; an EXPLAIN is looked at as if it were what it explains."""
    kind = statement.type
    if kind == duckdb.StatementType.SELECT:
        return query
    explain = _EXPLAIN.match(query)
    if kind == duckdb.StatementType.EXPLAIN and explain:
        inner = query[explain.end() :]
        if _only(inner, connection).type == duckdb.StatementType.SELECT:
            return inner
    if kind == duckdb.StatementType.MULTI:
        raise UsageError(
            "PIVOT without its values makes a type first, and nothing is made here.",
            hint="Name the values: PIVOT ... ON symbol IN ('AAPL', 'MSFT') USING ...",
        )
    raise UsageError(f"{_words(kind.name)} is not allowed: SQL only reads here.", hint=_ONLY_READS)


def _tree(body: str, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    (text,) = connection.execute(_TREE, [body]).fetchall()[0]
    try:
        tree: dict[str, Any] = json.loads(text)
    except RecursionError:
        raise UsageError(
            "The query is nested too deeply.", hint="Use IN (...) for long lists, WITH for steps."
        ) from None
    if tree["error"]:
        raise UsageError(f"DuckDB cannot take the query apart: {tree['error_message']}", hint=_ONLY_READS)
    return tree


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _look(tree: dict[str, Any]) -> tuple[set[str], bool]:
    """The tables that a query names, and whether it asks for the list of them; refuses all that does more."""
    tables: set[str] = set()
    lists = False
    for node in _nodes(tree):
        kind = node.get("type")
        if "cte_map" in node and kind not in _READING:
            raise UsageError(f"{_words(str(kind))} is not allowed: SQL only reads here.", hint=_ONLY_READS)
        if kind == "TABLE_FUNCTION":
            _refuse_unless(node["function"]["function_name"], TABLE_FUNCTIONS)
        elif "function_name" in node and node["function_name"].lower() in CLOSED_FUNCTIONS:
            _refuse_unless(node["function_name"], ())
        elif kind == "SHOW_REF" and node["show_type"] == "SHOW_SPECIAL":
            lists = _is_list(node["table_name"])
        elif kind == "BASE_TABLE" or (kind == "SHOW_REF" and "query" not in node):
            tables.add(".".join(node["qualified_name"]["path"]))
    return tables, lists


def _refuse_unless(function: str, allowed: Collection[str]) -> None:
    if function.lower() not in allowed:
        raise UsageError(
            f"The function `{function}` is closed here: a query sees the views and nothing else.",
            hint="SHOW TABLES lists the views, DESCRIBE bars the columns of one.",
        )


def _is_list(table: str) -> bool:
    if table.strip('"') != "tables":
        raise UsageError(
            "Of the SHOW statements only SHOW TABLES is open here.",
            hint="SHOW TABLES lists the views, DESCRIBE bars the columns of one.",
        )
    return True


def _named_in_query(tree: dict[str, Any]) -> set[str]:
    """The names that WITH gives to parts of the query."""
    return {part["key"].lower() for node in _nodes(tree) for part in node.get("cte_map", {}).get("map", ())}


def _known(tables: set[str], named: set[str], views: Mapping[str, Any]) -> frozenset[str]:
    by_lower = {view.lower(): view for view in views}
    for table in sorted(tables):
        if table.lower() not in by_lower and table.lower() not in named:
            raise UsageError(f"There is no view `{table}`.", hint=listing(views))
    return frozenset(by_lower[table.lower()] for table in tables if table.lower() in by_lower)


def _words(kind: str) -> str:
    return kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
