"""Stores that released versions of gapless made, unpacked for a test, and what those versions said of them."""

import gzip
import json
from pathlib import Path

from stores.making import url_of

_RELEASED = Path(__file__).parent / "released"
RELEASES = sorted(folder.name for folder in _RELEASED.iterdir() if folder.name[0].isdigit())


def unpacked(version: str, kind: str, folder: Path) -> str:
    """Put the store of this version and kind into a folder; its URL."""
    url = url_of(kind, folder)
    packed = (_RELEASED / version / f"{kind}.gz").read_bytes()
    Path(url.removeprefix("sqlite:///")).write_bytes(gzip.decompress(packed))
    return url


def said(version: str, kind: str) -> dict[str, list[str]]:
    """What that version told of its store; see `released/make.py`."""
    found: dict[str, dict[str, list[str]]] = json.loads((_RELEASED / version / "told.json").read_text())
    return found[kind]
