"""From a URL to a store."""

from pathlib import Path

from gapless.errors import UsageError
from gapless.ports import Store
from gapless.stores.derived import Derive, OpenTime
from gapless.stores.packed import PackedStore
from gapless.stores.plain import PlainStore

_PLAIN = "sqlite:///"

__all__ = ["Derive", "OpenTime", "open_store", "restore_store"]


def open_store(
    url: str,
    *,
    derive: Derive | None = None,
    open_time: OpenTime | None = None,
    read_only: bool = False,
    create: bool = True,
) -> Store:
    """Open the store at `url`: a path is a packed store, `sqlite:///` and a path a plain one.

    `derive` makes a timeframe's bars of base bars; a plain store keeps those as rows. `open_time` tells it when
    the market is open: a derived bar is final when all open time in its window is covered (without it, all time).
    A store that does not exist is made, unless it is opened `read_only` or without `create`.

    Raises:
        UsageError: another URL, or nothing there and nothing to be made.
        StorageError: what is there cannot be used; it was not touched.
    """
    if url.startswith(_PLAIN):
        return PlainStore(
            url, _path(url.removeprefix(_PLAIN), url), derive, open_time, read_only=read_only, create=create
        )
    if "://" in url:
        raise UsageError(
            f"`{url}` is not a store that gapless knows.",
            hint="Use a path such as `market.gapless` (packed), or `sqlite:///market_data.db` (plain SQL rows).",
        )
    return PackedStore(url, _path(url, url), read_only=read_only, create=create)


def restore_store(
    backup: Path,
    url: str,
    *,
    derive: Derive | None = None,
    open_time: OpenTime | None = None,
    replace: bool = False,
) -> int:
    """Put a copy of the backup where the store at `url` is to be; returns its bytes.

    The copy is synced and verified before it gets its name; until then nothing of what was there changes.

    Raises:
        UsageError: the backup is not there or of another kind than `url` says, or there is a store and
            `replace` is not set.
        StoreDamaged: the backup is damaged.
        StorageError: the store cannot be made, or the one to be replaced is in use.
    """
    if not backup.is_file():
        raise UsageError(f"There is no backup at `{backup}`.", hint="Name a file that `gapless backup` made.")
    scheme = _PLAIN if url.startswith(_PLAIN) else ""
    source = open_store(f"{scheme}{backup}", derive=derive, open_time=open_time, read_only=True, create=False)
    try:
        return source.backup(_path(url.removeprefix(scheme), url), replace=replace)
    finally:
        source.close()


def _path(text: str, url: str) -> Path:
    if text in ("", ":memory:"):
        raise UsageError(f"`{url}` names no file.", hint="A store is one file, for example `market.gapless`.")
    return Path(text).expanduser()
