"""Names that mean something else at the vendor than one may think. Nothing is guessed: this only tells."""

from gapless.vocabulary.instrument import AssetClass, Instrument

_COINS = frozenset(
    "ADA ALGO ATOM AVAX BCH BNB BTC DOGE DOT ETC ETH FIL LINK LTC MATIC NEAR SHIB SOL TRX UNI USDT XLM XMR XRP".split()
)
_MONEY = frozenset(
    "AUD CAD CHF CNH CNY DKK EUR GBP HKD INR JPY KRW MXN NOK NZD PLN SEK SGD TRY USD ZAR".split()
)
_INDICES = frozenset("SPX NDX VIX DJI RUT".split())


def lookalike_hint(instrument: Instrument) -> str:
    """Say what an unprefixed ticker could be mistaken for, empty where there is no such danger."""
    if instrument.asset_class is not AssetClass.STOCKS:
        return ""
    ticker = instrument.ticker
    other = _other_name(ticker.upper().replace("-", "").replace("/", ""))
    if other:
        return f"`{ticker}` is a stock or fund at the vendor; if you mean {other[1]}, write {other[0]}."
    root, dash, suffix = ticker.partition("-")
    if dash and len(suffix) == 1:
        return f"The vendor writes share classes with a dot: `{root}.{suffix}` rather than `{ticker}`."
    if ticker != ticker.upper() and ticker.lower() == ticker:
        return f"The vendor's tickers are case-sensitive: `{ticker}` is not `{ticker.upper()}`."
    return ""


def _other_name(name: str) -> tuple[str, str] | None:
    if name in _COINS:
        return f"X:{name}USD", f"the coin {name} in dollars"
    head, tail = name[:-3], name[-3:]
    if tail in _MONEY and head in _COINS:
        return f"X:{name}", f"the coin {head} in {tail}"
    if tail in _MONEY and head in _MONEY:
        return f"C:{name}", f"the currency pair {head}/{tail}"
    if name in _INDICES:
        return f"I:{name}", f"the index {name}"
    return None
