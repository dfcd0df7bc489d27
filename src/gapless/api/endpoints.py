"""Every address of the HTTP door. The server, `/openapi.json` and `docs/reference/http.md` are made from this."""

from gapless.api import examples
from gapless.api.declared import ARROW, CSV, EVENTS, JSON, NDJSON, TEXT, Endpoint, Kind, Param
from gapless.vocabulary.timeframe import TIMEFRAMES

MOST_BARS = 50_000
"""So many bars are in one answer at most."""

_FRAMES = tuple(TIMEFRAMES)


def _symbol() -> Param:
    return Param(
        "symbol", Kind.SYMBOL, "The vendor's ticker: `AAPL`, `X:BTCUSD`.", required=True, example="AAPL"
    )


def _frame(default: str) -> Param:
    return Param("timeframe", Kind.TIMEFRAME, "Which bars.", default=default, words=_FRAMES)


_SYMBOLS = Param("symbols", Kind.SYMBOLS, "Only these; without them, all.", example="AAPL,X:BTCUSD")
_TIMEFRAMES = Param("timeframes", Kind.TIMEFRAMES, "Only these; without them, all.", example="1m,1d")
_START = Param(
    "start",
    Kind.DATE,
    "Inclusive: `2024-01-31` (the midnight of the exchange's zone), `2024-01-31T14:30Z`, `1y` (ago), or Unix ms.",
    example="2026-03-02",
)
_END = Param("end", Kind.DATE, "Exclusive; written like `start`.", example="2026-03-03")
_VIEW = (
    Param(
        "session",
        Kind.WORD,
        "Which part of each session.",
        default="all",
        words=("all", "regular", "pre", "post"),
    ),
    Param(
        "adjust",
        Kind.WORD,
        "Adjust for splits, or for splits and dividends; without it, as traded.",
        words=("splits", "all"),
    ),
    Param("as_of", Kind.DATE, "What a reader would have got at this moment."),
)
_VENDOR = (
    Param("ticker", Kind.SYMBOL, "The ticker.", required=True, example="AAPL"),
    Param(
        "multiplier",
        Kind.WHOLE,
        "How many of `timespan` a bar is.",
        required=True,
        least=1,
        most=1440,
        example="5",
    ),
    Param(
        "timespan",
        Kind.WORD,
        "Their unit; together they must make a timeframe that gapless has.",
        required=True,
        words=("minute", "hour", "day", "week", "month"),
        example="minute",
    ),
    Param("from", Kind.TEXT, "First day (inclusive), or Unix ms.", required=True, example="2026-03-02"),
    Param(
        "to",
        Kind.TEXT,
        "Last day (inclusive, unlike `end`), or Unix ms.",
        required=True,
        example="2026-03-02",
    ),
    Param(
        "adjusted",
        Kind.SWITCH,
        "Adjusted for splits, as the vendor has it by default.",
        default="true",
        words=("true", "false"),
    ),
    Param("sort", Kind.WORD, "By time.", default="asc", words=("asc", "desc")),
    Param("limit", Kind.WHOLE, "The most bars in one answer.", default="5000", least=1, most=MOST_BARS),
    Param("cursor", Kind.TEXT, "Where to go on; comes with `next_url`."),
)

