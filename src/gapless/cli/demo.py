"""demo: the whole program at work, against the sandbox."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from gapless.cli.sandbox import KEY
from gapless.cli.session import Session, with_session
from gapless.errors import StoreReadOnly

_SYMBOLS = ("AAPL", "MSFT", "NVDA", "SPY", "X:BTCUSD", "X:ETHUSD", "C:EURUSD")
_TIMEFRAMES = ("5m", "1d")
_START = "1y"
_RATE = "2.5/s"


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to keep what is made.  [gapless-demo, or the first -2, -3, ... that is free]",
)
@with_session()
def demo(session: Session, folder: Path | None) -> int:
    """Show it all at work against a made-up market; needs no key and no network.

    A year of seven symbols is backfilled into a new store from a sandbox on
    this machine that answers as slowly as the vendor does, 2.5 times a second.
    """
    from gapless.app import open_warehouse
    from gapless.cli.runs import carry_out, show_plan, show_report
    from gapless.cli.sandbox import served_rate
    from gapless.sandbox import REALISTIC, SyntheticMarket, serve_in_process
    from gapless.settings import load

    place = _new_folder(folder)
    store = place / "market.gapless"
    session.say(f"Seven symbols, a year, into {store}; the made-up vendor allows {_RATE}.")
    with serve_in_process(SyntheticMarket(), rate=served_rate(_RATE), latency=REALISTIC) as served:
        flags = {
            "store": str(store),
            "massive.base_url": served.url,
            "massive.plan": "advanced",
            "rate": _RATE,
        }
        settings = load(flags, env={"MASSIVE_API_KEY": KEY}, folder=place, user_file=None)
        with open_warehouse(settings) as warehouse:
            show_plan(session, warehouse.plan(_SYMBOLS, _TIMEFRAMES, _START))
            report, code = carry_out(
                session,
                warehouse,
                lambda tell: warehouse.backfill(_SYMBOLS, _TIMEFRAMES, _START, tell=tell),
            )
            show_report(session, report, warehouse.status())
    session.say(look_around(store))
    return code


def _new_folder(wanted: Path | None) -> Path:
    """A folder that was not there before: nothing is ever overwritten.

    Raises:
        StoreReadOnly: it cannot be made.
    """
    number = 1
    while True:
        folder = wanted or Path("gapless-demo" if number == 1 else f"gapless-demo-{number}")
        try:
            folder.mkdir(parents=True, exist_ok=wanted is not None and not any(folder.glob("*")))
        except FileExistsError:
            if wanted is None:
                number += 1
                continue
            raise StoreReadOnly(f"{folder} has something in it.", hint="Name a new folder.") from None
        except OSError as error:
            raise StoreReadOnly(
                f"{folder} cannot be made: {error.strerror}.", hint="Name another with --folder."
            ) from None
        return folder


def look_around(store: Path) -> str:
    """What to try next, with the store that was made."""
    month_ago = datetime.now(UTC) - timedelta(days=30)
    return f"""
Everything is kept in {store}. Look around:
  gapless status --store {store}
  gapless bars AAPL -t 1h --limit 10 --store {store}
  gapless bars X:BTCUSD -t 1d --chart --store {store}
  gapless explain X:BTCUSD {month_ago:%Y-%m-%d}T12:00 --store {store}
  gapless gaps --store {store}
  gapless quality --store {store}
  gapless export AAPL -t 1d --out {store.parent / "aapl"} --store {store}
  gapless serve --store {store}    # a dashboard; its address is printed
The same against the vendor, with your key in MASSIVE_API_KEY:
  gapless backfill AAPL X:BTCUSD -t 5m,1d --start 2024-01-01"""
