"""Lists of symbols and timeframes that have a name."""

from dataclasses import dataclass

from gapless.errors import UsageError


@dataclass(frozen=True, slots=True)
class Preset:
    """What to backfill; `start` as it would be typed."""

    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    start: str


_STOCKS = "AAPL MSFT GOOGL AMZN TSLA NVDA META NFLX AVGO ASML BRK.B JPM V WMT JNJ".split()
_CRYPTO = "X:BTCUSD X:ETHUSD X:XRPUSD X:SOLUSD X:ADAUSD".split()
_FUNDS = "SPY QQQ DIA IWM EEM".split()

PRESETS = {
    "baseline": Preset((*_STOCKS, *_CRYPTO, *_FUNDS), ("5m", "15m", "1h", "4h", "1d"), "365d"),
    "quick": Preset(("AAPL", "MSFT", "SPY", "X:BTCUSD", "X:ETHUSD"), ("5m", "1d"), "30d"),
}

_EXAMPLE = "gapless backfill AAPL X:BTCUSD -t 5m,1d --start 2024-01-01"


def chosen(
    symbols: tuple[str, ...], timeframes: tuple[str, ...], start: str | None, preset: str | None
) -> Preset:
    """What was asked for: the preset where one is named, with timeframes and start as typed before its own.

    Raises:
        UsageError: something is missing, or the preset is unknown or comes with symbols of its own.
    """
    if preset is None:
        named = {"symbols": symbols, "timeframes (-t)": timeframes, "a first day (--start)": start}
        missing = [name for name, given in named.items() if not given]
        if missing or start is None:
            named_missing = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
            raise UsageError(
                f"It is not said what to fetch: {named_missing} {'are' if missing[1:] else 'is'} missing.",
                hint=f"For example `{_EXAMPLE}`, or `--preset quick`.",
            )
        return Preset(symbols, timeframes, start)
    if preset not in PRESETS:
        raise UsageError(f"`{preset}` is not a preset.", hint=f"Use one of: {', '.join(PRESETS)}.")
    if symbols:
        raise UsageError(
            f"`--preset {preset}` has its own symbols, and {' '.join(symbols)} came with it.",
            hint="Give symbols or a preset; run the command twice for both.",
        )
    found = PRESETS[preset]
    return Preset(found.symbols, timeframes or found.timeframes, start or found.start)
