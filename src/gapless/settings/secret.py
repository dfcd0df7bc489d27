"""The key: where it is looked for, and a wrapping that does not show it."""

import stat
from collections.abc import Mapping
from pathlib import Path

from gapless.errors import KeyRefused, UsageError

_SHORTEST_TOKEN = 16
_KEYRING = ("gapless", "massive")
"""Service and user name under which a key is kept: `keyring set gapless massive`."""


class Secret:
    """A text that shows itself only when asked to by `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(set)" if self._text else "Secret(not set)"

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        raise TypeError("a secret is not written anywhere")


def find_key(env: Mapping[str, str], names: tuple[str, ...], key_file: Path | None) -> tuple[Secret, str]:
    """The key and where it was found: the environment, then the key file, then the system's keyring.

    Raises:
        UsageError: the key file cannot be read, or others can read it too.
        KeyRefused: there is no key anywhere.
    """
    for name in names:
        if key := env.get(name, "").strip():
            return _checked(key, name), name
    if key_file is not None:
        return _checked(_read(key_file), f"`{key_file}`"), str(key_file)
    if key := _from_keyring():
        return _checked(key, "the keyring"), "keyring"
    raise KeyRefused(
        "There is no API key.",
        hint="Set MASSIVE_API_KEY, or name a file that holds it in massive.key_file; `gapless demo` needs none.",
    )


def find_token(env: Mapping[str, str], name: str, token_file: Path | None) -> tuple[Secret, str]:
    """The token of the server and where it was found; an empty one where none is set.

    Raises:
        UsageError: it is short enough to be guessed, or its file cannot be read, or others can read it too.
    """
    if token := env.get(name, "").strip():
        return _long_enough(_checked(token, name)), name
    if token_file is None:
        return Secret(""), "default"
    token = _read(token_file, "token", "serve.token_file")
    return _long_enough(_checked(token, f"`{token_file}`")), str(token_file)


def _long_enough(token: Secret) -> Secret:
    if len(token.reveal()) < _SHORTEST_TOKEN:
        raise UsageError(
            f"A token of less than {_SHORTEST_TOKEN} characters can be guessed.",
            hint="Make one with `openssl rand -hex 32`.",
        )
    return token


def _checked(key: str, source: str) -> Secret:
    """A key goes into a header: a line break or a letter beyond ASCII in it would be refused there, with the key."""
    if key.isascii() and key.isprintable() and " " not in key:
        return Secret(key)
    raise UsageError(
        f"What {source} holds has spaces or unprintable characters in it.", hint="Copy it again, alone."
    )


def _read(path: Path, what: str = "key", setting: str = "massive.key_file") -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise UsageError(
                f"The {what} file `{path}` can be read by others (mode {mode:04o}).",
                hint=f"Run `chmod 600 {path}`.",
            )
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise UsageError(
            f"The {what} file `{path}` cannot be read: {why}.",
            hint=f"See {setting} in `gapless config --origin`.",
        ) from None
    if not key:
        raise UsageError(f"The {what} file `{path}` is empty.", hint=f"Put the {what} into it, on one line.")
    return key


def _from_keyring() -> str:
    """What the system's keyring holds for gapless; empty where there is no keyring or no key in it."""
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to load
        from keyring.errors import KeyringError  # noqa: PLC0415 - as above
    except ImportError:
        return ""
    try:
        return keyring.get_password(*_KEYRING) or ""
    except KeyringError as error:
        raise UsageError(
            f"The system's keyring cannot be read: {type(error).__name__}.",
            hint="Unlock it, or set MASSIVE_API_KEY.",
        ) from None
