"""A run in another process, watched from before it starts until it has ended; and a server that goes and comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.conftest import SEED, SHOTS, address_of, asking, serving, watching
from browser.watching import Watched
from cli.program import Gapless, ended, until
from gapless.sandbox import Served, SyntheticMarket, serve_in_process

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKEN = "0123456789abcdef0123456789abcdef"
RUN = ("backfill", "AAPL", "X:BTCUSD", "-t", "1m,1d", "--start", "15d", "--report", "report.json")


@pytest.fixture(scope="module")
def failing_vendor() -> Iterator[Served]:
    """A vendor of which every third answer is no use."""
    market = SyntheticMarket(SEED)
    with serve_in_process(market, faults={"bad_gateway": 0.3}, seed=2) as served:
        yield served


def test_a_run_in_another_process_is_watched_from_start_to_end(
    browser: "Browser", failing_vendor: Served, tmp_path: Path
) -> None:
    """Before it there is nothing; then how far it is, how fast, how much of the budget, why it waits; then its end."""
    program = asking(tmp_path, failing_vendor, GAPLESS_RATE="0.5/s")
    with serving(program) as url, watching(browser, url) as watched:
        watched.open("#/live")
        assert "nothing ever ran" in watched.text()
        with program.started(*RUN, "--quiet") as process:
            card = watched.page.locator("[data-run]")
            card.wait_for(timeout=30_000)
            seen = follow(watched)
            assert ended(process).code in (0, 3)
        report = json.loads((tmp_path / "report.json").read_text())
        assert "AAPL, X:BTCUSD" in seen.title
        assert seen.done == sorted(seen.done)
        assert len(set(seen.done)) >= 3
        assert any(word.startswith("Waits") for word in seen.why)
        assert any(" of 1" in word for word in seen.budget)
        assert any(word.endswith((" s", "min")) for word in seen.left)
        assert card.locator(".state").inner_text() == "has ended"
        assert f"{report['completed']} of {report['jobs']} jobs complete" in watched.text(".ending")
        for kind, number in report["retries"].items():
            assert f"{kind} {number}" in watched.text("[data-run]")
        watched.page.locator(".ending a").click()
        watched.settle()
        assert watched.page.url.endswith(report["run_id"])
        assert watched.troubles() == []
        assert watched.unloaded == []


class Seen:
    """What a card said while its run went on."""

    def __init__(self) -> None:
        self.title = ""
        self.done: list[int] = []
        self.why: set[str] = set()
        self.budget: set[str] = set()
        self.left: set[str] = set()


def follow(watched: Watched) -> Seen:
    """Look at the card until its run is over."""
    seen, shot = Seen(), False

    def over() -> bool:
        nonlocal shot
        said = watched.page.evaluate(
            """() => Object.fromEntries([
                ["title", "h2"], ["state", ".state"], ["why", ".why"], ["done", ".progress > :nth-child(2)"],
                ["budget", "[data-figure=budget] strong"], ["left", "[data-figure=left] strong"],
            ].map(([name, where]) => [name, document.querySelector(`[data-run] ${where}`)?.textContent ?? ""]))"""
        )
        seen.title = said["title"]
        if said["done"]:
            seen.done.append(int(said["done"].split()[0]))
        seen.why.add(said["why"])
        seen.budget.add(said["budget"])
        seen.left.add(said["left"])
        if not shot and len(set(seen.done)) > 2:
            shot = True
            SHOTS.mkdir(parents=True, exist_ok=True)
            watched.page.screenshot(path=SHOTS / "run.png")
        return bool(said["state"] == "has ended")

    until(over, within=60)
    return seen


def test_a_server_that_is_gone_is_said_and_looked_for(browser: "Browser", filled: Gapless) -> None:
    """What was drawn stays; a line says that nobody answers; once somebody does, the view is drawn anew."""
    with filled.started("serve", "--port", "0") as first:
        url = address_of(first)
        with watching(browser, url) as watched:
            watched.open("#/store")
            first.terminate()
            ended(first)
            watched.page.locator("#gone").wait_for()
            assert "does not answer" in watched.text("#gone")
            assert watched.page.locator("main table").count() > 0
            watched.turn("#/gaps")
            assert "The server does not answer" in watched.text()
            with filled.started("serve", "--port", url.rsplit(":", 1)[1]):
                watched.page.locator("#gone").wait_for(state="hidden")
                watched.page.locator("main tbody tr").first.wait_for()
            assert watched.troubles() == []


def test_without_a_store_every_view_says_what_to_do(
    browser: "Browser", vendor: Served, tmp_path: Path
) -> None:
    """No store is no error: each view names a command; once it was run, a button offers what there is now."""
    program = asking(tmp_path, vendor)
    with serving(program) as url, watching(browser, url) as watched:
        watched.open("")
        for view in ("completeness", "live", "chart", "gaps", "quality", "store"):
            watched.turn(f"#/{view}")
            assert watched.page.locator("main [role=alert]").count() == 0
            assert watched.text("main .empty code").startswith("gapless backfill")
        assert watched.page.locator("#news").is_hidden()
        assert program.alone("backfill", "MSFT", "-t", "1d", "--start", "20d").code == 0
        watched.page.locator("#news").wait_for()
        # Nothing moves under a reader's eyes.
        assert "MSFT" not in watched.text()
        watched.page.locator("#news").click()
        watched.page.locator("main").get_by_text("MSFT").wait_for()
        assert watched.troubles() == []
        assert watched.unloaded == []


def test_a_repair_is_started_from_the_page_by_who_has_the_token(
    browser: "Browser", vendor: Served, tmp_path: Path
) -> None:
    """The button is there where the server may write; a wrong token starts nothing, the right one a run to watch."""
    program = asking(tmp_path, vendor, GAPLESS_SERVE_TOKEN=TOKEN)
    part = program("backfill", "AAPL", "MSFT", "-t", "1m", "--start", "20d", "--max-requests", "1")
    assert part.code == 5, part.err
    with serving(program, "--allow-write") as url, watching(browser, url) as watched:
        watched.open("#/gaps")
        watched.page.get_by_role("button", name="Repair all").click()
        watched.page.locator("dialog input").fill("a guess")
        watched.page.keyboard.press("Enter")
        watched.page.locator("dialog", has_text="token").locator("p", has_text="wrong").wait_for()
        assert program("gaps", "--json").json() != []
        watched.page.locator("dialog input").fill(TOKEN)
        watched.page.keyboard.press("Enter")
        watched.page.locator("[data-run] .ending").wait_for()
        assert program("gaps", "--json").json() == []
        assert watched.troubles() == []
