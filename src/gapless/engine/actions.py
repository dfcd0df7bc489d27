"""Splits and dividends of the stocks in a run: asked for after the bars, a request for many tickers."""

from collections.abc import Sequence

from gapless.crash import crash_point
from gapless.engine.asking import insist, take_turn
from gapless.engine.rooms import Rooms, Unpack
from gapless.errors import BadAnswer, JobOver, OwnLimit, Retriable
from gapless.plan import ACTION_KINDS, ACTION_TICKERS
from gapless.ports import Provider
from gapless.vocabulary.events import ActionsStarted
from gapless.vocabulary.steps import Answer, CorporateAction, Request


async def fetch_actions(tickers: Sequence[str], rooms: Rooms) -> list[str]:
    """Read and keep them; returns what could not be read and why. A failure costs these, never a bar."""
    problems = []
    if tickers:
        rooms.tell(ActionsStarted(len(tickers)))
    for start in range(0, len(tickers), ACTION_TICKERS):
        for kind in ACTION_KINDS:
            try:
                await _fetch_kind(kind, tickers[start : start + ACTION_TICKERS], rooms)
            except (Retriable, JobOver, OwnLimit) as error:
                problems.append(f"{kind}s were not read: {error.message}")
    return problems


async def _fetch_kind(kind: str, tickers: Sequence[str], rooms: Rooms) -> None:
    """Read the whole list, then keep it: a part of it would look like a list from which the rest was withdrawn."""
    request: Request | None = rooms.provider.actions_request(kind, tickers)
    seen: set[str] = set()
    began = rooms.clock.now()
    stated: list[CorporateAction] = []
    while request is not None:
        seen.add(request.url)
        actions, request = await _read(kind, request, seen, tickers, rooms)
        stated += actions
    await rooms.write(rooms.store.put_actions, kind, tickers, stated, read=began)
    crash_point("actions-written")


async def _read(
    kind: str, request: Request, seen: set[str], tickers: Sequence[str], rooms: Rooms
) -> tuple[list[CorporateAction], Request | None]:
    """Read the page that `request` asks for; `seen` are the addresses of this chain."""

    async def attempt() -> tuple[list[CorporateAction], Request | None]:
        await take_turn(request, 1, rooms)
        answer = await rooms.http.fetch(request)
        actions, following = await rooms.decoders.run(_decode, kind, answer, rooms.provider, rooms.unpack)
        if strangers := {action.ticker for action in actions}.difference(tickers):
            raise BadAnswer(f"{kind}s: the answer has `{min(strangers)}`, which was not asked for")
        if following is not None and following.url in seen:
            raise BadAnswer(f"{kind}s: the vendor sent the same next page twice")
        return actions, following

    return await insist(attempt, f"{kind}s", rooms)


def _decode(
    kind: str, answer: Answer, provider: Provider, unpack: Unpack
) -> tuple[list[CorporateAction], Request | None]:
    return provider.decode_actions(kind, unpack(answer))
