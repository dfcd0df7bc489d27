"""What answers look like; a test holds each against an answer of a running server."""

from typing import Any

_DAY = 1772427600000
_OPEN = 1772461800000
_CLOSE = 1772485200000
_RUN = "20260302-210000-1f2e3d4c"
_REASON = "the vendor answered 503 five times"

_GAP: dict[str, Any] = {
    "symbol": "AAPL",
    "base": "1m",
    "start": 1772470800000,
    "end": 1772474400000,
    "outcome": "failed",
    "reason": _REASON,
    "due": 1772489100000,
}

BARS: dict[str, Any] = {
    "symbol": "AAPL",
    "timeframe": "5m",
    "columns": {
        "ts": [_OPEN, 1772462100000],
        "open": [262.41, 262.88],
        "high": [263.05, 263.1],
        "low": [262.2, 262.6],
        "close": [262.9, 262.75],
        "volume": [1203344.0, 845120.5],
        "vwap": [262.66, None],
        "trades": [10233, None],
        "final": [True, True],
    },
    "gaps": [],
    "final_until": _CLOSE,
    "next": "/v1/bars/AAPL?timeframe=5m&start=2026-03-02&end=2026-03-03&cursor=MTc3MjQ2MjQwMDAwMA",
}

PROBLEM: dict[str, Any] = {
    "type": "/problems/bars-missing",
    "title": "Bars are missing",
    "status": 409,
    "detail": f"A stretch is missing: AAPL 1m 2026-03-02 17:00 UTC to 2026-03-02 18:00 UTC ({_REASON}).",
    "hint": "`gapless repair AAPL` to fetch them, or on_gap=mark for what is there.",
    "gaps": [_GAP],
}

SYMBOLS: dict[str, Any] = {
    "symbols": [
        {
            "symbol": "AAPL",
            "asset_class": "stocks",
            "timeframes": ["5m", "1d"],
            "bases": [
                {"base": "1m", "bars": 203344, "first": _OPEN, "last": 1772485140000, "stored_bytes": 1523311}
            ],
        }
    ]
}

COVERAGE: dict[str, Any] = {
    "series": [
        {
            "symbol": "AAPL",
            "timeframe": "5m",
            "base": "1m",
            "start": _DAY,
            "end": 1772514000000,
            "percent": 93.7,
            "complete": False,
            "bars": 720,
            "provisional": 0,
            "missing_ms": 3600000,
            "months": [{"month": "2026-03", "state": "partly", "mark": "+", "percent": 93.7}],
        }
    ]
}

COVERAGE_BY_MINUTE: dict[str, Any] = {
    "symbol": "AAPL",
    "timeframe": "1m",
    "base": "1m",
    "start": _DAY,
    "end": 1772514000000,
    "percent": 93.7,
    "by": "minute",
    "stretches": [
        {"start": _DAY, "end": 1772442000000, "state": "closed", "outcome": "", "reason": "", "due": None},
        {
            "start": 1772442000000,
            "end": 1772470800000,
            "state": "bars",
            "outcome": "bars",
            "reason": "",
            "due": None,
        },
        {
            "start": 1772470800000,
            "end": 1772474400000,
            "state": "missing",
            "outcome": "failed",
            "reason": _REASON,
            "due": 1772489100000,
        },
    ],
}

COVERAGE_BY_DAY: dict[str, Any] = {
    "symbol": "AAPL",
    "timeframe": "1m",
    "base": "1m",
    "start": _DAY,
    "end": 1772514000000,
    "percent": 93.7,
    "by": "day",
    "days": [
        {
            "day": "2026-03-02",
            "start": 1772442000000,
            "end": 1772499600000,
            "state": "partly",
            "mark": "+",
            "percent": 93.7,
            "bars": 720,
            "missing_ms": 3600000,
        }
    ],
}

GAPS: dict[str, Any] = {"gaps": [_GAP]}

EXPLAIN: dict[str, Any] = {
    "symbol": "AAPL",
    "base": "1m",
    "timeframe": "1m",
    "instant": 1772463600000,
    "verdict": "no trade",
    "sentences": ["No trade: the vendor's bars around this instant are complete, and it has none here."],
    "outcome": "bars",
    "reason": "",
    "recorded": 1772500000000,
    "due": None,
    "request_id": "0f3c8a",
    "digest": "9f86d081",
    "run_id": _RUN,
}

QUALITY: dict[str, Any] = {
    "flags": [
        {
            "symbol": "AAPL",
            "base": "1m",
            "start": 1772463600000,
            "end": 1772463660000,
            "rule": "bad_print",
            "reason": "high 290 is far from its neighbours and comes back at once",
            "size": 41.2,
        }
    ],
    "rules": {"bad_print": "a price far from its neighbours that comes back at once"},
}

