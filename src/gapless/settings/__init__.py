"""Settings: one declared list, read from flags, the environment and TOML files, with where each came from."""

from gapless.settings.declared import (
    KEY_ALIASES,
    KEY_VARIABLES,
    SECRET_VARIABLES,
    SETTINGS,
    Setting,
    env_name,
)
from gapless.settings.read import Settings, load, user_file
from gapless.settings.secret import Secret

__all__ = [
    "KEY_ALIASES",
    "KEY_VARIABLES",
    "SECRET_VARIABLES",
    "SETTINGS",
    "Secret",
    "Setting",
    "Settings",
    "env_name",
    "load",
    "user_file",
]
