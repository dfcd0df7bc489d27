"""Checks: what an answer proves, compared with when the market was open. Pure."""

from gapless.checks.answer import Context, judge

__all__ = ["Context", "judge"]