_NUMBERS: dict[str, Any] = {
    "open": 262.41,
    "high": 265.0,
    "low": 260.2,
    "close": 264.9,
    "volume": 51203344.0,
    "vwap": 262.7,
    "trades": 510233,
}

REVISIONS: dict[str, Any] = {
    "symbol": "AAPL",
    "base": "1d",
    "revisions": [
        {
            "ts": _DAY,
            "written": 1772600000000,
            "old": _NUMBERS,
            "new": _NUMBERS | {"volume": 51203399.0},
            "final": True,
        }
    ],
}

ACTIONS: dict[str, Any] = {
    "symbol": "AAPL",
    "read": {"split": 1772485200000, "dividend": 1772485200000},
    "actions": [
        {
            "kind": "split",
            "date": "2020-08-31",
            "at": 1598846400000,
            "ids": ["E36416cce743c3964c5da63e1ef1626c"],
            "verdict": "confirmed",
            "applied": True,
            "reason": "the price went from 499.23 to 127.58",
            "ratio": "4",
            "kept": None,
        }
    ],
}

SESSIONS: dict[str, Any] = {
    "symbol": "AAPL",
    "zone": "America/New_York",
    "known": {"start": 1063152000000, "end": 1830297600000},
    "sessions": {
        "day": [_DAY],
        "pre": [1772442000000],
        "open": [_OPEN],
        "close": [_CLOSE],
        "post": [1772499600000],
    },
}

PLAN: dict[str, Any] = {
    "requests": 1,
    "action_requests": 2,
    "bars": 780,
    "seconds": 0.0,
    "notes": ["Planned for the vendor's `basic` plan (2 years of history, finished days only)."],
    "jobs": [
        {
            "id": "9f86d081884c7d65",
            "symbol": "AAPL",
            "base": "1m",
            "start": _DAY,
            "end": 1772514000000,
            "requests": 1,
            "bars": 780,
        }
    ],
    "stored_bytes": 6240,
}

PROGRESS: dict[str, Any] = {
    "at": 1772485263000,
    "jobs": 10,
    "jobs_done": 3,
    "requests": 40,
    "requests_done": 13,
    "requests_per_second": 1.8,
    "budget": {"calls": 5, "seconds": 60.0, "used": 4},
    "bars": 611200,
    "bars_per_second": 88000.0,
    "seconds_left": 15.2,
    "waiting": {"why": "the rate allows 5 requests a minute", "seconds": 12.0},
    "errors": {"RateLimited": 1},
    "outcomes": {"bars": 3},
    "last": "AAPL 1m",
}

RUN: dict[str, Any] = {
    "run_id": _RUN,
    "state": "running",
    "started": 1772485200000,
    "ended": None,
    "wish": {"wishes": [{"symbol": "AAPL", "timeframe": "1m", "start": _DAY, "end": None}]},
    "progress": PROGRESS,
    "report": None,
}

RUNS: dict[str, Any] = {"runs": [RUN]}

STORE: dict[str, Any] = {
    "exists": True,
    "store": "market.gapless",
    "kind": "packed",
    "version": "0.1.0",
    "bytes": 1622016,
    "bars": 203344,
    "series": 2,
    "gaps": 1,
    "last_write": 1772485263000,
    "last_success": 1772485263000,
    "writes": False,
}

EVENTS = (
    "retry: 2000\n\n"
    "event: store\n"
    'data: {"last_write":1772485262000}\n\n'
    "event: run\n"
    f'data: {{"run_id":"{_RUN}","state":"running","progress":{{"requests_done":13}}}}\n\n'
    ": still here\n\n"
)

STARTED: dict[str, Any] = {"run_id": _RUN, "url": f"/v1/runs/{_RUN}"}

STOPPED: dict[str, Any] = {"run_id": _RUN}

AGGS: dict[str, Any] = {
    "ticker": "AAPL",
    "queryCount": 1,
    "resultsCount": 1,
    "adjusted": False,
    "results": [
        {
            "v": 1203344.0,
            "vw": 262.66,
            "o": 262.41,
            "c": 262.9,
            "h": 263.05,
            "l": 262.2,
            "t": _OPEN,
            "n": 10233,
        }
    ],
    "status": "OK",
    "request_id": "5d41402abc4b2a76b9719d911017c592",
    "count": 1,
    "next_url": "http://127.0.0.1:8720/v2/aggs/ticker/AAPL/range/5/minute/1772462100000/2026-03-02?cursor=YWRqd",
}

METRICS = (
    "# HELP gapless_last_success_timestamp_seconds When the last run ended that left nothing missing.\n"
    "# TYPE gapless_last_success_timestamp_seconds gauge\n"
    "gapless_last_success_timestamp_seconds 1772485263\n"
)
