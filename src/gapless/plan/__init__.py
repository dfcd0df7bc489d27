"""Plan: what is wanted minus what is covered, cut into jobs. Pure; the same plan is printed or run."""

from gapless.plan.finality import SETTLE, final_until
from gapless.plan.hints import lookalike_hint
from gapless.plan.planner import ACTION_KINDS, ACTION_TICKERS, Outlook, Plan, SeriesPlan, plan_series

__all__ = [
    "ACTION_KINDS",
    "ACTION_TICKERS",
    "SETTLE",
    "Outlook",
    "Plan",
    "SeriesPlan",
    "final_until",
    "lookalike_hint",
    "plan_series",
]
