"""Pages of bars about one market, made when asked for and kept for the next time."""

import itertools
from collections import OrderedDict

from gapless.sandbox.aggs import AggsPage, Question, understand
from gapless.sandbox.answers import Answer, Call, digest, refusal
from gapless.sandbox.revisions import RevisedMarket, adjusted, published
from gapless.sandbox.windows import Cut, cut
from gapless.sandbox.wire import gzipped
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base


class Desk:
    """Answers calls about one market; pages of bars are kept, gzipped, up to `keep` bytes."""

    def __init__(self, market: RevisedMarket, *, seed: int = 0, keep: int = 256 * 2**20) -> None:
        self.market = market
        self.rendered = self.remembered = 0
        self._seed, self._keep = seed, keep
        self._kept: OrderedDict[tuple[object, ...], Answer] = OrderedDict()
        self._bytes = 0
        self._count = itertools.count()

    def request_id(self) -> str:
        """A new one: 32 hexadecimal digits."""
        return digest(self._seed, next(self._count))

    def visible(self, instrument: Instrument, base: Base, span: Span, now: int) -> Batch:
        """The raw bars inside `span`, as far as they exist at `now`."""
        return published(instrument, self.market.bars(instrument, base, span), base, now)

    # -- aggregates

    def aggs(self, call: Call) -> Answer:
        """One page of `/v2/aggs/ticker/{ticker}/range/...`."""
        question = understand(call.path, call.query, host=call.host, profile=call.profile, now=call.now)
        # What has settled is the same whenever it is asked for; the rest is of this instant.
        for seen in (None, call.seen):
            key = (question, call.profile.delayed, self.market.generation, seen)
            if key in self._kept:
                self._kept.move_to_end(key)
                self.remembered += 1
                return self._kept[key]
        return self._render(question, call)

    def _render(self, question: Question, call: Call) -> Answer:
        found = self._cut(question, call)
        page = self._page(question, found, call)
        answer = Answer(
            b"",
            page.request_id,
            rows=page.rows,
            packed=gzipped(page.encode()),
            question=question,
            page=lambda: self._page(question, self._cut(question, call), call),
        )
        self.rendered += 1
        end = found.rest.start if found.rest and question.ascending else question.span.end
        seen = None if end + 2 * DAY <= call.seen else call.seen
        self._remember((question, call.profile.delayed, self.market.generation, seen), answer)
        return answer

    def _cut(self, question: Question, call: Call) -> Cut:
        def read(span: Span) -> Batch:
            batch = self.visible(question.instrument, question.base, span, call.seen)
            return adjusted(self.market, question.instrument, batch, call.now) if question.adjusted else batch

        return cut(read, question.grid, question.span, question.limit, ascending=question.ascending)

    def _page(self, question: Question, found: Cut, call: Call) -> AggsPage:
        return AggsPage(
            ticker=question.instrument.ticker,
            base_bars=found.used,
            bars=found.bars if question.ascending else found.bars.take(slice(None, None, -1)),
            rows=len(found.bars),
            adjusted=question.adjusted,
            status="DELAYED" if call.profile.delayed else "OK",
            request_id=digest(self._seed, question, self.market.generation, call.seen),
            next_url=question.next_url(found),
        )

    def _remember(self, key: tuple[object, ...], answer: Answer) -> None:
        self._kept[key] = answer
        self._bytes += len(answer.packed)
        while self._bytes > self._keep:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.packed)

    def not_found(self, message: str) -> Answer:
        """404: what was asked for by name does not exist."""
        return refusal(404, self.request_id(), {"status": "NOT_FOUND", "message": message})


def late_revision(market: RevisedMarket, question: Question, page: AggsPage) -> None:
    """Change one base bar of a page that was just sent: more volume, or a higher high where there is none."""
    start = int(page.bars.ts[len(page.bars) // 2])
    bar = market.bars(question.instrument, question.base, Span(start, question.span.end)).take(slice(0, 1))
    ts = int(bar.ts[0])
    if question.instrument.asset_class.has_volume:
        trades = {} if bar.trades[0] == NO_TRADES else {"trades": int(bar.trades[0]) + 1}
        market.revise(question.instrument, question.base, ts, volume=float(bar.volume[0]) + 1, **trades)
    else:
        market.revise(question.instrument, question.base, ts, high=round(float(bar.high[0]) + 0.01, 2))
