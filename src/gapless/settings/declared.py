"""The settings that there are: name, default, what it is for, and the kind of value it takes."""

from dataclasses import dataclass

from gapless.settings.kinds import Kind

DEFAULT_BASE_URL = "https://api.massive.com"
"""Where the vendor's API is, unless told otherwise."""

KEY_ALIASES = ("MASSIVE_API_KEY", "POLYGON_API_KEY")
"""Environment variables that also hold the key: the vendor's own names, new and old."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `default` is text as a person would write it; a `secret` is never shown."""

    name: str
    default: str
    help: str
    kind: Kind
    secret: bool = False


SETTINGS = (
    Setting(
        "store",
        "market.gapless",
        "Where bars and the ledger are kept: a path, or `sqlite:///` and a path for plain SQL rows.",
        Kind.TEXT,
    ),
    Setting(
        "massive.key", "", "The vendor's API key; never in a TOML file or a flag.", Kind.TEXT, secret=True
    ),
    Setting("massive.key_file", "", "A file with the key in it, readable by its owner alone.", Kind.TEXT),
    Setting("massive.base_url", DEFAULT_BASE_URL, "Where the vendor's API is.", Kind.ADDRESS),
    Setting(
        "massive.plan",
        "basic",
        "The plan behind the key: basic, starter, developer or advanced. It decides rate and history.",
        Kind.PLAN,
    ),
    Setting(
        "rate",
        "",
        "Requests allowed: 150/min, 100/s, 2.5/s, auto (found by trying) or unlimited; empty: what the plan allows.",
        Kind.RATE,
    ),
    Setting(
        "rate.crypto",
        "",
        'The same for crypto alone; in a TOML file its name is quoted: "rate.crypto".',
        Kind.RATE,
    ),
    Setting(
        "confirm_after",
        "1h",
        "How long after an empty answer it is asked again before it is believed: 30s, 10m, 1h, 2d.",
        Kind.DURATION,
    ),
    Setting("workers", "0", "Requests under way at a time; 0: as many as the rate needs.", Kind.COUNT),
    Setting("max_requests", "0", "A run stops after this many requests; 0: no limit.", Kind.COUNT),
)
"""Every setting, in the order in which they are shown."""


def env_name(name: str) -> str:
    """The environment variable of a setting: `massive.plan` is read from `GAPLESS_MASSIVE_PLAN`."""
    return "GAPLESS_" + name.upper().replace(".", "_")
