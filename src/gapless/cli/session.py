"""The options that every command has, and what a command gets from them."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gapless.app import Warehouse
    from gapless.settings import Settings

Command = Callable[..., int | None]

_ALWAYS = (
    click.option("--store", metavar="URL", help="The store: a path, or sqlite:///PATH.  [market.gapless]"),
    click.option("--json", "as_json", is_flag=True, help="Print data as JSON."),
    click.option("--quiet", is_flag=True, help="No talk on standard error but errors."),
    click.option(
        "--debug", is_flag=True, expose_value=False, help="Show a traceback where there is an error."
    ),
)
_FETCHING = (
    click.option(
        "--plan", "plan_name", metavar="NAME", help="The vendor's plan: basic, starter, developer, advanced."
    ),
    click.option("--rate", metavar="RATE", help="Requests allowed: 5/min, 150/min, 100/s, unlimited."),
    click.option("--base-url", metavar="URL", help="Where the vendor's API is."),
    click.option("--max-requests", metavar="N", help="Stop after this many requests."),
)
_SETTING_OF = {
    "store": "store",
    "plan_name": "massive.plan",
    "rate": "rate",
    "base_url": "massive.base_url",
    "max_requests": "max_requests",
}


@dataclass(frozen=True)
class Session:
    """How one command was called: the settings it stands for, and how it shall talk."""

    as_json: bool
    quiet: bool
    flags: dict[str, str] = field(default_factory=dict)

    @cached_property
    def settings(self) -> "Settings":
        """Flags, environment and files, read when first asked for."""
        from gapless.settings import load, user_file

        return load(self.flags, env=os.environ, folder=Path.cwd(), user_file=user_file())

    def open(self, *, create: bool = False, required: bool = True) -> "Warehouse":
        """The store that the settings name."""
        from gapless.app import open_warehouse

        return open_warehouse(self.settings, create=create, required=required)

    def say(self, text: str) -> None:
        """Talk: to standard error, unless asked to be quiet."""
        if not self.quiet:
            click.echo(text, err=True)


def with_session(*, fetches: bool = False) -> Callable[[Command], Command]:
    """Give a command the common options; its first argument is then a `Session`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def called(as_json: bool, quiet: bool, **given: Any) -> int | None:  # noqa: ANN401 - each command has its own
            typed = {setting: given.pop(name, None) for name, setting in _SETTING_OF.items() if name in given}
            flags = {setting: text for setting, text in typed.items() if text is not None}
            return command(Session(as_json, quiet, flags), **given)

        for option in reversed(_ALWAYS + (_FETCHING if fetches else ())):
            called = option(called)
        return called

    return decorate


def split_names(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """`-t 1m,5m -t 1d` as three names."""
    return tuple(name for text in given for part in text.split(",") if (name := part.strip()))


timeframes_option = click.option(
    "-t",
    "--timeframe",
    "timeframes",
    multiple=True,
    metavar="LIST",
    callback=split_names,
    help="Timeframes with commas between: 1m 5m 15m 30m 1h 2h 4h 1d 1w 1mo.",
)
start_option = click.option(
    "--start", metavar="DATE", help="First day: 2024-01-31, or 30d, 1y ago; the exchange's days."
)
end_option = click.option("--end", metavar="DATE", help="The day after the last one (exclusive).")


def view_options(command: Command) -> Command:
    """How bars are to be looked at; a command gets `part` and `adjust`."""
    part = click.option(
        "--session",
        "part",
        default="all",
        metavar="PART",
        help="Which part of each session: all, regular, pre, post.  [all]",
    )
    adjust = click.option(
        "--adjust", metavar="WHAT", help="Adjust for splits, or for all (splits and dividends).  [as traded]"
    )
    return part(adjust(command))
