"""Fetch: one attempt at a time, inside the shared rate. The only room with a socket.

`client.open_http` is not imported here: it brings the HTTP library along, which only a run needs.
"""

from gapless.fetch.body import unpack
from gapless.fetch.limiter import Limiter, Rate, Turns
from gapless.fetch.retry import delay_before

__all__ = ["Limiter", "Rate", "Turns", "delay_before", "unpack"]