READING = (
    Endpoint(
        "bars",
        "GET",
        "/v1/bars/{symbol}",
        "The bars of one symbol in one timeframe.",
        "Times are starts of bars. Where bars are missing the answer is a `409` that lists the stretches and names "
        "the command that fetches them; with `on_gap=mark` it is `200`, and `gaps` lists them. `final_until`: every "
        "bar that starts before it is final. `next` is the address of the next page, null on the last. In CSV, NDJSON "
        "and Arrow the same stands in the headers `Gapless-Gaps` (how many), `Gapless-Final-Until` and `Link: <...>; "
        'rel="next"`. With `shape=rows` there is `rows`, one object a bar, instead of `columns`.',
        (
            _symbol(),
            _frame("1d"),
            _START,
            _END,
            *_VIEW,
            Param("on_gap", Kind.WORD, "Where bars are missing.", default="raise", words=("raise", "mark")),
            Param(
                "provisional",
                Kind.SWITCH,
                "Also bars that can still change; `final` tells them apart.",
                default="false",
                words=("true", "false"),
            ),
            Param(
                "limit", Kind.WHOLE, "The most bars in one answer.", default="10000", least=1, most=MOST_BARS
            ),
            Param("cursor", Kind.TEXT, "Where to go on; comes with `next`, and is not to be read."),
            Param("shape", Kind.WORD, "How JSON is laid out.", default="columns", words=("columns", "rows")),
        ),
        media=(JSON, CSV, NDJSON, ARROW),
        example=examples.BARS,
        call="/v1/bars/AAPL?timeframe=5m&start=2026-03-02&end=2026-03-03&session=regular",
        errors=(304, 404, 409),
    ),
    Endpoint(
        "symbols",
        "GET",
        "/v1/symbols",
        "What is stored and what was ever asked for.",
        "`timeframes` are those that were asked for; each base tells how many bars it holds, and its first and last.",
        example=examples.SYMBOLS,
        errors=(304,),
    ),
    Endpoint(
        "coverage",
        "GET",
        "/v1/coverage",
        "How complete everything is that was ever asked for, month by month, as `gapless status` shows it.",
        "`percent` is the share of the open time that is proved, rounded down: 100 means all. `state` of a month is "
        "`complete`, `partly`, `missing`, `provisional`, `refused` or `closed`; `mark` is its one character.",
        (_SYMBOLS, _TIMEFRAMES),
        example=examples.COVERAGE,
        errors=(304, 404),
    ),
    Endpoint(
        "coverage_of",
        "GET",
        "/v1/coverage/{symbol}",
        "How complete one series is, by day or minute by minute.",
        "With `by=day`, `days` has one item for each trading day, and its state as above; `bars` counts what is "
        "stored. With `by=minute` (at most 31 days), `stretches` cut the time into pieces of one state: `bars`, `no "
        "trade` (the vendor's bars around it are complete), `empty` (the vendor said more than once that it has "
        "none), `closed`, `provisional` or `missing`; `outcome`, `reason` and `due` say why and when it is asked "
        "again. In a stretch of `bars` or `provisional` every bar of the base is there.",
        (
            _symbol(),
            _frame("1m"),
            Param("by", Kind.WORD, "How finely.", default="day", words=("day", "minute")),
            _START,
            _END,
        ),
        example=examples.COVERAGE_BY_MINUTE,
        call="/v1/coverage/AAPL?timeframe=1m&by=minute&start=2026-03-02&end=2026-03-03",
        errors=(304, 404),
    ),
    Endpoint(
        "gaps",
        "GET",
        "/v1/gaps",
        "What is missing, why, and when it is asked again.",
        "`due` is null where the next run asks.",
        (_SYMBOLS,),
        example=examples.GAPS,
        errors=(304, 404),
    ),
    Endpoint(
        "explain",
        "GET",
        "/v1/explain/{symbol}",
        "What is known of the bar around one instant.",
        "`verdict` is `bar`, `provisional`, `no trade`, `empty`, `closed`, `missing` or `unknown`; `sentences` say it "
        "in words.",
        (
            _symbol(),
            _frame("1m"),
            Param(
                "at",
                Kind.DATE,
                "The instant; written like `start`.",
                required=True,
                example="2026-03-02T15:00Z",
            ),
        ),
        example=examples.EXPLAIN,
        call="/v1/explain/AAPL?timeframe=1m&at=2026-03-02T15:00Z",
        errors=(304, 404),
    ),
    Endpoint(
        "quality",
        "GET",
        "/v1/quality",
        "What is odd about stored bars, with the reason. No bar is changed for it.",
        "`rules` says what each rule finds. Reading much takes a while: name symbols and dates.",
        (_SYMBOLS, _START, _END),
        example=examples.QUALITY,
        call="/v1/quality?symbols=AAPL&start=2026-01-01",
        errors=(304, 404),
    ),
    Endpoint(
        "revisions",
        "GET",
        "/v1/revisions/{symbol}",
        "What the vendor changed of base bars after they were stored.",
        "Without `old` the bar came late, without `new` it was withdrawn. `final`: a reader had been given the old "
        "one as final.",
        (_symbol(), _frame("1d"), _START, _END),
        example=examples.REVISIONS,
        errors=(304, 404),
    ),
    Endpoint(
        "actions",
        "GET",
        "/v1/actions/{symbol}",
        "Splits and dividends of a stock: which ones `adjust` applies, and why.",
        "`at` is the midnight in New York that begins the day. `ratio` is new shares for one old, `kept` the part of "
        "the price that is left after a dividend; both are exact fractions as text, null where they do not apply. "
        "`read` is when the vendor's list was last read whole (Unix ms), null if it never was.",
        (_symbol(),),
        example=examples.ACTIONS,
        errors=(304, 404),
    ),
    Endpoint(
        "sessions",
        "GET",
        "/v1/sessions/{symbol}",
        "When its market trades: for shading a chart.",
        "All in Unix ms. The extended session is from `pre` to `post`, the regular one from `open` to `close`. "
        "Outside `known` the calendar cannot tell. At most ten years in one answer.",
        (_symbol(), _START, _END),
        example=examples.SESSIONS,
        call="/v1/sessions/AAPL?start=2026-03-02&end=2026-03-04",
        errors=(304,),
    ),
    Endpoint(
        "plan",
        "GET",
        "/v1/plan",
        "What a backfill would do, without doing it. Works without a store too.",
        "",
        (
            Param("symbols", Kind.SYMBOLS, "What to fetch.", required=True, example="AAPL,X:BTCUSD"),
            Param("timeframes", Kind.TIMEFRAMES, "In which timeframes.", required=True, example="1m,1d"),
            Param("start", Kind.DATE, _START.help, required=True, example="2026-01-01"),
            _END,
        ),
        example=examples.PLAN,
        call="/v1/plan?symbols=AAPL&timeframes=1m,1d&start=2026-01-01",
    ),
    Endpoint(
        "runs",
        "GET",
        "/v1/runs",
        "The latest runs of any process that writes this store, newest first.",
        "`state` is `running`, `ended`, or `lost` (its process ended without a word). `progress` is the last state "
        "that it wrote down, about once a second; `report` comes at its end. Instants in Unix ms.",
        (Param("limit", Kind.WHOLE, "How many.", default="20", least=1, most=1000),),
        example=examples.RUNS,
        errors=(304,),
    ),
    Endpoint(
        "run",
        "GET",
        "/v1/runs/{run_id}",
        "One run.",
        "",
        (Param("run_id", Kind.TEXT, "Its name.", required=True, example="20260302-210000-1f2e3d4c"),),
        example=examples.RUN,
        errors=(304, 404),
    ),
    Endpoint(
        "store",
        "GET",
        "/v1/store",
        "The store itself: kind, size, last success. Answers `200` also where there is no store yet.",
        "`last_success` is when the last run ended that left nothing missing of what it was asked for.",
        example=examples.STORE,
        errors=(304,),
    ),
    Endpoint(
        "events",
        "GET",
        "/v1/events",
        "The progress of every run, as it goes on, in whatever process (server-sent events).",
        "`event: run`: a run as in `/v1/runs`, once at the start for each that is running, then about once a second "
        "while it changes, and once at its end. `event: store`: something was written; `data` has `last_write` (Unix "
        "ms). A comment comes every 15 s. Each message is whole in itself, so a new connection has missed nothing.",
        media=(EVENTS,),
        example=examples.EVENTS,
    ),
)

