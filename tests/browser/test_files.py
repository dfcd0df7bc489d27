"""The files themselves: small, whole in the wheel, and written so that data cannot become part of the page."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import gapless.api

STATIC = Path(gapless.api.__file__).parent / "static"
ROOT = Path(__file__).parents[2]
MOST_BYTES = 300_000
FILES = sorted(file for file in STATIC.rglob("*") if file.is_file())
OURS = [file for file in FILES if "vendor" not in file.parts]


def test_all_of_it_is_small() -> None:
    """Chart library and all, not packed."""
    assert sum(file.stat().st_size for file in FILES) <= MOST_BYTES


def test_the_wheel_holds_every_file(tmp_path: Path) -> None:
    """Who installs it has the dashboard, and the notice of the library that draws the candles."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        for file in FILES:
            inside = packed.read(f"gapless/api/static/{file.relative_to(STATIC).as_posix()}")
            assert inside == file.read_bytes()
    assert "TradingView" in (STATIC / "vendor" / "NOTICE.txt").read_text()


def test_nothing_is_loaded_from_elsewhere() -> None:
    """The one address of somebody else is a link that a person may follow: the chart library asks for it."""
    found = {
        address
        for file in OURS
        for address in re.findall(r"https?://[^\s\"'`)]+", file.read_text())
        if "www.w3.org" not in address
    }
    assert found == {"https://www.tradingview.com/"}


def test_nothing_is_inline() -> None:
    """No script, style or listener stands in the page itself: the policy of the server would block it."""
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", page)


def test_text_never_becomes_markup() -> None:
    """Nothing that makes elements out of a string is used at all."""
    ways = "innerHTML outerHTML insertAdjacentHTML document.write DOMParser createContextualFragment eval( Function("
    found = [
        (file.name, way)
        for file in OURS
        for way in ways.split()
        if re.search(rf"\b{re.escape(way)}", file.read_text())
    ]
    assert found == []
