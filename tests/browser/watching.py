"""A page under watch: what no page of ours may ever do is written down while it does whatever it does."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.program import until

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Dialog, Page, Request

_RAN = "window.__ran"
"""What a hostile string sets where it is executed."""
_UNLOADED = "Failed to load resource"
"""How the browser itself reports an answer of 4xx, or a server that is gone."""


@dataclass
class Watched:
    """A page, where it came from, and what it did wrong so far."""

    page: "Page"
    home: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    unloaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._spoken)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("dialog", self._asked_person)

    def troubles(self) -> list[str]:
        """Console errors, requests to others, dialogs, and whether something was executed."""
        ran = ["something was executed"] if self.page.evaluate(f"{_RAN} !== undefined") else []
        return [*self.errors, *self.strangers, *self.dialogs, *ran]

    def open(self, address: str) -> None:
        """Go to an address of the page and wait until its view is drawn."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.home}/{address}")
        self.settle()

    def turn(self, address: str) -> None:
        """The same without loading the page anew."""
        self.page.evaluate("address => { location.hash = address; }", address)
        self.settle()

    def settle(self) -> None:
        """Wait until the view that the address names is drawn."""
        drawn = "document.querySelector('main[aria-busy=false]')?.dataset.at === location.hash"
        until(lambda: self.page.evaluate(drawn), within=60)

    def text(self, selector: str = "main") -> str:
        """What a person reads there."""
        return " ".join(self.page.locator(selector).first.inner_text().split())

    def _spoken(self, message: "ConsoleMessage") -> None:
        if message.type != "error":
            return
        (self.unloaded if message.text.startswith(_UNLOADED) else self.errors).append(message.text)

    def _asked(self, request: "Request") -> None:
        to, home = urlsplit(request.url), urlsplit(self.home)
        if to.scheme not in ("data", "about", "blob") and to.netloc != home.netloc:
            self.strangers.append(f"asked {request.url}")

    def _asked_person(self, dialog: "Dialog") -> None:
        self.dialogs.append(f"dialog: {dialog.message}")
        dialog.dismiss()