_ONLY_THESE = (Param("symbols", Kind.SYMBOLS, "Only these, a list.", example="AAPL"),)

WRITING = (
    Endpoint(
        "start_backfill",
        "POST",
        "/v1/backfill",
        "Start a backfill; the answer comes at once.",
        "`timeframes` and `symbols` are lists, `start` and `end` as elsewhere.",
        (
            Param("symbols", Kind.SYMBOLS, "What to fetch, a list.", required=True, example="AAPL"),
            Param("timeframes", Kind.TIMEFRAMES, "In which timeframes, a list.", required=True, example="1m"),
            Param("start", Kind.DATE, _START.help, required=True, example="2026-03-02"),
            Param("end", Kind.DATE, "Exclusive; without it, as far as bars are final.", example="2026-03-03"),
        ),
        example=examples.STARTED,
        errors=(409, 413, 415),
        writes=True,
    ),
    Endpoint(
        "start_update",
        "POST",
        "/v1/update",
        "Start an update of all that was ever asked for, or of some symbols.",
        "",
        _ONLY_THESE,
        example=examples.STARTED,
        errors=(404, 409, 413, 415),
        writes=True,
    ),
    Endpoint(
        "start_repair",
        "POST",
        "/v1/repair",
        "Start a run that asks again, now, for all that is missing.",
        "",
        _ONLY_THESE,
        example=examples.STARTED,
        errors=(404, 409, 413, 415),
        writes=True,
    ),
    Endpoint(
        "stop",
        "POST",
        "/v1/stop",
        "Let the run that this server started finish the pages in hand and end.",
        "`run_id` is null where none is under way.",
        example=examples.STOPPED,
        errors=(413, 415),
        writes=True,
    ),
)

VENDOR = (
    Endpoint(
        "aggs",
        "GET",
        "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}",
        "The vendor's own question, answered from the store.",
        "The vendor's Python client reads it. Bars are on the grid of gapless, which does not move with `from`, and "
        "only final ones. Where bars are missing the answer is `409` with the reason in `error`, unless the server "
        "was started with `serve.on_gap=mark`.",
        _VENDOR,
        example=examples.AGGS,
        call="/v2/aggs/ticker/AAPL/range/5/minute/2026-03-02/2026-03-02?adjusted=false",
        errors=(304, 404, 409),
        vendor=True,
    ),
)

AROUND = (
    Endpoint("healthz", "GET", "/healthz", "The server is alive.", media=(TEXT,), example="ok\n"),
    Endpoint(
        "readyz",
        "GET",
        "/readyz",
        "It can read its store; `503` where it cannot, or where there is none yet.",
        media=(TEXT,),
        example="ok\n",
    ),
    Endpoint(
        "metrics",
        "GET",
        "/metrics",
        "For Prometheus; first of all `gapless_last_success_timestamp_seconds`.",
        media=(TEXT,),
        example=examples.METRICS,
    ),
    Endpoint("openapi", "GET", "/openapi.json", "This page for programs.", errors=(304,)),
)

ENDPOINTS = (*READING, *WRITING, *VENDOR, *AROUND)
"""Every one of them, in the order in which they are told."""
