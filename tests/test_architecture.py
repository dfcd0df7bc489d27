"""The rooms, the lengths and the habits that the code promises, read off the source itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "gapless"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 50
BROAD_ALLOWED = ("engine/run.py", "app/keeping_fresh.py", "app/running.py", "api/door.py", "cli/", "mcp/")
HEAVY = (
    "aiohttp",
    "duckdb",
    "exchange_calendars",
    "pandas",
    "polars",
    "pyarrow",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Path) -> Iterator[Function]:
    """Every function and method of a module."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    """The lines of a function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def place(module: Path) -> str:
    """Where a module is, inside the package."""
    return module.relative_to(SOURCE).as_posix()


def test_rooms_import_downwards_only() -> None:
    """The contracts of pyproject.toml are kept, every one."""
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert " 0 broken" in run.stdout


def test_no_module_is_too_long_to_read() -> None:
    """What grows beyond 400 lines is two things."""
    assert {place(m): n for m in MODULES if (n := len(m.read_text().splitlines())) > LONGEST_MODULE} == {}


def test_no_function_is_too_long_to_read() -> None:
    """A function of more than 50 lines, signature and docstring aside, hides a smaller one."""
    long = {
        f"{place(m)}:{f.name}": n
        for m in MODULES
        for f in functions(m)
        if (n := body_lines(f)) > LONGEST_FUNCTION
    }

    assert long == {}


def test_only_the_command_line_prints() -> None:
    """A library that prints spoils somebody's output."""
    printing = [
        place(module)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert [where for where in printing if not where.startswith("cli/")] == []


def test_errors_are_caught_by_name() -> None:
    """Only the job's boundary, the listeners' and the outermost door may keep whatever comes to themselves.

    To tidy up and raise the same error again is no catching.
    """
    broad = [
        place(module)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node)
    ]

    assert [where for where in broad if not where.startswith(BROAD_ALLOWED)] == []


def test_every_module_says_what_it_is() -> None:
    """The first line of its docstring is a sentence."""
    unsaid = [
        place(module)
        for module in MODULES
        if not (ast.get_docstring(ast.parse(module.read_text())) or "")
        .split("\n")[0]
        .endswith((".", "!", "`"))
    ]

    assert unsaid == []


def test_starting_up_loads_nothing_heavy() -> None:
    """`gapless --help` is quick because what takes long to load is loaded when it is needed."""
    doors = [f"gapless.cli.{module.stem}" for module in (SOURCE / "cli").glob("[!_]*.py")]
    names = ", ".join(["sys", "gapless", "gapless.cli", *sorted(doors)])
    code = f"import {names}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert run.stdout.split() == []


def _is_broad(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in ("Exception", "BaseException"))
        for name in names
    )


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
