"""Writes the reference pages from the code: `python docs/generate.py [FOLDER]`, by default `docs/reference`."""
# ruff: noqa: INP001 - a script beside the pages it writes, not a package

import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import is_dataclass
from pathlib import Path

import click

import gapless
from gapless import errors
from gapless.api.declared import ANYWHERE, STATUSES, Endpoint, Param
from gapless.api.endpoints import AROUND, READING, VENDOR, WRITING
from gapless.api.examples import COVERAGE_BY_DAY, PROBLEM
from gapless.cli.root import cli
from gapless.frames import SymbolBars
from gapless.providers import SUBSCRIPTIONS
from gapless.reports import MonthMark
from gapless.settings import KEY_ALIASES, SETTINGS, env_name
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Numbers, Outcome, Receipt
from gapless.vocabulary.timeframe import TIMEFRAMES

WITHIN: tuple[type, ...] = (Batch, MonthMark, Numbers, Receipt, SymbolBars)
"""What the promised values are made of."""
NOTE = "<!-- Written by docs/generate.py from the code; edit the code instead. -->"
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    """Write every page."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        text = "\n\n".join([NOTE, *page()])
        (folder / name).write_text(text + "\n", encoding="utf-8")


# -- pages -------------------------------------------------------------------


def settings() -> Iterator[str]:
    """Every setting with its variable, default and meaning."""
    yield "# Settings"
    yield (
        "The first place that has a setting decides: a flag, an environment variable, `./gapless.toml`, the "
        "user's own `config.toml`, the default. `gapless config --origin` tells which it was. In TOML, "
        'dotted names are tables: `massive.plan` is `plan = "starter"` under `[massive]`.'
    )
    rows = (
        (f"`{s.name}`", f"`{env_name(s.name)}`", f"`{s.default}`" if s.default else "", s.kind, s.help)
        for s in SETTINGS
    )
    yield table(("setting", "environment", "default", "kind", "meaning"), rows)
    aliases = " and ".join(f"`{name}`" for name in KEY_ALIASES)
    secret = next(s.name for s in SETTINGS if s.secret)
    yield (
        f"The key is looked for in `{env_name(secret)}`, then in {aliases}, then in the file that "
        "`massive.key_file` names, then in the system's keyring (service `gapless`) where `keyring` is "
        "installed. It is never read from a flag or a TOML file, and never shown."
    )


def commands() -> Iterator[str]:
    """Every command with its arguments and options, as click knows them."""
    yield "# Commands"
    yield "Data goes to standard output, talk to standard error. Exit codes: see [errors](errors.md)."
    root = click.Context(cli, info_name="gapless", **cli.context_settings)
    yield table(("option", "meaning"), options(cli, root))
    names = cli.list_commands(root)
    yield " · ".join(f"[{name}](#{name})" for name in names)
    for name in names:
        command = cli.get_command(root, name)
        if command is None:
            sys.exit(f"`{name}` is listed but cannot be loaded.")
        context = click.Context(command, info_name=name, parent=root)
        yield f"## {name}"
        yield f"`gapless {' '.join((name, *command.collect_usage_pieces(context)))}`"
        yield plain(command.help or "")
        yield table(("option", "meaning"), options(command, context))


def error_tree() -> Iterator[str]:
    """Every error class and exit code."""
    yield "# Errors and exit codes"
    yield (
        "Every error says what happened and why (`message`) and what to do (`hint`). The tree is cut by what "
        "happens next: ask again, give up this job, or end the run."
    )
    rows = (
        (f"{'&nbsp;' * 4 * depth}`{kind.__name__}`", str(kind.exit_code), summary(kind))
        for kind, depth in descendants(errors.GaplessError)
    )
    yield table(("class", "exit code", "meaning"), rows)
    yield (
        "Exit code 0: everything that was asked for is proved. 3: the run ended, and gaps remain, each with "
        "its reason. 1: a fault in gapless itself. 143: ended by SIGTERM, resumable like 130. "
        "[What to do about each](../how-to/exit-codes.md)."
    )


def words() -> Iterator[str]:
    """Timeframes, asset classes, outcomes and the vendor's plans."""
    yield "# Words"
    yield "## Timeframes"
    yield (
        "What is fetched and stored are the two bases; the rest is derived when it is read. Intraday windows "
        "count from midnight of the zone of the asset class, weeks from Monday, months from the 1st."
    )
    yield table(
        ("timeframe", "base", "minutes", "made"),
        (
            (f"`{t.name}`", f"`{t.base}`", str(t.minutes or ""), "when read" if t.derived else "fetched")
            for t in TIMEFRAMES.values()
        ),
    )
    yield "## Asset classes"
    yield "The class comes from the prefix alone. A ticker keeps its case."
    yield table(
        ("class", "prefix", "zone of its days", "volume"),
        (
            (c.value, f"`{c.prefix}`" if c.prefix else "none", c.zone, "yes" if c.has_volume else "no")
            for c in AssetClass
        ),
    )
    yield "## Outcomes"
    yield "How a span of a series ended. What is covered is not asked for again."
    # What each member means stands beside it, where enums have no docstring.
    members = re.findall(r'"(\w+)"  # (?:covered: )?(.+)', inspect.getsource(Outcome))
    yield table(
        ("outcome", "covered", "meaning"),
        ((f"`{name}`", "yes" if Outcome(name).covers else "no", meaning) for name, meaning in members),
    )
    yield "## Plans"
    yield (
        "What the vendor's subscriptions allow. A year of history is 365 days back from the moment of asking. "
        "`--rate` (`rate`) overrides the rate, never the history."
    )
    yield table(
        ("plan", "rate", "years of history", "the current day"),
        (
            (f"`{p.name}`", p.rate, str(p.years or "all"), "hidden" if p.finished_days_only else "shown")
            for p in SUBSCRIPTIONS.values()
        ),
    )


