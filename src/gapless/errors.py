"""Every error of gapless, grouped by what happens next.

GaplessError
├── Retriable             ask again: the answer may be right next time
│   ├── NetworkError          no answer came, or only part of one
│   ├── ServerError           the vendor answered 5xx or 408
│   ├── RateLimited           the vendor asked us to slow down (.retry_after)
│   └── BadAnswer             200, but undecodable or contradicting itself (.request_id, .digest)
├── JobOver               this job is over, the run goes on
│   ├── Rejected              the vendor will never accept this request (400, 404)
│   └── Refused               the plan of this key does not include the data (403)
├── BarsMissing           a read is not whole, and was not allowed to be less (.gaps)
└── RunOver               the run stops; each has its exit code
    ├── UsageError            2  the person must change something
    │   ├── NoStore               there is no store at that address yet
    │   └── NotStored             nothing of it is stored, and it was never asked for
    ├── KeyRefused            4  no key, an unknown key
    ├── OwnLimit              5  a limit that the person set was reached
    ├── LeaseHeld             6  another run works on the same series
    ├── StorageError          7  the store cannot be used
    │   ├── ForeignStore          the file belongs to another program
    │   ├── NewerStore            the file was written by a newer gapless
    │   ├── StoreReadOnly         the file or its folder cannot be written
    │   ├── StoreFull             the disk is full
    │   └── StoreDamaged          what is stored disagrees with itself
    ├── VendorDown            8  nothing got through for too long
    └── Stopped             130  asked to stop; what was done is kept
"""

from typing import Any, ClassVar


class GaplessError(Exception):
    """The root: says what happened and why; `hint` says what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# -- ask again ---------------------------------------------------------------


class Retriable(GaplessError):
    """The same request may succeed later."""

    exit_code = 3


class NetworkError(Retriable):
    """No answer came, or only a part of one."""


class ServerError(Retriable):
    """The vendor answered with an error of its own (5xx, 408)."""

    def __init__(self, message: str, *, status: int, request_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id


class RateLimited(Retriable):
    """The vendor asked us to slow down; `retry_after` is in seconds, None where it did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadAnswer(Retriable):
    """A 200 that cannot be read or contradicts itself: none of its bars is believed."""

    def __init__(self, message: str, *, request_id: str = "", digest: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id
        self.digest = digest


# -- the job is over ---------------------------------------------------------


class JobOver(GaplessError):
    """This job cannot succeed as it was asked; others may."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", request_id: str = "") -> None:
        super().__init__(message, hint=hint)
        self.request_id = request_id


class Rejected(JobOver):
    """The vendor will never accept this request (400, 404)."""


class Refused(JobOver):
    """The plan behind this key does not include the data (403 NOT_AUTHORIZED)."""

    exit_code = 4


# -- a read is not whole -----------------------------------------------------


class BarsMissing(GaplessError):
    """Bars that were asked for are missing; `gaps` lists the stretches, each with its reason."""

    exit_code = 3

    def __init__(self, message: str, *, gaps: tuple[Any, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.gaps = gaps


class BarsMissingWarning(UserWarning):
    """The same as a warning, for `on_gap="warn"`."""


class DoubtfulAdjustmentWarning(UserWarning):
    """Bars are adjusted for a split or dividend that does not agree with the prices, or are not for that reason.

    Or nobody knows for which ones they should be, because those of the stock were never read.
    """


# -- the run is over ---------------------------------------------------------


class RunOver(GaplessError):
    """Nothing more can be done in this run."""


class UsageError(RunOver):
    """The person must change something: a word, a date, a setting."""

    exit_code = 2


class NoStore(UsageError):
    """There is no store at that address yet, and this is not the moment to make one."""


class NotStored(UsageError):
    """Nothing of what was asked for is stored, and it was never wished for."""


class KeyRefused(RunOver):
    """There is no key, or the vendor does not know it."""

    exit_code = 4


class OwnLimit(RunOver):
    """A limit that the person set was reached (requests, time)."""

    exit_code = 5


class LeaseHeld(RunOver):
    """Another run works on the same series; `holder` says which."""

    exit_code = 6

    def __init__(self, message: str, *, holder: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class StorageError(RunOver):
    """The store cannot be used as it is."""

    exit_code = 7


class ForeignStore(StorageError):
    """The file is not a gapless store."""


class NewerStore(StorageError):
    """The file was written by a newer gapless."""


class StoreReadOnly(StorageError):
    """The file or its folder cannot be written."""


class StoreFull(StorageError):
    """The disk is full."""


class StoreDamaged(StorageError):
    """What is stored disagrees with itself; nothing of it is served."""


class VendorDown(RunOver):
    """Nothing got through to the vendor for too long."""

    exit_code = 8


class Stopped(RunOver):
    """The person or the system asked to stop; what was done is kept."""

    exit_code = 130
