"""Reading settings: flags before environment before `./gapless.toml` before the user's file before defaults."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from gapless.errors import KeyRefused, UsageError
from gapless.settings.declared import KEY_ALIASES, KEY_VARIABLES, SETTINGS, Setting, env_name
from gapless.settings.kinds import Kind, count, duration, switch
from gapless.settings.secret import Secret, find_key, find_token
from gapless.vocabulary.daily import Daily

PROJECT_FILE = "gapless.toml"
"""Read from the working folder."""

_KEY = "massive.key"
_SHOWN_AS = {_KEY: KEY_ALIASES[0], "serve.token": env_name("serve.token")}
"""Where a person is told to keep a secret."""
_BY_NAME = MappingProxyType({setting.name: setting for setting in SETTINGS})


@dataclass(frozen=True, slots=True)
class _Found:
    """The text of one setting, and where it came from."""

    text: str
    origin: str


@dataclass(frozen=True)
class Settings:
    """Every setting with its origin. The key is looked for when it is first asked for, and never shown."""

    _found: Mapping[str, _Found] = field(repr=False)
    _env: Mapping[str, str] = field(repr=False)
    _folder: Path

    def get(self, name: str) -> str:
        """A setting as text; for a secret `set` or `not set`."""
        if _BY_NAME[name].secret:
            return "set" if self._secret(name)[0] else "not set"
        return self._found[name].text

    def shown(self, name: str) -> str:
        """The same as anybody may see it: of an address that hears of runs, the host alone."""
        text = self.get(name)
        if _BY_NAME[name].kind is Kind.WEBHOOK and text:
            parts = urlsplit(text)
            return f"{parts.scheme}://{parts.netloc}/..."
        return text

    def origin(self, name: str) -> str:
        """Where a setting came from: `flag`, an environment variable, a file, `keyring` or `default`."""
        return self._secret(name)[1] if _BY_NAME[name].secret else self._found[name].origin

    @property
    def store(self) -> str:
        """The store's URL: a path, or `sqlite:///` and a path."""
        return self.get("store")

    @property
    def key(self) -> Secret:
        """The vendor's key.

        Raises:
            KeyRefused: there is none.
            UsageError: it is kept where it cannot be read, or where others can read it.
        """
        if not self._key[0]:
            find_key({}, (), None)
        return self._key[0]

    @property
    def base_url(self) -> str:
        """Where the vendor's API is."""
        return self.get("massive.base_url")

    @property
    def plan(self) -> str:
        """The vendor's plan: basic, starter, developer or advanced."""
        return self.get("massive.plan")

    @property
    def rate(self) -> str:
        """The rate as written; empty for the plan's own."""
        return self.get("rate")

    @property
    def rate_crypto(self) -> str:
        """The rate of crypto as written; empty for the same as the rest."""
        return self.get("rate.crypto")

    @property
    def confirm_after(self) -> int:
        """How long after an empty answer it is asked again, in milliseconds."""
        return duration(self.get("confirm_after"))

    @property
    def workers(self) -> int:
        """Requests under way at a time; 0 for as many as the rate needs."""
        return count(self.get("workers"))

    @property
    def max_requests(self) -> int:
        """A run's own limit of requests; 0 for none."""
        return count(self.get("max_requests"))

    @property
    def on_run_end(self) -> str:
        """A command that hears how each run ended, as written; empty for none."""
        return self.get("on_run_end")

    @property
    def webhook(self) -> str:
        """The address that hears how each run ended; empty for none."""
        return self.get("webhook")

    @property
    def serve_host(self) -> str:
        """Where the server listens."""
        return self.get("serve.host")

    @property
    def serve_port(self) -> int:
        """The server's port; 0 for a free one."""
        return count(self.get("serve.port"))

    @property
    def serve_token(self) -> Secret:
        """What callers of the server must show; empty where none is set.

        Raises:
            UsageError: it can be guessed, or it is kept where it cannot be read, or where others can read it.
        """
        return self._token[0]

    @property
    def serve_writes(self) -> bool:
        """Whether runs can be started over HTTP."""
        return switch(self.get("serve.allow_write"))

    @property
    def serve_update_at(self) -> Daily | None:
        """When the server updates its store every day; None where it does not."""
        text = self.get("serve.update_at")
        return Daily.parse(text) if text else None

    @property
    def serve_names(self) -> tuple[str, ...]:
        """More names under which the server may be called."""
        return tuple(name for part in self.get("serve.allow_host").split(",") if (name := part.strip()))

    def _secret(self, name: str) -> tuple[Secret, str]:
        return self._key if name == _KEY else self._token

    @cached_property
    def _token(self) -> tuple[Secret, str]:
        named = self.get("serve.token_file")
        return find_token(
            self._env, env_name("serve.token"), self._folder / Path(named).expanduser() if named else None
        )

    @cached_property
    def _key(self) -> tuple[Secret, str]:
        named = self.get("massive.key_file")
        try:
            return find_key(
                self._env,
                KEY_VARIABLES,
                self._folder / Path(named).expanduser() if named else None,
            )
        except KeyRefused:
            return Secret(""), "default"


