"""App: the composition root and the library's front door."""

import os
from pathlib import Path

from gapless.app.aio import AsyncWarehouse
from gapless.app.naming import Place
from gapless.app.opening import restored
from gapless.app.warehouse import Warehouse, open_warehouse
from gapless.frames import Bars
from gapless.settings import SETTINGS, load, user_file

__all__ = ["AsyncWarehouse", "Bars", "Warehouse", "open", "open_async", "open_warehouse", "restore"]


def open(store: Place | None = None, **settings: str | float) -> Warehouse:  # noqa: A001 - `gapless.open` reads well
    """Open a store, made where there is none; settings come from the environment and files as on the command line.

    Args:
        store: a path, or `sqlite:///` and a path; by default what the settings say (`market.gapless`).
        settings: overrides by name, with `_` for the dot: `massive_plan="starter"`, `rate="100/s"`.

    Raises:
        UsageError: a setting or a store that gapless does not know.
        StorageError: the store cannot be used.
    """
    flags = {_dotted(name): str(value) for name, value in settings.items()}
    if store is not None:
        flags["store"] = str(store)
    return open_warehouse(load(flags, env=os.environ, folder=Path.cwd(), user_file=user_file()))


def open_async(store: Place | None = None, **settings: str | float) -> AsyncWarehouse:
    """The same for code in an event loop: `async with gapless.open_async() as w: b = await w.bars("AAPL")`.

    Arguments and errors are those of `open`. Opening takes milliseconds and is done at once.
    """
    return AsyncWarehouse(open(store, **settings))


def restore(backup: Place, store: Place | None = None, *, replace: bool = False) -> int:
    """Put a backup back as a store; returns its bytes.

    The copy is synced and every bar in it is read before it gets its name; until then nothing changes.

    Args:
        backup: a file that `Warehouse.backup` made.
        store: as in `open`.
        replace: also where there is a store already.

    Raises:
        UsageError: the backup is not there or of another kind, or there is a store and `replace` is not set.
        StoreDamaged: the backup is damaged.
        StorageError: the store cannot be made, or the one to be replaced is in use.
    """
    flags = {} if store is None else {"store": str(store)}
    settings = load(flags, env=os.environ, folder=Path.cwd(), user_file=user_file())
    return restored(Path(backup), settings.store, replace=replace)


def _dotted(name: str) -> str:
    return next((s.name for s in SETTINGS if s.name.replace(".", "_") == name), name)
