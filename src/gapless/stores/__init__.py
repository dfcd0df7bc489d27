"""Stores: where bars, ledger, leases, limiter and runs rest, in one file and one transaction."""

from gapless.stores.registry import Derive, OpenTime, open_store, restore_store

__all__ = ["Derive", "OpenTime", "open_store", "restore_store"]
