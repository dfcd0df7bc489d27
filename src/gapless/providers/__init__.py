"""Providers: how a vendor wants to be asked, and what its answers mean. Pure; nothing here opens a socket."""

from gapless.providers.actions import Holiday
from gapless.providers.massive import Massive
from gapless.providers.plans import SUBSCRIPTIONS, Subscription

__all__ = ["SUBSCRIPTIONS", "Holiday", "Massive", "Subscription"]
