"""The envelope: everything in an answer but its rows, typed, and whether the vendor calls it a success."""

import msgspec

from gapless.errors import BadAnswer, Refused
from gapless.providers.columns import Columns, read_json, regular_columns, strict_columns
from gapless.vocabulary.steps import Octets

_RESULTS = b'"results":'
_CUT_OUT = b"[null]"


class Envelope(msgspec.Struct, kw_only=True, rename="camel"):
    """What surrounds `results`. The counts are of base bars used, of rows, and of rows again."""

    status: str = ""
    ticker: str | None = None
    query_count: int | None = None
    results_count: int | None = None
    count: int | None = None
    adjusted: bool | None = None
    results: msgspec.Raw = msgspec.Raw(b"null")
    request_id: str | int = msgspec.field(name="request_id", default="")
    next_url: str | None = msgspec.field(name="next_url", default=None)
    error: str = ""
    message: str = ""


_envelope = msgspec.json.Decoder(Envelope)


def read_envelope(body: Octets) -> Envelope:
    """Read an answer without its rows, which stay text in `results` (`null` where there are none).

    Raises:
        BadAnswer: not an object of the expected types, or the vendor reports an error.
        Refused: the vendor says inside a 200 that the plan does not include the data.
    """
    envelope = read_json(body, _envelope.decode)
    said = envelope.message or envelope.error or "no reason given"
    if envelope.status == "NOT_AUTHORIZED":
        raise Refused(
            f"The vendor refused: {said}",
            hint="Ask for a span that the plan includes, or upgrade it.",
            request_id=str(envelope.request_id),
        )
    if envelope.status not in ("OK", "DELAYED"):
        raise BadAnswer(f"the vendor answered with status `{envelope.status}`: {said}")
    return envelope


def read_page(body: Octets) -> tuple[Envelope, Columns | None]:
    """Read an answer whole; None where it has no rows.

    Raises:
        BadAnswer, Refused: as `read_envelope`, or a row that cannot be read.
    """
    start = body.find(_RESULTS) + len(_RESULTS)
    end = body.find(b"]", start) + 1
    columns = regular_columns(body, start, end) if len(_RESULTS) <= start < end else None
    if columns is not None:
        envelope = read_envelope(body[:start] + _CUT_OUT + body[end:])
        if bytes(envelope.results) == _CUT_OUT:  # else the rows were those of some inner object
            return envelope, columns
    envelope = read_envelope(body)
    array = bytes(envelope.results)
    return envelope, None if array in (b"null", b"[]") else strict_columns(array)
