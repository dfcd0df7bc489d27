"""The real clock."""

import asyncio
import time


class SystemClock:
    """`ports.Clock` over the operating system's clocks."""

    def now(self) -> int:
        """The wall clock in Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds from an arbitrary point; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
