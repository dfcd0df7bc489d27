"""Each view of the dashboard on a real backfill: it says what the library says, and does nothing it may not do."""

import json
import shlex
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from browser.conftest import SHOTS, watching
from browser.watching import Watched
from cli.program import Gapless

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VIEWS = ("completeness", "live", "chart/AAPL/5m", "gaps", "quality", "quality/revisions", "store")


def asked(served: str, path: str) -> Any:  # noqa: ANN401 - whatever the server says
    """What the server answers to a program."""
    with urllib.request.urlopen(f"{served}/v1/{path}", timeout=20) as answer:
        return json.load(answer)


def shoot(watched: Watched, name: str) -> None:
    """Keep a picture."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    watched.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.mark.parametrize(("kind", "width"), [("light", 1280), ("dark", 1280), ("phone", 360)])
def test_every_view_is_drawn_and_does_nothing_wrong(
    browser: "Browser", served: str, kind: str, width: int
) -> None:
    """In light and dark, and as wide as a phone: no error, nobody else asked, nothing sticks out sideways."""
    with watching(browser, served, width=width, dark=kind == "dark") as watched:
        watched.open("")
        for view in VIEWS:
            watched.turn(f"#/{view}")
            assert watched.page.locator("main h1").count() == 1
            assert watched.page.locator("main [role=alert]").count() == 0
            assert watched.page.locator("main .elsewhere code").inner_text()
            assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
            shoot(watched, f"{view.replace('/', '-')}-{kind}")
        assert watched.troubles() == []
        assert watched.unloaded == []


def test_the_matrix_shows_the_months_of_status(watched: Watched, filled: Gapless) -> None:
    """A cell for each month of each symbol and base, with the mark and the percentage of `gapless status`."""
    watched.open("#/completeness")
    for series in filled("status", "--json").json():
        for month in series["months"]:
            name = f"{series['symbol']} {series['base']}, {month['month']}"
            cell = watched.page.locator(f".cell[aria-label^='{name}']")
            assert cell.inner_text().startswith(month["mark"])
            percent = "100" if month["percent"] == 100 else f"{month['percent']:.1f}"
            assert f", {percent} %" in (cell.get_attribute("aria-label") or "")


def test_the_matrix_leads_to_days_and_the_days_to_minutes(watched: Watched) -> None:
    """By keyboard alone: one cell can be tabbed to, arrows go on, Enter goes in."""
    watched.open("#/completeness?filter=SPY")
    assert watched.page.locator(".cell[tabindex='0']").count() == 1
    watched.page.locator(".cell[tabindex='0']").focus()
    watched.page.keyboard.press("End")
    watched.page.keyboard.press("ArrowLeft")
    month = watched.page.evaluate("document.activeElement.dataset.month")
    watched.page.keyboard.press("Enter")
    watched.settle()
    assert watched.page.url.endswith(f"#/completeness/SPY/1m/{month}")
    assert watched.text("h1") == f"SPY 1m in {month}"
    day = watched.page.locator("a.day").last
    address = day.get_attribute("href") or ""
    day.focus()
    watched.page.keyboard.press("Enter")
    watched.settle()
    assert watched.page.url.endswith(address)
    assert watched.page.locator(".hour").count() >= 12


def test_the_days_are_those_of_the_server(watched: Watched, served: str) -> None:
    """A calendar cell for each trading day, with its state and its bars."""
    gap = next(gap for gap in asked(served, "gaps")["gaps"] if gap["symbol"] == "SPY")
    month = _day(gap["start"])[:7]
    days = asked(served, f"coverage/SPY?timeframe=1m&by=day&start={month}-01&end={_after(month)}-01")["days"]
    watched.open(f"#/completeness/SPY/1m/{month}")
    labels = [cell.get_attribute("title") or "" for cell in watched.page.locator("a.day").all()]
    assert [label.split(":")[0] for label in labels] == [day["day"] for day in days]
    states = [cell.get_attribute("data-state") for cell in watched.page.locator("a.day").all()]
    assert states == [day["state"] for day in days]
    assert {"complete", "partly"} & set(states)
    shoot(watched, "days")


def test_the_minutes_of_a_day_say_the_same_in_words(watched: Watched, served: str) -> None:
    """Colours, characters and a list tell of the same stretches; a stretch tells what is known of it."""
    last = asked(served, "symbols")["symbols"][0]["bases"][-1]["last"]
    day = _day(last)
    pieces = asked(served, f"coverage/AAPL?timeframe=1m&by=minute&start={day}&end={_next(day)}")["stretches"]
    watched.open(f"#/completeness/AAPL/1m/{day}")
    shoot(watched, "minutes")
    watched.page.locator("summary").click()
    rows = watched.page.locator("details tbody tr")
    assert rows.count() == min(len(pieces), 200)
    states = [row.locator(".mark").get_attribute("data-state") for row in rows.all()]
    assert states == [piece["state"] for piece in pieces[:200]]
    watched.page.locator(".piece[data-state='bars']").first.click()
    watched.page.wait_for_selector(".explain h2")
    assert watched.text(".explain h2").endswith(": bar")
    assert "There is a final bar" in watched.text(".explain")


def test_candles_of_every_timeframe(watched: Watched, served: str) -> None:
    """As many bars are drawn as the server gives; hours outside the session are shaded where bars are shorter."""
    watched.open("#/store")
    for frame in "1m 5m 15m 30m 1h 2h 4h 1d 1w 1mo".split():
        watched.turn(f"#/chart/AAPL/{frame}?start=2026-01-01&end=2099-01-01")
        query = f"timeframe={frame}&start=2026-01-01&on_gap=mark&provisional=true&limit=20000"
        bars = asked(served, f"bars/AAPL?{query}")["columns"]["ts"]
        chart = watched.page.locator(".chart")
        assert chart.get_attribute("data-bars") == str(len(bars)), frame
        assert chart.locator("canvas").count() > 0
        assert (chart.get_attribute("data-shaded") != "0") == (frame not in ("1d", "1w", "1mo")), frame


def test_provisional_bars_are_hollow_and_splits_are_marked(watched: Watched, served: str) -> None:
    """As many hollow bars as the server says are not final; the made-up split of NFLX of June 2026."""
    watched.open("#/chart/X:BTCUSD/1h")
    hollow = int(watched.page.locator(".chart").get_attribute("data-hollow") or 0)
    found = asked(served, "bars/X:BTCUSD?timeframe=1h&start=20d&on_gap=mark&provisional=true")["columns"]
    assert hollow == found["final"].count(False) > 0
    shoot(watched, "provisional")
    watched.open("#/chart/NFLX/1d?start=2026-05-01&end=2026-09-01")
    assert watched.page.locator(".chart").get_attribute("data-splits") == "1"
    shoot(watched, "split")


def test_a_gap_tells_its_reason_to_the_pointer_and_to_the_keyboard(watched: Watched, served: str) -> None:
    """What is missing of SPY is shaded; both ways of going there name why."""
    gap = next(gap for gap in asked(served, "gaps")["gaps"] if gap["symbol"] == "SPY")
    watched.open(f"#/chart/SPY/15m?start={gap['start'] - 3 * 86_400_000}")
    chart = watched.page.locator(".chart")
    assert chart.get_attribute("data-gaps") == "1"
    chart.focus()
    watched.page.keyboard.press("End")
    assert watched.text(".readout").endswith(f"missing: {gap['reason']}")
    box = chart.bounding_box()
    assert box is not None
    across = (box["x"] + box["width"] * share / 20 for share in range(19))
    tip = watched.page.locator(".tip")
    for x in across:
        watched.page.mouse.move(x, box["y"] + 120)
        if tip.is_visible():
            break
    assert gap["reason"] in tip.inner_text()
    shoot(watched, "gap")


def test_session_and_adjustment_are_switches(watched: Watched, served: str) -> None:
    """Each one changes the address and what is drawn."""
    watched.open("#/chart/NFLX/1d?start=2026-05-01&end=2026-09-01")
    before = watched.text(".readout")
    watched.page.get_by_label("Adjust").select_option("splits")
    watched.settle()
    assert "adjust=splits" in watched.page.url
    watched.page.locator(".chart").focus()
    watched.page.keyboard.press("Home")
    first = asked(served, "bars/NFLX?timeframe=1d&start=2026-05-01&end=2026-09-01&adjust=splits")["columns"]
    assert f" O {first['open'][0]:.4f}".rstrip("0") in watched.text(".readout")
    assert watched.text(".readout") != before
    watched.open("#/chart/AAPL/15m")
    every = int(watched.page.locator(".chart").get_attribute("data-bars") or 0)
    watched.page.get_by_label("Session").select_option("regular")
    watched.settle()
    assert 0 < int(watched.page.locator(".chart").get_attribute("data-bars") or 0) < every
    assert watched.page.locator(".chart").get_attribute("data-shaded") == "0"


def test_gaps_are_those_of_the_command(watched: Watched, filled: Gapless) -> None:
    """A row for each line of `gapless gaps`, and the command that repairs where the server may not write."""
    watched.open("#/gaps")
    found = filled("gaps", "--json").json()
    rows = watched.page.locator("tbody tr")
    assert rows.count() == len(found) > 0
    assert [row.locator("b").first.inner_text() for row in rows.all()] == [gap["symbol"] for gap in found]
    assert watched.text(".cure code") == "gapless repair"
    assert watched.page.locator(".cure .strong").count() == 0
    watched.open("#/gaps?symbol=SPY")
    assert watched.text(".cure code") == "gapless repair SPY"


def test_quality_lists_the_flags_of_the_command(watched: Watched, filled: Gapless) -> None:
    """Every flag of the stretch shown, counted by rule; a rule picks its own."""
    watched.open("#/quality?start=2026-01-01")
    flags = filled("quality", "--start", "2026-01-01", "--json").json()
    assert len(flags) > 0
    assert f"{len(flags):,} flag" in watched.text(".head")
    rule = flags[0]["rule"]
    watched.page.locator(".chip", has_text=rule).click()
    watched.settle()
    assert f"rule={rule}" in watched.page.url
    assert watched.page.locator("tbody tr").count() == min(200, sum(flag["rule"] == rule for flag in flags))


def test_the_store_tells_size_runs_and_reports(watched: Watched, served: str) -> None:
    """Runs newest first with how they ended; a report opens."""
    watched.open("#/store")
    runs = asked(served, "runs")["runs"]
    table = watched.page.locator("table").first
    assert table.locator("tbody tr").count() == len(runs)
    words = [row.locator(".tag").inner_text() for row in table.locator("tbody tr").all()]
    assert words == ["whole", "stopped early", "whole", "whole"]
    cells = (
        watched.page.locator("table")
        .nth(1)
        .locator("tbody tr")
        .evaluate_all("rows => rows.map(row => [...row.cells].slice(0, 3).map(cell => cell.textContent))")
    )
    assert cells[:2] == [["AAPL", "1m 5m 1d", "1d"], ["", "", "1m"]]
    table.locator("tbody tr").nth(1).locator("a").click()
    watched.settle()
    assert watched.page.url.endswith(runs[1]["run_id"])
    assert runs[1]["report"]["error"] in watched.text()
    shoot(watched, "report")


def test_what_is_copied_does_the_same_elsewhere(watched: Watched, filled: Gapless) -> None:
    """The command beside the candles prints the bars that are drawn."""
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.open("#/chart/AAPL/1d")
    watched.page.get_by_role("tab", name="Copy as CLI").click()
    watched.page.wait_for_selector(".said.shown")
    words = watched.page.evaluate("navigator.clipboard.readText()")
    assert words.startswith("gapless bars --timeframe 1d")
    printed = filled(*words.split()[1:], "--json").json()
    rows = printed if isinstance(printed, list) else printed["bars"]
    assert str(len(rows)) == watched.page.locator(".chart").get_attribute("data-bars")
    watched.page.get_by_role("tab", name="Copy as Python").click()
    code = watched.page.evaluate("navigator.clipboard.readText()")
    compile(code, "copied", "exec")


def test_every_command_beside_a_view_is_one_that_works(watched: Watched, filled: Gapless) -> None:
    """As it stands there, quoted for a shell."""
    watched.open("")
    day = "2026-11-27"
    views = (
        "completeness",
        "completeness/AAPL/1m/2026-11",
        f"completeness/AAPL/1m/{day}",
        "chart/X:BTCUSD/4h",
        "chart/SPY/15m?start=1788900000000",
        "chart/NFLX/1d?start=2026-05-01&end=2026-09-01&adjust=splits",
        "gaps?symbol=SPY",
        "quality?symbol=AAPL&start=2026-01-01&rule=bad_print",
        "quality/revisions/AAPL?timeframe=1m",
    )
    for view in views:
        watched.turn(f"#/{view}")
        words = shlex.split(watched.page.locator("main .elsewhere code").inner_text())
        assert words[0] == "gapless"
        ended = filled(*words[1:])
        assert ended.code == 0, (words, ended.err)


def test_colours_are_those_of_the_system_until_one_chooses(watched: Watched) -> None:
    """The button goes round: system, light, dark; the choice outlives the page."""
    watched.page.emulate_media(color_scheme="dark")
    watched.open("#/store")
    theme = "document.documentElement.dataset.theme"
    assert watched.page.evaluate(theme) == "dark"
    watched.page.locator("#theme").click()
    assert watched.page.evaluate(theme) == "light"
    watched.open("#/store")
    assert watched.page.evaluate(theme) == "light"


def _day(instant: int) -> str:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return f"{datetime.fromtimestamp(instant / 1000, ZoneInfo('America/New_York')):%Y-%m-%d}"


def _next(day: str) -> str:
    from datetime import date, timedelta

    return str(date.fromisoformat(day) + timedelta(days=1))


def _after(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02}"