def python() -> Iterator[str]:
    """The public names, and what their methods take and return."""
    yield "# Python"
    yield "These names are promised; everything else may change."
    names = sorted(gapless.__all__)
    yield table(
        ("name", "what it is"), ((f"`gapless.{name}`", summary(getattr(gapless, name))) for name in names)
    )
    for opening in (gapless.open, gapless.open_async):
        yield f"## gapless.{opening.__name__}"
        yield from described(opening)
    yield from methods(gapless.Warehouse)
    yield "## AsyncWarehouse"
    yield plain(inspect.getdoc(gapless.AsyncWarehouse) or "")
    yield "Its methods are those of `Warehouse`, each to be awaited; only `stop` is a plain call."
    frames: tuple[type, ...] = (gapless.Bars, gapless.Scan, gapless.SqlResult)
    for kind in frames:
        yield from methods(kind)
    yield "## Values"
    yield "Frozen. Instants are Unix milliseconds, UTC; spans are half-open."
    promised: list[type] = [getattr(gapless, name) for name in names]
    for value in (*promised, *WITHIN):
        if is_dataclass(value) and value not in frames:
            yield f"### {value.__name__}"
            yield plain(inspect.getdoc(value) or "")
            yield table(("field", "type"), fields(value))


def methods(kind: type) -> Iterator[str]:
    """A class and its public methods, those of its parents too."""
    yield f"## {kind.__name__}"
    yield plain(inspect.getdoc(kind) or "")
    if is_dataclass(kind):
        yield table(("field", "type"), fields(kind))
    for parent in kind.__mro__:
        for name, member in vars(parent).items():
            if not name.startswith("_") and inspect.isfunction(member):
                yield f"### {name}"
                yield from described(member)


def http() -> Iterator[str]:
    """Every address of the HTTP door."""
    yield "# HTTP"
    yield (
        "`gapless serve` answers on `http://127.0.0.1:8720` from one store, beside whatever writes it. The same page "
        "for programs is `/openapi.json`. Instants are Unix milliseconds, UTC; spans are half-open. In parameters a "
        "moment is written as on the command line, or as Unix milliseconds."
    )
    yield (
        "An answer has a strong `ETag`: send it back in `If-None-Match`, and what has not changed is `304` without a "
        "body. Answers are gzipped for who accepts it. A parameter that an address does not know is an error, never "
        "left out in silence. `HEAD` works wherever `GET` does."
    )
    yield "## Who may ask"
    yield (
        "Without a token the server listens on loopback only, and nothing can be started through it. With a token "
        "(`GAPLESS_SERVE_TOKEN`, or a file of mode 600 in `serve.token_file`) it may listen elsewhere; then every "
        "address under `/v1`, `/v2` and `/v3`, and `/metrics`, wants `Authorization: Bearer <token>`. On loopback "
        "reading needs no token even then. The addresses that start runs exist only with a token **and** "
        "`--allow-write`, and always want it. The `Host` header must be an IP address, `localhost`, or a name given by "
        "`--host` or `--allow-host`. No other site's page can read an answer: there are no CORS headers."
    )
    yield "## Errors"
    yield (
        "Every error is a problem of [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), `application/problem+json`: "
        "`type` and `title` name its kind, `detail` says what and why, `hint` what to do; missing bars come with "
        "`gaps`. (The vendor's own addresses answer in the vendor's shape.) Any address can answer "
        + ", ".join(f"`{status}`" for status in ANYWHERE)
        + "; the others are named below."
    )
    yield table(("status", "meaning"), ((f"`{status}`", meaning) for status, meaning in STATUSES.items()))
    yield block("json", PROBLEM)
    for title, endpoints in (
        ("Reading", READING),
        ("Starting runs", WRITING),
        ("As the vendor has it", VENDOR),
        ("Around it", AROUND),
    ):
        yield f"## {title}"
        for endpoint in endpoints:
            yield from address(endpoint)


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "http.md": http,
    "settings.md": settings,
    "commands.md": commands,
    "errors.md": error_tree,
    "words.md": words,
    "python.md": python,
}


