"""A key that is looked for everywhere, and addresses that want it elsewhere."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.living import NOW, living
from gapless.sandbox import Fault, Pinned, Profile, SyntheticMarket
from torture.harness import Figure, Harness

KEY = "sentinel+Key/8d1f6c2e9a40b7"
_TESTS = Path(__file__).parents[1]
_FORMS = [
    form.encode()
    for form in (
        KEY,
        KEY[9:],
        quote(KEY, safe=""),
        json.dumps(KEY).strip('"'),
        KEY.encode().hex(),
        *(base64.b64encode(b"x" * shift + KEY.encode()).decode()[4:-4] for shift in range(3)),
    )
]
"""The key as it is, and as it would look after what programs do to text."""
_OFTEN = 0.012
"""The chance of each fault: together about a quarter of all answers go wrong."""


def at_work(mode: str, url: str = "", planted: str = "") -> dict[str, Any]:
    """Let a process of its own work at debug level; what it saw, and every text and file that it left."""
    env = {name: text for name, text in os.environ.items() if not name.startswith(("GAPLESS_", "POLYGON_"))}
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-m", "torture.keys_at_work", mode, url, str(told), planted],
            cwd=_TESTS,
            env=env | {"MASSIVE_API_KEY": KEY, "GAPLESS_MASSIVE_BASE_URL": url or "http://127.0.0.1:1"},
            capture_output=True,
            timeout=300,
            check=False,
        )
        if not told.exists():
            raise RuntimeError(done.stderr.decode()[-3000:])
        found: dict[str, Any] = json.loads(told.read_text())
        traces = {name: text.encode() for name, text in found["traces"].items()}
        traces |= {"standard output": done.stdout, "standard error": done.stderr}
        files = [file for file in Path(folder).rglob("*") if file.is_file() and file != told]
        found["traces"] = traces | {f"file {file.name}": file.read_bytes() for file in files}
    return found


def leaks(found: dict[str, Any]) -> list[str]:
    """The places that hold the key in any form."""
    traces = found["traces"].items()
    return [f"the key is in {place}" for place, text in traces if any(form in text for form in _FORMS)]


def look_for_it(size: int, seed: int, planted: str = "") -> Figure:
    """So many rounds through every fault there is."""
    places, broken = 0, list[str]()
    for turn in range(size):
        faults = {str(fault): _OFTEN for fault in Fault}
        options: dict[str, Any] = {"now": Pinned(NOW), "stall": 0.05, "faults": faults, "seed": seed + turn}
        with living(SyntheticMarket(seed=3), keys={KEY: Profile()}, **options) as sandbox:
            found = at_work("work", sandbox.url, planted)
            made = sandbox.stats["faults"]
        places += len(found["traces"])
        broken += leaks(found)
        broken += [f"it connected to {place}" for place in found["connected"] if place not in sandbox.url]
        broken += [] if len(made) > 5 else ["hardly a fault was met"]
    return Figure("a key, looked for everywhere", places, "places", len(broken), "; ".join(broken))


def lead_astray(size: int, _: int, planted: str = "") -> Figure:
    """So many rounds of next pages, addresses and redirects that lead elsewhere."""
    tried, broken = 0, list[str]()
    for _ in range(size):
        found = at_work("follow", planted=planted)
        tried += found["tried"]
        broken += leaks(found)
        broken += ["the trap was sprung"] * found["trapped"] + found["untyped"]
        broken += [f"it connected to {place}" for place in found["connected"] if place != found["here"]]
    return Figure("next pages and redirects elsewhere", tried, "addresses", len(broken), "; ".join(broken))


HARNESSES = (
    Harness("a key, looked for everywhere", 1, 20, look_for_it),
    Harness("next pages and redirects elsewhere", 1, 10, lead_astray),
)
