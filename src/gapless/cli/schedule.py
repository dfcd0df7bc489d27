"""schedule: `gapless update` every day by itself."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gapless.cli.session import Session, with_session
from gapless.errors import KeyRefused, UsageError

if TYPE_CHECKING:
    from gapless.app.schedules import Scheduler, Task

_PLAIN = "sqlite:///"


@click.command()
@click.argument("action", type=click.Choice(["install", "show", "remove"]))
@click.option("--at", metavar="TIME", help="21:30 (New York), 02:30Z, 06:00 Europe/Berlin.  [21:30]")
@click.option("--cron", is_flag=True, help="By a line in your crontab instead of a timer of systemd.")
@click.option("--dry-run", is_flag=True, help="Show what would be written or removed, and do nothing.")
@with_session(fetches=True)
def schedule(session: Session, action: str, at: str | None, cron: bool, dry_run: bool) -> None:
    """Update a store every day by itself, with a timer of your own systemd or cron.

    \b
    gapless schedule install
    gapless schedule install --at "06:00 Europe/Berlin" --cron
    gapless schedule show
    gapless schedule remove

    Nothing of it needs root, and installing again replaces what was there. The
    key is not written into it: keep it in a file that massive.key_file names.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    task = _task(session, at)
    chosen, other = _schedulers(cron=cron)
    there = {one: found for one in (chosen, other) if (found := _installed(one, task.name))}
    would_be = {chosen: chosen.texts(task)}
    if action == "remove":
        _show(session, task, there if dry_run else {}, installed=bool(there))
        if there and not dry_run:
            for one in there:
                one.remove(task.name)
        session.say(f"{'Would be removed' if dry_run else 'Removed'}." if there else "Nothing was installed.")
    elif action == "show" or dry_run:
        _show(session, task, there if action == "show" and there else would_be, installed=bool(there))
        session.say(
            "This is installed."
            if there and action == "show"
            else "Nothing of this is written yet; `gapless schedule install` does."
        )
    else:
        _check(session)
        chosen.install(task)
        if other in there:
            other.remove(task.name)
        _show(session, task, {}, installed=True)
        _say_installed(session, task, chosen)


def _task(session: Session, at: str | None) -> "Task":
    """The update of the store, with the settings of this call that are in no file."""
    from gapless.app.schedules import Task, name_of
    from gapless.settings import SETTINGS, env_name
    from gapless.vocabulary.daily import USUAL, Daily

    settings = session.settings
    store = _absolute(settings.store)
    env = {
        env_name(s.name): settings.get(s.name)
        for s in SETTINGS
        # What a key or a webhook is worth, anybody who can read a schedule would have.
        if not s.secret
        and s.name not in ("store", "webhook")
        and not s.name.startswith("serve.")
        and settings.origin(s.name) in ("flag", env_name(s.name))
    }
    if settings.origin("webhook") == env_name("webhook"):
        session.say(
            "note: the webhook is set in this shell only; put it into your own file for a schedule to find."
        )
    words = sys.executable, "-m", "gapless", "update", "--quiet", "--store", store
    return Task(name_of(store), words, Path.cwd(), env, Daily.parse(at) if at else USUAL)


def _absolute(store: str) -> str:
    """The store by its whole path, whatever folder it is asked for from."""
    scheme = _PLAIN if store.startswith(_PLAIN) else ""
    if "://" in store and not scheme:
        return store
    return f"{scheme}{Path(store.removeprefix(scheme)).expanduser().absolute()}"


def _schedulers(*, cron: bool) -> "tuple[Scheduler, Scheduler]":
    """The one that is asked for, then the other."""
    from gapless.app.cron import Cron
    from gapless.app.systemd import Systemd

    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    both: tuple[Scheduler, Scheduler] = Systemd(Path(config) / "systemd" / "user"), Cron()
    return both[::-1] if cron else both


def _installed(scheduler: "Scheduler", name: str) -> dict[str, str]:
    try:
        return scheduler.installed(name)
    except UsageError:  # a system without it has nothing installed
        return {}


def _check(session: Session) -> None:
    """Refuse what could not work tonight: no store, or a key that only this shell knows.

    Raises:
        NoStore, StorageError: the store cannot be used.
        KeyRefused: a timer would find no key.
    """
    from gapless.settings import SECRET_VARIABLES, load, user_file

    session.open().close()
    env = {name: text for name, text in os.environ.items() if name not in SECRET_VARIABLES}
    try:
        load(session.flags, env=env, folder=Path.cwd(), user_file=user_file()).key  # noqa: B018 - to look is the check
    except KeyRefused:
        raise KeyRefused(
            "A schedule would find no key: what is set in this shell is not set there.",
            hint="Put the key into a file, run `chmod 600` on it, and name it in massive.key_file or "
            "GAPLESS_MASSIVE_KEY_FILE.",
        ) from None


def _show(
    session: Session, task: "Task", found: "dict[Scheduler, dict[str, str]]", *, installed: bool
) -> None:
    from gapless.cli.render import show_json

    texts = {place: text for written in found.values() for place, text in written.items()}
    if session.as_json:
        show_json({"name": task.name, "at": str(task.at), "installed": installed, "files": texts})
    else:
        for place, text in texts.items():
            click.echo(f"# {place}\n{text}")


def _say_installed(session: Session, task: "Task", scheduler: "Scheduler") -> None:
    from gapless.app.clock import SystemClock
    from gapless.cli.render import minute

    session.say(f"Every day at {task.at}: {' '.join(task.words[3:])}")
    session.say(f"Next at {minute(task.at.next_after(SystemClock().now()))} UTC, by {scheduler.kind}.")
    if scheduler.kind == "systemd":
        session.say("It runs while you are logged in; `loginctl enable-linger` lets it run always.")
        session.say(f"What it said: journalctl --user -u {task.name}")