# -- parts -------------------------------------------------------------------


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def address(endpoint: Endpoint) -> Iterator[str]:
    """One address of the HTTP door, with what it takes and an example."""
    yield f"### {endpoint.method} {endpoint.path}"
    yield endpoint.summary
    if endpoint.text:
        yield endpoint.text
    if endpoint.params:
        yield table(("parameter", "kind", "default", "meaning"), map(parameter, endpoint.params))
    if endpoint.media[1:]:
        yield "By `Accept`: " + ", ".join(f"`{kind}`" for kind in endpoint.media) + "."
    if endpoint.errors:
        yield "Errors besides: " + ", ".join(f"`{status}`" for status in endpoint.errors) + "."
    if endpoint.call:
        yield block("text", f"GET {endpoint.call}")
    if endpoint.example is not None:
        yield block("text" if isinstance(endpoint.example, str) else "json", endpoint.example)
    if endpoint.name == "coverage_of":
        yield "With `by=day`:"
        yield block("json", COVERAGE_BY_DAY)


def parameter(param: Param) -> tuple[str, str, str, str]:
    """A row of a table: name, kind, default, meaning."""
    kind = ", ".join(f"`{word}`" for word in param.words) or str(param.kind)
    if param.most:
        kind += f", {param.least} to {param.most}"
    default = "**required**" if param.required else f"`{param.default}`" if param.default else ""
    return f"`{param.name}`", kind, default, param.help


def block(language: str, example: object) -> str:
    """An example as it is on the wire, laid out for people."""
    text = example if isinstance(example, str) else json.dumps(example, indent=1)
    text = re.sub(r"\[([^][{}]*)\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    return f"```{language}\n{text.rstrip()}\n```"


def options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Each option: its names and value, and what it does."""
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            names = ", ".join((*parameter.opts, *parameter.secondary_opts))
            value = "" if parameter.is_flag or parameter.count else f" {parameter.make_metavar(context)}"
            yield f"`{names}{value}`", plain(parameter.help or "")


def descendants(
    kind: type[errors.GaplessError], depth: int = 0
) -> Iterator[tuple[type[errors.GaplessError], int]]:
    """A class and all below it, in the order of declaration, each with its depth."""
    yield kind, depth
    for child in kind.__subclasses__():
        yield from descendants(child, depth + 1)


def described(function: Callable[..., object]) -> Iterator[str]:
    """A function's signature as its source has it, and its docstring."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(node, FUNCTIONS):
        sys.exit(f"{function.__name__} is not a function.")
    arguments = re.sub(r"^self(, )?", "", ast.unparse(node.args))
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    yield f"```text\n{node.name}({arguments}){result}\n```"
    yield plain(inspect.getdoc(function) or "")


def fields(kind: type) -> Iterator[tuple[str, str]]:
    """A dataclass's fields and public properties with their types, as its source has them."""
    if not is_dataclass(kind):
        sys.exit(f"{kind.__name__} is not a dataclass.")
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for part in node.body if isinstance(node, ast.ClassDef) else []:
        if isinstance(part, ast.AnnAssign):
            yield f"`{ast.unparse(part.target)}`", f"`{ast.unparse(part.annotation)}`"
        elif isinstance(part, ast.FunctionDef) and not part.name.startswith("_") and part.returns:
            decorators = [ast.unparse(decorator) for decorator in part.decorator_list]
            if decorators == ["property"]:
                yield f"`{part.name}`", f"`{ast.unparse(part.returns)}`"


def summary(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return plain(inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def plain(docstring: str) -> str:
    """A docstring as Markdown: lines that click must not join become a block, lists of arguments become bullets."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    text = "\n\n".join(
        f"```text\n{part[2:]}\n```" if part.startswith("\b\n") else part for part in paragraphs
    )
    text = re.sub(r"^(Args|Raises):$", r"\1:\n", text, flags=re.MULTILINE)
    return re.sub(r"^    (\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
