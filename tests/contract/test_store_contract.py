"""The exam of every store: what `ports.Store` promises, asked of each kind in the same words."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.errors import LeaseHeld, StorageError, StoreDamaged, UsageError
from gapless.ports import Store
from gapless.stores import restore_store
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import (
    Checked,
    CorporateAction,
    Damage,
    Entry,
    Outcome,
    Receipt,
    Revision,
    Series,
    Wish,
)
from gapless.vocabulary.timeframe import DAY, MINUTE, Base, Timeframe
from shared_data import bitfinex_btcusd_2016, sp500_nov_2019, spy_2011
from stores.making import (
    EVER,
    KINDS,
    SPY,
    T0,
    bar,
    batch,
    checked,
    file_of,
    harm,
    minutes,
    numbers,
    opened,
    put,
    url_of,
)

NUMBERS = itertools.count()
BTC = Instrument.parse("X:BTCUSD")


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store of each kind is made."""
    return url_of(request.param, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A new store of each kind."""
    store = opened(url)
    yield store
    store.close()


def read(store: Store, span: Span = EVER, as_of: int | None = None) -> Batch:
    """The minutes of SPY."""
    return store.read(SPY, Base.MINUTE, span, as_of)


# -- bars and ledger ---------------------------------------------------------


def test_bars_come_back_as_they_went_in(store: Store) -> None:
    """What was written is read back, number by number."""
    bars = minutes(500)
    receipt = put(store, bars)
    assert read(store) == batch(bars)
    assert (receipt.inserted, receipt.corrected, receipt.withdrawn, receipt.unchanged) == (500, 0, 0, 0)
    assert receipt.stored_bytes > 0


def test_a_series_that_was_never_written_has_no_bars(store: Store) -> None:
    """Reading what nobody wrote gives nothing, and makes no series."""
    assert read(store) == Batch.empty()
    assert store.entries(SPY, Base.MINUTE) == []
    assert store.series() == []


def test_a_span_is_read_half_open(store: Store) -> None:
    """The bar at the start is inside, the bar at the end is not."""
    put(store, minutes(10))
    inside = read(store, Span(T0 + 2 * MINUTE, T0 + 5 * MINUTE))
    assert inside.ts.tolist() == [T0 + 2 * MINUTE, T0 + 3 * MINUTE, T0 + 4 * MINUTE]


def test_missing_numbers_stay_missing(store: Store) -> None:
    """NaN of volume and vwap and the absent count of trades come back as such, among others that are there."""
    bars = minutes(4)
    nan = float("nan")
    bars[T0] = (1.0, 1.0, 1.0, 1.0, nan, nan, NO_TRADES)
    bars[T0 + 2 * MINUTE] = (1.0, 1.0, 1.0, 1.0, 5.5, nan, 3)
    put(store, bars)
    back = read(store)
    assert np.isnan(back.volume).tolist() == [True, False, False, False]
    assert np.isnan(back.vwap).tolist() == [True, False, True, False]
    assert (back.trades == NO_TRADES).tolist() == [True, False, False, False]


@pytest.mark.parametrize("recorded", [spy_2011, bitfinex_btcusd_2016, sp500_nov_2019])
def test_recorded_bars_come_back_to_the_last_bit(store: Store, recorded: object) -> None:
    """Real minutes are the same bits after a round trip, also pages that come newest first."""
    assert callable(recorded)
    whole: Batch = recorded()
    pages = [whole.take(slice(at, at + 50_000)) for at in range(0, len(whole), 50_000)]
    for page in reversed(pages):
        span = Span(int(page.ts[0]), int(page.ts[-1]) + MINUTE)
        entry = Entry(SPY, Base.MINUTE, span, Outcome.BARS, recorded=1, rows=len(page))
        store.write(Checked(SPY, Base.MINUTE, page, (entry,)))
    back = read(store)
    for name, column in whole.columns.items():
        assert np.array_equal(column, getattr(back, name), equal_nan=column.dtype == np.float64), name


def test_equal_bars_are_not_written_again(store: Store) -> None:
    """The same answer twice changes nothing but the ledger."""
    put(store, minutes(100), at=1)
    again = put(store, minutes(100), at=2)
    assert again == Receipt(unchanged=100)
    assert [entry.recorded for entry in store.entries(SPY, Base.MINUTE)] == [1, 2]


def test_a_changed_bar_is_a_new_version(store: Store) -> None:
    """A correction is read now, what it corrected is read as of before."""
    old, new = minutes(100), minutes(100)
    new[T0 + MINUTE] = bar(250.0)
    put(store, old, at=10)
    assert put(store, new, at=20).corrected == 1
    assert read(store) == batch(new)
    assert read(store, as_of=19) == batch(old)
    assert read(store, as_of=20) == batch(new)
    assert read(store, as_of=9) == Batch.empty()


def test_a_bar_that_the_whole_truth_lacks_is_withdrawn(store: Store) -> None:
    """Inside the entry's span a stored bar that is not in the batch is gone, and readable as of before."""
    bars = minutes(10)
    put(store, bars, at=10)
    kept = {ts: b for ts, b in bars.items() if ts != T0 + 9 * MINUTE}
    receipt = store.write(checked(kept, Span(T0, T0 + 10 * MINUTE), 20))
    assert (receipt.withdrawn, receipt.unchanged) == (1, 9)
    assert read(store) == batch(kept)
    assert read(store, as_of=15) == batch(bars)
    (series,) = store.series()
    assert (series.bars, series.last) == (9, T0 + 8 * MINUTE)


def test_outside_its_span_an_answer_is_silent(store: Store) -> None:
    """Bars beside the authoritative span stay; entries that are not about bars withdraw nothing."""
    put(store, minutes(10))
    store.write(checked({}, Span(T0 + 4 * MINUTE, T0 + 6 * MINUTE), 2))
    for outcome in (Outcome.EMPTY, Outcome.CLOSED, Outcome.FAILED, Outcome.SUSPECT, Outcome.REFUSED):
        store.write(checked({}, Span(T0, T0 + 10 * MINUTE), 3, outcome=outcome))
    assert read(store).ts.tolist() == [T0 + i * MINUTE for i in (0, 1, 2, 3, 6, 7, 8, 9)]


def test_bars_outside_their_entries_are_refused(store: Store) -> None:
    """A bar that no entry of bars vouches for is a mistake of the caller; nothing is written."""
    with pytest.raises(ValueError, match="inside an entry"):
        store.write(checked(minutes(10), Span(T0, T0 + 5 * MINUTE), 1))
    assert store.series() == []


def test_all_bars_of_a_series_can_be_withdrawn_and_come_again(store: Store) -> None:
    """A series without bars still has its ledger, and takes bars again."""
    put(store, minutes(3), at=1)
    store.write(checked({}, Span(T0, T0 + 3 * MINUTE), 2))
    (series,) = store.series()
    assert (series.bars, series.first, series.last) == (0, None, None)
    put(store, minutes(2), at=3)
    assert read(store) == batch(minutes(2))


def test_the_ledger_keeps_every_field_in_order(store: Store) -> None:
    """Entries come back as they were recorded, whatever their outcome."""
    entries = tuple(
        Entry(
            SPY,
            Base.MINUTE,
            Span(T0 + i * DAY, T0 + (i + 1) * DAY),
            outcome,
            recorded=100 + i,
            reason=f"because of {outcome}",
            rows=i,
            request_id="3f" * 16,
            digest="ab" * 32,
            url="/v2/aggs/ticker/SPY",
            job_id="0123456789abcdef",
            run_id="run-1",
            due=None if i % 2 else T0,
        )
        for i, outcome in enumerate(Outcome)
    )
    store.write(Checked(SPY, Base.MINUTE, Batch.empty(), entries))
    assert store.entries(SPY, Base.MINUTE) == list(entries)
    assert store.entries(SPY, Base.DAY) == []


def test_series_are_told_apart(store: Store) -> None:
    """Instruments and bases do not mix; the catalogue lists them by ticker and base."""
    days = {T0 + i * DAY: bar(100.0 + i) for i in range(3)}
    store.write(checked(minutes(5), Span(T0, T0 + DAY), 1, instrument=BTC))
    store.write(checked(minutes(7), Span(T0, T0 + DAY), 1))
    store.write(checked(days, Span(T0, T0 + 3 * DAY), 1, base=Base.DAY))
    assert [replace(series, stored_bytes=0) for series in store.series()] == [
        Series(SPY, Base.DAY, 3, T0, T0 + 2 * DAY, 0),
        Series(SPY, Base.MINUTE, 7, T0, T0 + 6 * MINUTE, 0),
        Series(BTC, Base.MINUTE, 5, T0, T0 + 4 * MINUTE, 0),
    ]
    assert store.read(SPY, Base.DAY, EVER) == batch(days)
    assert store.read(BTC, Base.MINUTE, EVER) == batch(minutes(5))


def test_several_entries_speak_for_one_batch(store: Store) -> None:
    """Bars of a final span and of a provisional one after it go in together."""
    bars = minutes(10)
    final = Entry(SPY, Base.MINUTE, Span(T0, T0 + 6 * MINUTE), Outcome.BARS, recorded=1)
    still_open = Entry(
        SPY, Base.MINUTE, Span(T0 + 8 * MINUTE, T0 + 10 * MINUTE), Outcome.PROVISIONAL, recorded=1
    )
    del bars[T0 + 6 * MINUTE], bars[T0 + 7 * MINUTE]
    put(store, minutes(10))
    receipt = store.write(Checked(SPY, Base.MINUTE, batch(bars), (final, still_open)))
    assert receipt == Receipt(unchanged=8)
    assert read(store) == batch(minutes(10))


# -- counting and revisions --------------------------------------------------


def revised(store: Store, span: Span = EVER) -> list[Revision]:
    """What the vendor changed of the minutes of SPY."""
    return list(store.revisions(SPY, Base.MINUTE, span))


def test_bars_are_counted_inside_spans(store: Store) -> None:
    """A count is of the bars that stand, wherever the spans cut pages, days and corrections."""
    for page in range(5):
        put(store, minutes(3000, T0 + page * 3000 * MINUTE), at=1)
    put(store, {ts: bar(9.0) for ts in minutes(100, T0 + 2950 * MINUTE)}, at=2)
    store.write(checked({}, Span(T0 + 7000 * MINUTE, T0 + 7010 * MINUTE), 3))

    def counted(*spans: tuple[int, int]) -> int:
        cut = SpanSet(Span(T0 + a * MINUTE, T0 + b * MINUTE) for a, b in spans)
        return store.count(SPY, Base.MINUTE, cut)

    assert counted((0, 15_000)) == store.count(SPY, Base.MINUTE, SpanSet([EVER])) == 14_990
    assert counted((-50, 10)) == 10
    assert counted((10, 11), (2960, 3040), (7005, 7015), (14_999, 20_000)) == 1 + 80 + 5 + 1
    assert counted((2000, 13_000)) == 10_990
    assert counted() == 0


def test_a_series_that_was_never_written_counts_and_changed_nothing(store: Store) -> None:
    """There are no bars and no revisions where there is no series, and asking makes none."""
    assert store.count(SPY, Base.MINUTE, SpanSet([EVER])) == 0
    assert revised(store) == []
    assert store.series() == []


def test_corrections_and_withdrawals_are_listed_with_both_numbers(store: Store) -> None:
    """By the bar's start, then by when; each with what was read before and after."""
    bars, nan = minutes(4), float("nan")
    put(store, bars, at=10)
    put(store, bars | {T0 + MINUTE: (1.0, 1.0, 1.0, 1.0, nan, nan, NO_TRADES)}, at=20)
    put(store, bars | {T0: bar(7.0), T0 + MINUTE: bar(8.0)}, at=30)
    store.write(checked({}, Span(T0 + 3 * MINUTE, T0 + 4 * MINUTE), 40))
    nothing_but_price = (1.0, 1.0, 1.0, 1.0, nan, nan, NO_TRADES)
    assert revised(store) == [
        Revision(T0, 30, numbers(bars[T0]), numbers(bar(7.0)), final=True),
        Revision(T0 + MINUTE, 20, numbers(bars[T0 + MINUTE]), numbers(nothing_but_price), final=True),
        Revision(T0 + MINUTE, 30, numbers(nothing_but_price), numbers(bar(8.0)), final=True),
        Revision(T0 + 3 * MINUTE, 40, numbers(bars[T0 + 3 * MINUTE]), None, final=True),
    ]
    assert [r.written for r in revised(store, Span(T0 + MINUTE, T0 + 2 * MINUTE))] == [20, 30]


def test_a_bar_that_comes_late_is_told_from_a_new_one(store: Store) -> None:
    """Inside a span that was covered a bar comes late; beside it, and after a failure, it is only new."""
    hour = Span(T0, T0 + 60 * MINUTE)
    bars = minutes(60)
    late = T0 + 30 * MINUTE
    store.write(checked({ts: b for ts, b in bars.items() if ts != late}, hour, 10))
    store.write(checked({}, Span(T0, T0 + DAY), 15, outcome=Outcome.FAILED))
    put(store, minutes(90), at=20)
    assert revised(store) == [Revision(late, 20, None, numbers(bars[late]), final=True)]


def test_a_bar_that_was_withdrawn_can_come_back(store: Store) -> None:
    """The way there and the way back are two revisions."""
    put(store, minutes(3), at=10)
    store.write(checked({}, Span(T0, T0 + MINUTE), 20))
    put(store, minutes(3), at=30)
    bar_ = numbers(minutes(1)[T0])
    assert revised(store) == [
        Revision(T0, 20, bar_, None, final=True),
        Revision(T0, 30, None, bar_, final=True),
    ]


def test_a_bar_in_the_making_changes_without_having_been_final(store: Store) -> None:
    """What a provisional bar becomes is listed as such; minutes that follow it are no revision."""
    span = Span(T0, T0 + 10 * MINUTE)
    store.write(checked(minutes(5), span, 10, outcome=Outcome.PROVISIONAL))
    final = minutes(8) | {T0 + 4 * MINUTE: bar(55.0)}
    store.write(checked(final, span, 20))
    (only,) = revised(store)
    assert (only.ts, only.written, only.final) == (T0 + 4 * MINUTE, 20, False)


def test_equal_answers_and_numbers_of_no_duration_are_no_revisions(store: Store) -> None:
    """The same bars again change nothing; of two writes of one moment the last counts."""
    put(store, minutes(10), at=10)
    put(store, minutes(10), at=20)
    put(store, {ts: bar(3.0) for ts in minutes(10)}, at=30)
    put(store, minutes(10), at=30)
    assert revised(store) == []


def test_revisions_of_long_histories_come_in_order(store: Store) -> None:
    """Years apart and written in any order, they are listed by ts."""
    starts = [T0 + year * 365 * DAY for year in range(4)]
    for at, start in enumerate(reversed(starts)):
        put(store, minutes(50, start), at=10 + at)
    for at, start in enumerate(starts):
        put(store, minutes(50, start) | {start: bar(1.0), start + 49 * MINUTE: bar(2.0)}, at=20 + at)
    assert [(r.ts, r.written) for r in revised(store)] == [
        (ts, 20 + at) for at, start in enumerate(starts) for ts in (start, start + 49 * MINUTE)
    ]


def test_what_changed_before_a_loss_is_not_known_any_more(store: Store) -> None:
    """Bars that were set aside and asked for again begin anew: no revision is made up."""
    put(store, minutes(10), at=10)
    put(store, {ts: bar(4.0) for ts in minutes(10)}, at=20)
    harm(store.url)
    store.set_aside(Damage(SPY, Base.MINUTE, Span(T0, T0 + 10 * MINUTE), "a test"), now=30)
    assert revised(store) == []
    put(store, {ts: bar(5.0) for ts in minutes(10)}, at=40)
    assert revised(store) == []
    put(store, {ts: bar(5.0) for ts in minutes(10)} | {T0: bar(6.0)}, at=50)
    assert revised(store) == [Revision(T0, 50, numbers(bar(5.0)), numbers(bar(6.0)), final=True)]


def test_what_was_healed_since_it_was_found_is_left_alone(store: Store) -> None:
    """Of two who find the same damage, the later one takes nothing out of what the earlier one put right."""
    put(store, minutes(500), 1)
    harm(store.url)
    found = list(store.verify())
    assert found
    for damage in found:
        store.set_aside(damage, now=30)
    put(store, minutes(500), 40)
    for damage in found:
        store.set_aside(damage, now=50)
    assert read(store) == batch(minutes(500))
    assert list(store.verify()) == []


# -- staying -----------------------------------------------------------------


def test_what_was_written_is_there_after_reopening(url: str) -> None:
    """A store that is closed and opened again is the same store."""
    store = opened(url)
    put(store, minutes(100))
    store.close()
    store = opened(url, read_only=True)
    assert read(store) == batch(minutes(100))
    assert len(store.entries(SPY, Base.MINUTE)) == 1
    store.close()


def test_many_threads_write_and_read(store: Store) -> None:
    """Threads that write different series at once lose nothing, and read while others write."""
    names = [Instrument.parse(f"T{i}") for i in range(6)]
    failures: list[BaseException] = []

    def work(instrument: Instrument) -> None:
        try:
            for page in range(5):
                bars = minutes(200, T0 + page * DAY)
                store.write(
                    checked(bars, Span(T0 + page * DAY, T0 + (page + 1) * DAY), 1, instrument=instrument)
                )
                assert len(store.read(instrument, Base.MINUTE, EVER)) == 200 * (page + 1)
        except BaseException as error:  # noqa: BLE001  handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [series.bars for series in store.series()] == [1000] * 6


def test_what_was_fetched_is_of_that_moment_in_any_thread(store: Store) -> None:
    """Bars that are corrected after they were fetched are unpacked as they were then."""
    before = minutes(500)
    put(store, before)
    unpack = store.fetch(SPY, Base.MINUTE, Span(T0, T0 + 100 * MINUTE))
    put(store, {ts: bar(1.0) for ts in before}, 2)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(unpack).result() == batch(before).between(Span(T0, T0 + 100 * MINUTE))
    assert set(read(store).close.tolist()) == {1.0}


def test_tidying_changes_nothing_that_can_be_read(store: Store) -> None:
    """Forty days with corrections and bars withdrawn: bars, earlier moments, revisions, counts and ledger stay."""
    for day in range(40):
        put(store, minutes(50 + day, T0 + day * DAY), 2 * day + 1)
        if day % 5 == 4:  # the day before, again: other numbers, and a few bars less
            again = {ts: bar(one[3] + 1) for ts, one in minutes(40 + day, T0 + (day - 1) * DAY).items()}
            put(store, again, 2 * day + 2)

    def seen() -> list[object]:
        moments = [read(store, EVER, as_of) for as_of in (1, 9, 10, 44, 60, 79, 80)]
        parts = [Span(T0 + day * DAY, T0 + (day + 2) * DAY) for day in range(0, 40, 3)]
        revisions = list(store.revisions(SPY, Base.MINUTE, EVER))
        counts = [store.count(SPY, Base.MINUTE, SpanSet([part])) for part in parts]
        return [
            moments,
            [read(store, part) for part in parts],
            revisions,
            counts,
            store.entries(SPY, Base.MINUTE),
        ]

    before, size = seen(), store.series()[0].stored_bytes
    merged = store.tidy(SPY, Base.MINUTE)
    assert seen() == before
    assert list(store.verify()) == []
    assert store.tidy(SPY, Base.MINUTE) == 0
    assert (merged > 40 and store.series()[0].stored_bytes < size) if "gapless" in store.url else merged == 0
    put(store, {T0 + 3 * DAY: bar(5.0)}, 99)
    assert read(store, Span(T0 + 3 * DAY, T0 + 4 * DAY)).close[:1] == 5.0


def test_threads_on_one_series_take_turns(store: Store) -> None:
    """Two threads that write the same span at once leave the numbers of one of them, and both entries."""
    threads = [
        threading.Thread(target=put, args=(store, {ts: bar(float(n)) for ts in minutes(50)}, n))
        for n in range(1, 7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    closes = set(read(store).close.tolist())
    assert len(closes) == 1
    assert closes <= {float(n) for n in range(1, 7)}
    assert len(store.entries(SPY, Base.MINUTE)) == 6


def test_size_counts_the_bytes_on_disk(store: Store) -> None:
    """A store grows with its bars."""
    before = store.size()
    put(store, minutes(20_000))
    assert store.size() > before > 0


# -- wishes, actions, runs ---------------------------------------------------


def test_wishes_grow_to_their_hull(store: Store) -> None:
    """Asking again for other dates widens the wish; other timeframes are other wishes."""
    five, day = Timeframe.parse("5m"), Timeframe.parse("1d")
    store.remember([Wish(SPY, five, Span(10, 20)), Wish(BTC, day, Span(0, 5))])
    store.remember([Wish(SPY, five, Span(40, 50)), Wish(SPY, day, Span(1, 2))])
    assert store.wishes() == [
        Wish(SPY, day, Span(1, 2)),
        Wish(SPY, five, Span(10, 50)),
        Wish(BTC, day, Span(0, 5)),
    ]


def test_a_wish_that_is_forgotten_is_wanted_no_longer_and_its_bars_stay(store: Store) -> None:
    """The others stay as they are; forgotten once more it is no error."""
    day = Timeframe.parse("1d")
    put(store, minutes(100))
    held, entries = store.series(), store.entries(SPY, Base.MINUTE)
    gone, kept = (
        Wish(SPY, Timeframe.parse("5m"), Span(10, 20)),
        [Wish(SPY, day, Span(1, 2)), Wish(BTC, day, Span(0, 5))],
    )
    store.remember([gone, *kept])
    for _ in range(2):
        store.forget([gone])
        assert store.wishes() == kept
    assert (store.series(), store.entries(SPY, Base.MINUTE)) == (held, entries)


def test_corporate_actions_are_those_of_the_list_that_was_read_last(store: Store) -> None:
    """Of each kind and ticker that was asked for; the count is of what is new, changed or gone."""
    split = CorporateAction("AAPL", "split", "2020-08-31", "s1", ratio_from="1", ratio_to="4")
    early = CorporateAction("AAPL", "split", "2014-06-09", "s0", ratio_from="1", ratio_to="7")
    other = CorporateAction("NVDA", "split", "2024-06-10", "s2", ratio_from="1", ratio_to="10")
    cash = CorporateAction("AAPL", "dividend", "2020-08-07", "d1", cash="0.82", currency="USD")
    assert store.put_actions("split", ["AAPL", "NVDA"], [split, early, other, early], read=1) == 3
    assert store.put_actions("dividend", ["AAPL", "NVDA"], [cash], read=1) == 1
    assert store.put_actions("dividend", ["AAPL"], [replace(cash, cash="0.205")], read=1) == 1
    assert store.actions("AAPL") == [early, replace(cash, cash="0.205"), split]
    assert store.put_actions("split", ["AAPL"], [split], read=1) == 1
    assert store.put_actions("split", ["AAPL"], [split], read=1) == 0
    assert store.actions("AAPL") == [replace(cash, cash="0.205"), split]
    assert store.actions("NVDA") == [other]
    assert store.actions("MSFT") == []


def test_when_actions_were_read_is_remembered_by_kind_and_ticker(store: Store) -> None:
    """The last time, also where the list was empty."""
    assert store.actions_read("split", "AAPL") is None
    for moment in (10, 1_784_000_000_000):
        store.put_actions("split", ["AAPL", "MSFT"], [], read=moment)
        assert store.actions_read("split", "AAPL") == store.actions_read("split", "MSFT") == moment
    assert store.actions_read("dividend", "AAPL") is None
    assert store.actions_read("split", "A") is None


def test_runs_are_listed_newest_first(store: Store) -> None:
    """A run that never ended shows so; what it was asked for and how it ended come back."""
    store.begin_run("a", 100, {"symbols": ["SPY"]})
    store.begin_run("b", 200, {})
    store.end_run("a", 150, {"bars": 7, "share": 0.5})
    unended, ended = store.runs()
    going = {"run_id": "b", "started": 200, "ended": None, "wish": {}, "progress": None, "report": None}
    assert unended == going
    assert (ended["run_id"], ended["ended"]) == ("a", 150)
    assert (ended["wish"], ended["report"]) == ({"symbols": ["SPY"]}, {"bars": 7, "share": 0.5})
    assert [run["run_id"] for run in store.runs(limit=1)] == ["b"]
    assert [run["run_id"] for run in store.runs(run_id="a")] == ["a"]
    assert store.runs(run_id="c") == []


def test_progress_is_noted_over_what_was_noted_until_the_run_ends(store: Store) -> None:
    """The last note stands until the report takes its place; after that nothing changes it."""
    store.begin_run("a", 100, {})
    store.note_progress("a", {"bars": 1})
    store.note_progress("a", {"bars": 2})
    (run,) = store.runs()
    assert (run["ended"], run["progress"], run["report"]) == (None, {"bars": 2}, None)
    store.end_run("a", 150, {"bars": 3})
    store.note_progress("a", {"bars": 2})
    (run,) = store.runs()
    assert (run["ended"], run["progress"], run["report"]) == (150, None, {"bars": 3})


def test_a_pulse_tells_of_every_write_by_others(url: str) -> None:
    """Another number after each commit of another opening, the same one while nothing happens; stamps say of what."""
    with closing(opened(url)) as writer, closing(opened(url, read_only=True)) as reader:
        assert reader.stamps() == {}
        seen = [reader.pulse()]
        assert reader.pulse() == seen[0]
        put(writer, minutes(10))
        seen.append(reader.pulse())
        writer.begin_run("a", 100, {})
        seen.append(reader.pulse())
        writer.note_progress("a", {"bars": 2})
        seen.append(reader.pulse())
        assert len(set(seen)) == len(seen)
        ((name, (count, written)),) = reader.stamps().items()
        assert (name, written) == (("SPY", "1m"), 1)
        put(writer, minutes(10), at=7)
        assert reader.stamps() == {name: (count + 1, 7)}


def test_a_run_that_never_began_cannot_end(store: Store) -> None:
    """The end of an unknown run is an error, not a shrug."""
    with pytest.raises(StorageError, match="never began"):
        store.end_run("ghost", 1, {})


# -- leases ------------------------------------------------------------------


def test_a_lease_keeps_others_out_until_it_runs_out(store: Store) -> None:
    """Another holder is refused by name while the lease lasts, and gets a higher fence afterwards."""
    mine = store.claim("SPY 1m", "elsewhere:1:a", ttl=1000, now=0)
    with pytest.raises(LeaseHeld) as refused:
        store.claim("SPY 1m", "elsewhere:2:b", ttl=1000, now=999)
    assert refused.value.holder == "elsewhere:1:a"
    theirs = store.claim("SPY 1m", "elsewhere:2:b", ttl=1000, now=1000)
    assert theirs.fence > mine.fence


def test_renewing_pushes_the_end_back(store: Store) -> None:
    """A renewed lease lasts longer under the same fence; one that was taken over cannot be renewed."""
    mine = store.claim("r", "elsewhere:1:a", ttl=10, now=0)
    renewed = store.renew(mine, ttl=10, now=8)
    assert (renewed.expires, renewed.fence) == (18, mine.fence)
    with pytest.raises(LeaseHeld):
        store.claim("r", "elsewhere:2:b", ttl=10, now=17)
    store.claim("r", "elsewhere:2:b", ttl=10, now=18)
    with pytest.raises(LeaseHeld) as lost:
        store.renew(renewed, ttl=10, now=19)
    assert lost.value.holder == "elsewhere:2:b"


def test_fences_rise_for_ever(store: Store) -> None:
    """Giving a lease back frees it, and never lets a fence be used twice."""
    fences = []
    for now in range(5):
        lease = store.claim("r", f"elsewhere:1:{now}", ttl=100, now=now)
        fences.append(lease.fence)
        store.release(lease)
    assert fences == sorted(set(fences))


def test_a_late_release_leaves_the_new_holder_alone(store: Store) -> None:
    """Giving back a lease that was taken over changes nothing."""
    old = store.claim("r", "elsewhere:1:a", ttl=1, now=0)
    store.claim("r", "elsewhere:2:b", ttl=100, now=1)
    store.release(old)
    with pytest.raises(LeaseHeld):
        store.claim("r", "elsewhere:3:c", ttl=100, now=2)


def test_a_stale_fence_writes_nothing(store: Store) -> None:
    """After a takeover the old holder's bars and entries are dropped."""
    old = store.claim("SPY 1m", "elsewhere:1:a", ttl=1, now=0)
    put(store, minutes(5), at=1, lease=old)
    new = store.claim("SPY 1m", "elsewhere:2:b", ttl=100, now=1)
    with pytest.raises(LeaseHeld):
        put(store, {ts: bar(7.0) for ts in minutes(5)}, at=2, lease=old)
    assert read(store) == batch(minutes(5))
    assert len(store.entries(SPY, Base.MINUTE)) == 1
    put(store, minutes(6), at=3, lease=new)
    assert len(read(store)) == 6


def test_a_lease_that_was_given_back_writes_nothing(store: Store) -> None:
    """Whoever let go of a series has no right to it, even if nobody came after."""
    lease = store.claim("SPY 1m", "elsewhere:1:a", ttl=100, now=0)
    store.release(lease)
    with pytest.raises(LeaseHeld):
        put(store, minutes(5), lease=lease)
    assert store.series() == []


# -- the limiter -------------------------------------------------------------


def test_turns_are_given_up_to_the_rate(store: Store) -> None:
    """Five a minute are five at once, then one when the first has left the window."""
    taken = [store.take_turn("basic", calls=5, per=60.0, now=100.0 + i) for i in range(6)]
    assert taken == [0.0] * 5 + [55.0]
    assert store.take_turn("basic", calls=5, per=60.0, now=160.0) == 0.0
    assert store.take_turn("basic", calls=5, per=60.0, now=160.0) == 1.0


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    waits=st.lists(st.integers(0, 7), max_size=30),
    calls=st.integers(1, 5),
    per=st.integers(1, 20),
)
def test_no_window_holds_more_turns_than_the_rate(
    store: Store, waits: list[int], calls: int, per: int
) -> None:
    """A turn is refused exactly when the window behind it is full, and then says when it is not."""
    profile, now = f"profile {next(NUMBERS)}", 0
    had: list[int] = []
    for wait in waits:
        now += wait
        rest = store.take_turn(profile, calls=calls, per=per, now=now)
        recent = [moment for moment in had if moment > now - per]
        if len(recent) < calls:
            assert rest == 0
            had.append(now)
        else:
            assert rest == recent[-calls] + per - now


def test_profiles_do_not_share_turns(store: Store) -> None:
    """Each profile has its own window."""
    assert store.take_turn("stocks", calls=1, per=10.0, now=0.0) == 0.0
    assert store.take_turn("crypto", calls=1, per=10.0, now=0.0) == 0.0
    assert store.take_turn("stocks", calls=1, per=10.0, now=0.0) == 10.0


def test_the_vendor_can_hold_everyone_back(store: Store) -> None:
    """Until the moment the vendor named nobody gets a turn; an earlier moment does not shorten that."""
    store.hold_back("stocks", 130.0)
    store.hold_back("stocks", 110.0)
    assert store.take_turn("stocks", calls=5, per=1.0, now=100.0) == 30.0
    assert store.take_turn("stocks", calls=5, per=1.0, now=130.0) == 0.0


def test_a_clock_that_was_put_back_waits_one_window_at_most(store: Store) -> None:
    """Turns that lie in the future by more than a window count as taken now."""
    assert store.take_turn("p", calls=1, per=10.0, now=5000.0) == 0.0
    assert store.take_turn("p", calls=1, per=10.0, now=1000.0) == 10.0


def test_a_hold_from_before_a_clock_was_put_back_is_cut(store: Store) -> None:
    """Five minutes is the longest that anybody is held back, whatever date the hold was written down on."""
    store.hold_back("p", 5000.0)
    assert store.take_turn("p", calls=1, per=10.0, now=1000.0) == 300.0
    assert store.take_turn("p", calls=1, per=10.0, now=1300.0) == 0.0


def test_a_process_that_comes_late_with_an_early_clock_keeps_the_window_exact(store: Store) -> None:
    """A moment a little before the last turn counts as that turn's moment."""
    assert store.take_turn("p", calls=2, per=10.0, now=100.5) == 0.0
    assert store.take_turn("p", calls=2, per=10.0, now=100.0) == 0.0
    assert store.take_turn("p", calls=2, per=10.0, now=110.0) == 0.5


def test_a_turn_that_is_used_late_counts_from_then(store: Store) -> None:
    """The others wait for it; a turn that was used in time stays where it is."""
    taken = [store.take_turn("p", calls=2, per=10.0, now=now) for now in (100.0, 101.0)]
    store.move_turn("p", 100.0, 107.0)
    store.move_turn("p", 101.0, 101.0)
    assert taken == [0.0, 0.0]
    assert store.take_turn("p", calls=2, per=10.0, now=110.0) == 1.0
    assert store.take_turn("p", calls=2, per=10.0, now=111.0) == 0.0
    assert store.take_turn("p", calls=2, per=10.0, now=111.0) == 6.0


def test_a_turn_that_was_counted_later_than_asked_for_is_moved_too(store: Store) -> None:
    """Two turns count from 100.5; the one that was asked for at 100 was used at 107."""
    taken = [store.take_turn("p", calls=2, per=10.0, now=now) for now in (100.5, 100.0)]
    store.move_turn("p", 100.0, 107.0)
    assert taken == [0.0, 0.0]
    assert store.take_turn("p", calls=2, per=10.0, now=110.5) == 0.0
    assert store.take_turn("p", calls=2, per=10.0, now=110.5) == 6.5


def test_turns_are_shared_by_all_who_open_the_store(url: str) -> None:
    """A second opening of the same file sees the first one's turns."""
    first, second = opened(url), opened(url)
    assert first.take_turn("p", calls=1, per=10.0, now=0.0) == 0.0
    assert second.take_turn("p", calls=1, per=10.0, now=1.0) == 9.0
    first.close()
    second.close()


# -- health ------------------------------------------------------------------


def test_a_sound_store_has_no_damage(store: Store) -> None:
    """Nothing is found where nothing is wrong, also after corrections and withdrawals."""
    put(store, minutes(2000), at=1)
    put(store, {ts: bar(50.0) for ts in minutes(10)}, at=2)
    store.write(checked({}, Span(T0, T0 + 3 * MINUTE), 3))
    assert list(store.verify()) == []


# -- backup ------------------------------------------------------------------


def test_a_backup_is_the_store_as_it_was_then(store: Store, url: str, tmp_path: Path) -> None:
    """Bars, ledger, wishes and versions are in it; what is written later is not, and nothing else is left behind."""
    store.remember([Wish(SPY, Timeframe.parse("1h"), Span(T0, T0 + DAY))])
    put(store, minutes(500), at=10)
    put(store, minutes(500) | {T0: bar(250.0)}, at=20)
    target = tmp_path / "copies" / file_of(url).name
    target.parent.mkdir()
    size = store.backup(target)
    put(store, minutes(500, T0 + DAY), at=30)

    assert [file.name for file in target.parent.iterdir()] == [target.name]
    assert target.stat().st_size == size
    copy = opened(url.replace(str(file_of(url)), str(target)), read_only=True)
    assert read(copy) == batch(minutes(500) | {T0: bar(250.0)})
    assert read(copy, as_of=10) == batch(minutes(500))
    assert [entry.recorded for entry in copy.entries(SPY, Base.MINUTE)] == [10, 20]
    assert copy.wishes() == store.wishes()
    copy.close()


def test_a_backup_never_harms_what_is_there(store: Store, url: str, tmp_path: Path) -> None:
    """A file is replaced only where that is asked for, and the store itself never."""
    put(store, minutes(10))
    target = tmp_path / "copy"
    target.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        store.backup(target)
    assert target.read_text() == "precious"
    with pytest.raises(UsageError, match="store itself"):
        store.backup(file_of(url), replace=True)
    with pytest.raises(UsageError, match="no place"):
        store.backup(tmp_path / "missing" / "copy")
    with pytest.raises(UsageError, match="no place"):
        store.backup(tmp_path)
    assert store.backup(target, replace=True) == target.stat().st_size
    assert read(store) == batch(minutes(10))


def test_a_store_is_restored_from_its_backup(store: Store, url: str, tmp_path: Path) -> None:
    """A new place takes the backup at once, an old one only when told and while nobody uses it."""
    put(store, minutes(100))
    copy = tmp_path / "copy"
    other = next(url_of(kind, tmp_path, "other") for kind in KINDS if url_of(kind, tmp_path) == url)
    store.backup(copy)
    restore_store(copy, other)
    put(store, minutes(100, T0 + DAY), at=2)
    with pytest.raises(UsageError, match="exists already"):
        restore_store(copy, url)
    with pytest.raises(StorageError, match="in use"):
        restore_store(copy, url, replace=True)
    assert len(read(store)) == 200
    store.close()
    restore_store(copy, url, replace=True)
    for place in (url, other):
        back = opened(place)
        assert read(back) == batch(minutes(100))
        put(back, minutes(100, T0 + DAY), at=2)
        assert list(back.verify()) == []
        back.close()


def test_a_backup_of_another_kind_is_not_restored(store: Store, url: str, tmp_path: Path) -> None:
    """The URL says which kind of store is to be there."""
    store.backup(tmp_path / "copy")
    wrong = next(url_of(kind, tmp_path, "new") for kind in KINDS if url_of(kind, tmp_path) != url)
    with pytest.raises(UsageError, match="asks for a"):
        restore_store(tmp_path / "copy", wrong)
    assert not file_of(wrong).exists()


def test_what_is_damaged_is_not_backed_up(store: Store, url: str, tmp_path: Path) -> None:
    """No file is made, and one that was there stays as it was: a good backup is never lost to a bad one."""
    put(store, minutes(300))
    store.backup(tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()
    with closing(sqlite3.connect(file_of(url))) as db:
        table = "segment SET written" if "gapless" in url else "bar SET written"
        db.execute(f"UPDATE {table} = written + 1")
        db.commit()
    for target in ("copy", "new"):
        with pytest.raises(StoreDamaged, match="was not copied"):
            store.backup(tmp_path / target, replace=True)
    assert (tmp_path / "copy").read_bytes() == before
    assert not [file.name for file in tmp_path.iterdir() if "new" in file.name or "part" in file.name]
