"""What is odd about stored bars: flags with a reason beside them, never a hidden or changed bar."""

from gapless.quality.examine import RULES, examine
from gapless.quality.findings import CONTEXT, Flag, Subject
from gapless.quality.shared_hole import shared_holes

__all__ = ["CONTEXT", "RULES", "Flag", "Subject", "examine", "shared_holes"]
