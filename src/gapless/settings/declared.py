"""The settings that there are: name, default, what it is for, and the kind of value it takes."""

from dataclasses import dataclass

from gapless.settings.kinds import Kind

DEFAULT_BASE_URL = "https://api.massive.com"
"""Where the vendor's API is, unless told otherwise."""

KEY_ALIASES = ("MASSIVE_API_KEY", "POLYGON_API_KEY")
"""Environment variables that also hold the key: the vendor's own names, new and old."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `default` is text as a person would write it.

    A `secret` is never shown. A `personal` one is not read from `./gapless.toml`: a folder that somebody else made
    must not decide who gets the key, what runs on this machine, or who hears of it.
    """

    name: str
    default: str
    help: str
    kind: Kind
    secret: bool = False
    personal: bool = False


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
    Setting("massive.base_url", DEFAULT_BASE_URL, "Where the vendor's API is.", Kind.ADDRESS, personal=True),
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
    Setting(
        "on_run_end",
        "",
        "A command that gets the report of each run as JSON on its standard input; it runs without a shell.",
        Kind.COMMAND,
        personal=True,
    ),
    Setting(
        "webhook",
        "",
        "An address that the report of each run is sent to, by POST as JSON.",
        Kind.WEBHOOK,
        personal=True,
    ),
    Setting(
        "serve.host",
        "127.0.0.1",
        "Where `gapless serve` listens; anything but this machine needs a token.",
        Kind.TEXT,
    ),
    Setting("serve.port", "8720", "Its port; 0: a free one.", Kind.PORT),
    Setting(
        "serve.token",
        "",
        "What a caller must show who starts a run, or who comes from elsewhere; never in a TOML file or a flag.",
        Kind.TEXT,
        secret=True,
    ),
    Setting("serve.token_file", "", "A file with the token in it, readable by its owner alone.", Kind.TEXT),
    Setting(
        "serve.update_at",
        "",
        "The server updates its store every day at this time: 21:30 (New York), 02:30Z, 06:00 Europe/Berlin.",
        Kind.DAILY,
    ),
    Setting("serve.allow_write", "no", "Whether runs can be started over HTTP: yes or no.", Kind.SWITCH),
    Setting(
        "serve.allow_host",
        "",
        "More names under which it may be called, with commas between: what the `Host` header says.",
        Kind.TEXT,
    ),
    Setting(
        "serve.on_gap",
        "raise",
        "Where bars are missing, the vendor's own addresses answer with an error (raise) or with what is there (mark).",
        Kind.ON_GAP,
    ),
)
"""Every setting, in the order in which they are shown."""


def env_name(name: str) -> str:
    """The environment variable of a setting: `massive.plan` is read from `GAPLESS_MASSIVE_PLAN`."""
    return "GAPLESS_" + name.upper().replace(".", "_")


KEY_VARIABLES = (env_name("massive.key"), *KEY_ALIASES)
"""Every environment variable that may hold the key, in the order in which they are looked at."""
SECRET_VARIABLES = (*KEY_VARIABLES, env_name("serve.token"))
"""Environment variables that no other program is handed."""
