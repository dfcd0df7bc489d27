"""When markets trade: the sessions of each asset class, and how far they are known."""

from gapless.calendars.routing import open_calendar

__all__ = ["open_calendar"]