def load(
    flags: Mapping[str, str], *, env: Mapping[str, str], folder: Path, user_file: Path | None
) -> Settings:
    """Read every setting from the first place that has it, and judge it.

    Args:
        flags: what was typed, by the setting's name.
        env: the environment; an empty variable counts as not set.
        folder: where `gapless.toml` is looked for, and what a relative key file counts from.
        user_file: the user's own TOML file; it need not exist.

    Raises:
        UsageError: an unknown name, or a value that its setting cannot take.
    """
    for name in flags:
        if name not in _BY_NAME:
            raise UsageError(f"`{name}` is not a setting of gapless.", hint=_nearest(name))
    project = _read_toml(folder / PROJECT_FILE)
    _no_personal(folder / PROJECT_FILE, project)
    user = _read_toml(user_file) if user_file else {}
    found = {}
    for setting in SETTINGS:
        places = (
            (flags.get(setting.name), "flag"),
            (env.get(env_name(setting.name)) or None, env_name(setting.name)),
            (project.get(setting.name), f"./{PROJECT_FILE}"),
            (user.get(setting.name), str(user_file)),
            (setting.default, "default"),
        )
        text, origin = next((text.strip(), origin) for text, origin in places if text is not None)
        found[setting.name] = _Found("" if setting.secret else text, origin)
        _check(setting, found[setting.name])
    return Settings(found, env, folder)


def user_file() -> Path:
    """Where the user's own settings are on this system; the file need not exist."""
    from platformdirs import user_config_path  # noqa: PLC0415 - only the command line asks

    return user_config_path("gapless", appauthor=False) / "config.toml"


def _check(setting: Setting, found: _Found) -> None:
    if setting.name == "store" and not found.text:
        raise UsageError(
            f"`store` (from {found.origin}) is empty.", hint="Name a file, such as market.gapless."
        )
    try:
        setting.kind.check(found.text)
    except UsageError as error:
        raise UsageError(
            f"`{setting.name}` (from {found.origin}) cannot be used: {error.message}", hint=error.hint
        ) from None


def _read_toml(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            values = dict(_flat(tomllib.load(file)))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"`{path}` is not a TOML file: {error}.", hint="Mend that line.") from None
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be read: {error.strerror}.", hint="Make it readable, or move it away."
        ) from None
    return {name: _text(path, name, value) for name, value in values.items()}


def _no_personal(path: Path, values: Mapping[str, str]) -> None:
    """Refuse what a working folder may not decide."""
    for name in values:
        if _BY_NAME[name].personal:
            raise UsageError(
                f"`{path}` sets `{name}`: who gets the key, what runs and who hears of it is not for a working "
                "folder to decide.",
                hint=f"Put it into your own file, {user_file()}, or into {env_name(name)}.",
            )


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested tables as dotted names."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.5)
    return f"Did you mean `{near[0]}`?" if near else f"Settings are: {', '.join(_BY_NAME)}."


def _text(path: Path, name: str, value: object) -> str:
    """The text of one line of a file, if it names a setting that may stand there."""
    if name not in _BY_NAME:
        raise UsageError(f"`{path}` sets `{name}`, which is not a setting of gapless.", hint=_nearest(name))
    if _BY_NAME[name].secret:
        raise UsageError(
            f"`{path}` holds `{name}`: a secret in a settings file is a secret that gets shared.",
            hint=f"Take it out; set {_SHOWN_AS[name]}, or name a file of mode 600 in {name}_file.",
        )
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(
            f"`{path}` sets `{name}` to something that is neither text nor a number.",
            hint="Put it in quotes.",
        )
    return str(value)
