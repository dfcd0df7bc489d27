"""quality and revisions: what is odd, and what was changed afterwards, as a person and as a program sees it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.program import Gapless

_MINUTES = 400
_ODD = 200
_AT = datetime(2024, 1, 2, 15, tzinfo=UTC) + timedelta(minutes=_ODD)


def minutes(odd: float) -> str:
    """Minutes of bitcoin around 40,000 that swing a little, but for one of them."""
    begin = datetime(2024, 1, 2, 15, tzinfo=UTC)
    lines = ["ts,open,high,low,close,volume"]
    for place in range(_MINUTES):
        price = 40_000 + (place * 7) % 11
        close = odd if place == _ODD else price + 1
        stamp = (begin + timedelta(minutes=place)).isoformat()
        lines.append(
            f"{stamp},{price},{max(price, close) + 1},{min(price, close) - 1},{close},{5 + place % 3}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Gapless:
    """A store whose one odd minute was read as 60,000 first and as 40,500 later."""
    found = Gapless(tmp_path_factory.mktemp("odd"))
    for odd in (60_000, 40_500):
        Path(found.folder / "my.csv").write_text(minutes(odd))
        words = ("--symbol", "X:BTCUSD", "--base", "1m", "--replace", "--quiet")
        assert found("import", "my.csv", *words).code == 0
    return found


def test_the_odd_bar_is_flagged(program: Gapless) -> None:
    """One line with its rule and the reason, the counts by rule at the end; exit 0, and 80 columns do."""
    done = program("quality")
    assert done.code == 0, done.err
    assert f"{_AT:%Y-%m-%d %H:%M}  bad_print" in done.out
    assert "bad_print: 1" in done.err
    assert max(map(len, done.out.splitlines())) <= 80
    (flag,) = program("quality", "X:BTCUSD", "--rule", "bad_print", "--json").json()
    assert flag["start"] == f"{_AT:%Y-%m-%dT%H:%M:%SZ}"
    assert flag["reason"]


def test_only_what_is_asked_for_is_flagged(program: Gapless) -> None:
    """Other rules and other days have nothing to say."""
    for words in (("--rule", "flat,shared_hole"), ("--start", "2024-01-03", "--end", "2024-01-04")):
        done = program("quality", *words)
        assert (done.code, done.out, done.err) == (0, "", "No flags.\n")


def test_a_limit_is_told(program: Gapless) -> None:
    """So many flags, and that there are more; none at all is every one."""
    everything = program("quality", "--limit", "0", "--json").json()
    one = program("quality", "--limit", "1", "--json")
    assert one.json() == everything[:1]
    assert ("--limit 0" in one.err) == (len(everything) > 1)


def test_the_rules_are_listed(gapless: Gapless) -> None:
    """With a line on each; no store is needed."""
    rules = gapless("quality", "--list", "--json").json()
    assert "bad_print" in rules
    assert all(rules.values())
    drawn = gapless("quality", "--list")
    assert drawn.code == 0
    assert all(rule in drawn.out for rule in rules)


def test_a_revision_is_told_by_number(program: Gapless) -> None:
    """Old, new and by how much: 60,000 to 40,500 is 32.5 % less."""
    done = program("revisions", "X:BTCUSD", "-t", "1m")
    assert done.code == 0, done.err
    told = {line.split()[4]: line.split()[5:] for line in done.out.splitlines()[1:]}
    assert told["close"] == ["60,000", "40,500", "-32.50%"]
    assert set(told) == {"high", "close"}
    assert max(map(len, done.out.splitlines())) <= 80
    (one,) = program("revisions", "X:BTCUSD", "-t", "5m", "--json").json()
    assert one["time"] == f"{_AT:%Y-%m-%dT%H:%M:%SZ}"
    assert (one["old"]["close"], one["new"]["close"]) == (60_000.0, 40_500.0)
    assert one["change"]["close"] == pytest.approx(-0.325)
    assert datetime.fromisoformat(one["written"]) <= datetime.now(UTC)


def test_no_revision_is_no_error(program: Gapless) -> None:
    """Of days there are none, nor of another day."""
    assert program("revisions", "X:BTCUSD", "-t", "1d").err == "Nothing was changed afterwards.\n"
    words = ("--start", "2024-01-03", "--end", "2024-01-04", "--json")
    assert program("revisions", "X:BTCUSD", "-t", "1m", *words).json() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("quality", "--rule", "ugly"), "`ugly` is not a rule"),
        (("quality", "TSLA"), "TSLA"),
        (("quality", "--start", "yesterday"), "not a date"),
        (("revisions",), "SYMBOL"),
        (("revisions", "X:BTCUSD", "-t", "7m"), "`7m`"),
        (("revisions", "X:BTCUSD", "--start", "2024-02-01", "--end", "2024-01-01"), "not after"),
    ],
)
def test_a_wrong_word_is_told(program: Gapless, words: tuple[str, ...], said: str) -> None:
    """Exit 2, what was wrong, what to do; nothing on standard output."""
    done = program(*words)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.error
    assert done.hint
