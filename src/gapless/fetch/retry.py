"""When to ask again: a pure policy over the kinds of errors. Who waits, and where, is the engine's business."""

import random
from math import ceil, log

from gapless.errors import BadAnswer, RateLimited, Retriable

ATTEMPTS = 6
BAD_ATTEMPTS = 4
MOST_ATTEMPTS = 12
_BY_CHANCE = 1e-7
"""A page is given up when it failed more often in a row than chance explains at these odds."""
_FIRST, _LONGEST = 0.5, 30.0
_LONGEST_LIMITED = 60.0


def delay_before(
    error: Retriable,
    attempt: int,
    failing: float = 0.0,
    *,
    rng: random.Random,
    pace: float = 1.0,
    attempts: int = ATTEMPTS,
    bad_attempts: int = BAD_ATTEMPTS,
) -> float | None:
    """Seconds to wait after `attempt` attempts (from 1) of which the last ended with `error`; None to give up.

    A rate limit never gives up: it waits as long as the vendor says, else from `pace` (seconds between two
    requests at the allowed rate, at least 1) doubling up to a minute. Other failures wait a random time below
    a bound that doubles (full jitter, so that many jobs do not come back at once), `attempts` times in all;
    answers that cannot be believed, `bad_attempts` times. Where `failing`, the share of other requests that fail
    as well, makes more failures in a row likely, there are more attempts: it is not this page that is wrong.
    """
    doubled = 2.0 ** min(attempt - 1, 10)
    if isinstance(error, RateLimited):
        if error.retry_after is not None:
            return error.retry_after
        return min(_LONGEST_LIMITED, max(1.0, pace) * doubled)
    fewest = bad_attempts if isinstance(error, BadAnswer) else attempts
    if attempt >= max(fewest, _explained(failing)):
        return None
    return rng.uniform(0.0, min(_LONGEST, _FIRST * doubled))


def _explained(failing: float) -> int:
    """So many failures in a row still come by chance where this share of all requests fails."""
    if failing <= 0.0:
        return 0
    return MOST_ATTEMPTS if failing >= 1.0 else min(MOST_ATTEMPTS, ceil(log(_BY_CHANCE) / log(failing)))
