"""What the vendor's subscriptions allow, as data.

Source: the vendor's pricing pages and knowledge base, 2026. Paid plans have no stated limit but the request to
stay below 100 requests a second; the limit of the free plan is enforced.
"""

from dataclasses import dataclass

YEAR = 365 * 86_400_000
"""The vendor counts a year of history as 365 days back from the instant of the request, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One plan: its rate as text, years of history (None: all), and whether it hides the current day."""

    name: str
    rate: str
    years: int | None
    finished_days_only: bool = False

    def history_edge(self, now: int) -> int | None:
        """The earliest instant that this plan shows at `now` (Unix ms); None where it shows everything."""
        return None if self.years is None else now - self.years * YEAR


SUBSCRIPTIONS = {
    plan.name: plan
    for plan in (
        Subscription("basic", "5/min", 2, finished_days_only=True),
        Subscription("starter", "90/s", 5),
        Subscription("developer", "90/s", 10),
        Subscription("advanced", "90/s", None),
    )
}
"""Every plan by its name, the smallest first."""
