"""A hundred strings that want to be more than text: as symbols, as reasons, in reports of runs, and in addresses."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from browser.conftest import asking, serving, watching
from browser.watching import Watched
from gapless.app.opening import opened
from gapless.sandbox import Served
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Outcome, Wish
from gapless.vocabulary.timeframe import DAY, Timeframe

if TYPE_CHECKING:
    from playwright.sync_api import Browser

START = 1_788_134_400_000 - 4 * DAY
SPAN = Span(START, START + DAY)
_RUN = "window.__ran=1;alert(1)"
_SHAPES = (
    "<script>{run}</script>",
    "<img src=x onerror={run}>",
    "<svg onload={run}>",
    '"><img src=x onerror={run}>',
    "'><svg/onload={run}>",
    "' onfocus={run} autofocus x='",
    '" onmouseover={run} style=position:fixed;inset:0 "',
    "javascript:{run}",
    "data:text/html,<script>{run}</script>",
    "</title></textarea></style><script>{run}</script>",
    "<iframe srcdoc='<script>parent.{run}</script>'>",
    "<a href=javascript:{run}>x</a>",
    "<details open ontoggle={run}>",
    "<math><mi xlink:href=javascript:{run}>",
    "<style>@import 'http://127.0.0.1:9/x.css';</style>",
    "<base href=http://127.0.0.1:9/><script src=x.js></script>",
    "${{{run}}}",
    "{{{{constructor.constructor('{run}')()}}}}",
    "__proto__",
    "constructor",
    "../../../../etc/passwd",
    "%3Cscript%3E{run}%3C/script%3E",
    "\\u003cscript\\u003e{run}\\u003c/script\\u003e",
    "<object data=javascript:{run}>",
    "-->]]><script>{run}</script>",
)
_ENDINGS = ("", " é漢\u202e", "\r\n\x1b[31m", "'; {run} //")
STRINGS = tuple(
    (shape + ending).format(run=_RUN) if "{run}" in shape + ending else shape + ending
    for shape, ending in product(_SHAPES, _ENDINGS)
)


def test_there_are_a_hundred_different_ones() -> None:
    """As many as are spoken of."""
    assert len(set(STRINGS)) == 100


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory, vendor: Served) -> Iterator[str]:
    """A server over a store in which each string is a symbol, a reason, and part of a run and of its report."""
    program = asking(tmp_path_factory.mktemp("poisoned"), vendor)
    assert program("backfill", "AAPL", "-t", "1d", "--start", "20d").code == 0
    store = opened(str(program.folder / "market.gapless"), create=False)
    day = Timeframe.parse("1d")
    for number, text in enumerate(STRINGS):
        instrument = Instrument(AssetClass.STOCKS, text)
        store.remember([Wish(instrument, day, SPAN)])
        entry = Entry(instrument, day.base, SPAN, Outcome.FAILED, recorded=START + 2 * DAY, reason=text)
        store.write(Checked(instrument, day.base, Batch.empty(), (entry,)))
        if number % 4 == 0:
            told = store.runs(1)[0]["report"]
            report = told | {
                "error": text,
                "error_hint": text,
                "problems": list(STRINGS),
                "retries": {text: 1},
            }
            store.begin_run(f"run-{number}", START, {"wishes": [{"symbol": text, "timeframe": text}]})
            store.end_run(f"run-{number}", START + DAY, report)
    store.close()
    with serving(program) as url:
        yield url


def test_stored_strings_stay_text(browser: "Browser", poisoned: str) -> None:
    """Every view shows them all, letter by letter, and executes none."""
    with watching(browser, poisoned) as watched:
        watched.open("#/completeness")
        _more(watched)
        assert _missing(watched, ".heat tbody th a") == []
        watched.turn("#/gaps")
        assert _missing(watched, "tbody td:nth-child(1) b") == []
        assert _missing(watched, "tbody td:nth-child(4) span") == []
        watched.turn("#/store")
        report = watched.page.locator("a[aria-label='Report of run-96']").get_attribute("href")
        watched.turn(report or "")
        assert _missing(watched, "ul li") == []
        for view in ("live", "chart", "quality", "quality/revisions"):
            watched.turn(f"#/{view}")
            assert watched.page.locator("main h1").count() == 1
        assert _planted(watched) == 0
        assert watched.troubles() == []


def test_strings_in_addresses_stay_text(browser: "Browser", poisoned: str) -> None:
    """A link that somebody made up draws an answer or an error, and executes nothing."""
    with watching(browser, poisoned) as watched:
        watched.open("#/store")
        places = (
            "chart/{0}/{0}?session={0}&adjust={0}&start={0}",
            "completeness/{0}/1m/2026-11",
            "gaps?symbol={0}&outcome={0}",
            "store/runs/{0}",
            "{0}/{0}",
        )
        for number, text in enumerate(STRINGS):
            watched.turn("#/" + places[number % len(places)].format(quote(text, safe="")))
            assert watched.page.locator("main").inner_text()
        assert _planted(watched) == 0
        assert watched.troubles() == []


def test_pointing_at_them_executes_nothing(browser: "Browser", poisoned: str) -> None:
    """What waits for a pointer or for the focus finds no element to wait in."""
    with watching(browser, poisoned) as watched:
        watched.open("#/completeness")
        for cell in watched.page.locator("a.cell").all()[:25]:
            cell.hover()
            cell.focus()
        watched.page.locator("a.cell").nth(7).click()
        watched.settle()
        assert watched.troubles() == []


def _more(watched: Watched) -> None:
    while (button := watched.page.locator("button.more")).count():
        button.first.click()


def _missing(watched: Watched, selector: str) -> list[str]:
    """Which strings nobody can read there."""
    shown = "\n".join(watched.page.locator(selector).evaluate_all("all => all.map(one => one.textContent)"))
    return [text for text in STRINGS if text not in shown]


def _planted(watched: Watched) -> int:
    """Elements that are none of ours: with a listener in an attribute, or of a kind that we never make."""
    found: int = watched.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(one =>
            [...one.attributes].some(({name}) => name.startsWith("on") || name === "srcdoc")
            || ["IFRAME", "OBJECT", "STYLE", "BASE", "IMG"].includes(one.tagName)
            || one.tagName === "SCRIPT" && !one.src).length"""
    )
    return found
