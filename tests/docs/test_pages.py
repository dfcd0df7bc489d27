"""The pages hang together: links lead somewhere, tests that are named exist, commands and snippets are sound."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import click
import pytest

from docs.pages import PAGES, ROOT, blocks, read, shown
from gapless.cli.root import cli
from gapless.errors import GaplessError
from torture.__main__ import harnesses

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each link inside the project names a file, and a heading in it where it names one."""
    for target in _LINK.findall(read(page)):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.is_file(), target
        assert not heading or heading in _anchors(file), target


def test_every_page_can_be_reached() -> None:
    """From the documentation's first page, or from one that it links to."""
    reached = {"docs/README.md"}
    while new := {found for page in reached for found in _linked(page)} - reached:
        reached |= new
    assert [page for page in PAGES if page.startswith("docs/") and page not in reached] == []


def test_the_tests_that_guarantees_name_exist() -> None:
    """Each promise names at least one."""
    text = read("docs/guarantees.md")
    named = _NAMED_TEST.findall(text)
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in _source(file)]
    assert missing == []
    promises = re.split(r"^## (\d)\. ", text, flags=re.MULTILINE)[1:]
    unproved = [
        n for n, body in zip(promises[::2], promises[1::2], strict=True) if not _NAMED_TEST.search(body)
    ]
    assert unproved == []


def test_every_test_that_guarantees_mention_is_in_the_form_that_is_looked_up() -> None:
    """No path of a test stands there without a name, where nothing would check it."""
    text = read("docs/guarantees.md")
    assert text.count("`tests/") == len(_NAMED_TEST.findall(text))


def test_every_fault_has_its_figure() -> None:
    """Each harness has a row, and its test; what broke a promise is not published as kept."""
    table = read("docs/guarantees.md").partition("\n## Figures\n")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "| `" in line
    ]
    assert [row[0] for row in rows] == [harness.fault for harness in harnesses([])]
    assert {row[2] for row in rows} == {"0"}
    assert all(_NAMED_TEST.fullmatch(row[4]) for row in rows)


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command in a console block is understood: its name, its options, its arguments."""
    monkeypatch.chdir(tmp_path)
    root = click.Context(cli, info_name="gapless")
    for command in shown(page):
        name, *rest = command.words
        if name == "import":
            Path(rest[0]).touch()  # what it takes in has to be there
        found = cli.get_command(root, name)
        assert found is not None, name
        try:
            found.make_context(name, rest, parent=root)
        except (click.ClickException, GaplessError) as error:
            pytest.fail(f"gapless {' '.join(command.words)}: {error}")


@pytest.mark.parametrize("page", PAGES)
def test_python_snippets_compile(page: str) -> None:
    """Every Python block is a program."""
    for block in blocks(page, "python"):
        compile(block, page, "exec")


def test_the_changelog_has_the_version() -> None:
    """The newest version in it is that of the project."""
    version = re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    newest = re.search(r"^## \[(\d.+?)\] - \d{4}-\d\d-\d\d$", read("CHANGELOG.md"), re.MULTILINE)
    assert version
    assert newest
    assert newest[1] == version[1]


def test_each_dependency_has_its_reason() -> None:
    """Every runtime dependency is on the page of its decision, those of the extras too."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    needed = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {re.split(r"[^\w-]", one)[0] for one in needed} - {project["name"]}
    assert len(names) > 15
    page = read("docs/decisions/0002-dependencies.md")
    assert [name for name in names if f"`{name}`" not in page] == []


def _anchors(file: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _linked(page: str) -> set[str]:
    targets = (target.partition("#")[0] for target in _LINK.findall(read(page)))
    files = (((ROOT / page).parent / target).resolve() for target in targets if target.endswith(".md"))
    return {file.relative_to(ROOT).as_posix() for file in files}


def _source(file: str) -> str:
    path = ROOT / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""
