"""The watch itself: what it is there to notice, planted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from browser.conftest import watching
from browser.watching import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route


@pytest.fixture
def spoiled(browser: "Browser", served: str) -> Iterator[Watched]:
    """A page that is going to do something wrong."""
    with watching(browser, served) as page:
        page.open("#/completeness")
        assert page.troubles() == []
        yield page


def test_a_console_error_is_noticed(spoiled: Watched) -> None:
    """One line on the console is enough."""
    spoiled.page.evaluate("console.error('planted')")
    assert spoiled.troubles() == ["planted"]


def test_a_thrown_error_is_noticed(spoiled: Watched) -> None:
    """What nobody caught counts as well."""
    spoiled.page.evaluate("setTimeout(() => { throw new Error('planted'); })")
    spoiled.page.wait_for_timeout(100)
    assert spoiled.troubles() == ["planted"]


def test_a_request_to_another_host_is_noticed(browser: "Browser", served: str) -> None:
    """Where no policy forbids it, the request itself is seen."""
    with watching(browser, served) as page:
        page.page.set_content("<img src='http://127.0.0.1:9/planted.png'>")
        assert page.troubles() == ["asked http://127.0.0.1:9/planted.png"]


def test_the_policy_of_the_server_forbids_other_hosts(spoiled: Watched) -> None:
    """A picture from elsewhere is not even asked for, and the browser complains."""
    spoiled.page.evaluate(
        "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))"
    )
    spoiled.page.wait_for_timeout(100)
    assert any("Content Security Policy" in trouble for trouble in spoiled.troubles())


def test_an_executed_string_is_noticed(browser: "Browser", served: str) -> None:
    """A string that became part of a page without a policy."""
    with watching(browser, served) as page:
        page.page.set_content("<img src='data:,' onerror='window.__ran = 1; alert(1)'>")
        page.page.wait_for_timeout(100)
        assert page.troubles() == ["dialog: 1", "something was executed"]


def test_text_that_becomes_markup_is_noticed(browser: "Browser", served: str) -> None:
    """The same page with one line of `dom.js` wrong: the policy blocks what would run, and that is seen."""

    def careless(route: "Route") -> None:
        answer = route.fetch()
        body = answer.text().replace(
            "node.append(child instanceof Node ? child : String(child));",
            "child instanceof Node ? node.append(child) : node.insertAdjacentHTML('beforeend', String(child));",
        )
        assert body != answer.text()
        route.fulfill(response=answer, body=body)

    with watching(browser, served) as page:
        page.page.route("**/js/dom.js", careless)
        page.open("#/chart/%3Cimg src=data:, onerror=window.__ran=1%3E")
        page.page.wait_for_timeout(100)
        assert any("Content Security Policy" in trouble for trouble in page.troubles())
