"""The pages of the documentation, and what is in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*DOCS.rglob("*.md"), ROOT / "CHANGELOG.md"])
_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A command of a console block, and the lines that the page shows below it."""

    words: list[str]
    output: list[str]


@dataclass(frozen=True)
class Program:
    """A Python block, and the lines of the text block right below it: what it prints."""

    source: str
    output: list[str]


def read(page: str) -> str:
    """The text of a page, by its path from the project's root."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> Iterator[str]:
    """The fenced blocks of one language."""
    return (block for name, block in _BLOCK.findall(read(page)) if name == language)


def steps(page: str) -> Iterator[Shown | Program]:
    """What a reader does who follows a page: its commands and programs in order."""
    text = read(page)
    found = [*_BLOCK.finditer(text)]
    for block, following in pairwise([*found, None]):
        assert block
        language, body = block.groups()
        if language == "console":
            yield from _commands(body)
        if language == "python":
            below = following and following[1] == "text" and not text[block.end() : following.start()].strip()
            yield Program(body, _lines(following[2]) if following and below else [])


def shown(page: str) -> Iterator[Shown]:
    """Every `gapless` command in the console blocks of a page, without what the shell does with its output."""
    return (step for step in steps(page) if isinstance(step, Shown))


def _commands(block: str) -> Iterator[Shown]:
    lines = _lines(block)
    starts = [i for i, line in enumerate(lines) if line.removeprefix("$ ").startswith("gapless ")]
    for start, end in pairwise([*starts, len(lines)]):
        words = shlex.split(lines[start].removeprefix("$ "))
        yield Shown(words[1 : words.index(">") if ">" in words else None], lines[start + 1 : end])


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]
