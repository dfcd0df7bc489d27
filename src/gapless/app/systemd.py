"""A task as units of the user's own systemd."""

from pathlib import Path

from gapless.app.schedules import Task, complaint_of
from gapless.errors import UsageError


class Systemd:
    """Units of the user's own systemd; nothing of it needs root."""

    kind = "systemd"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def texts(self, task: Task) -> dict[str, str]:
        """A service that runs the task once, and a timer that starts it, also after a time when the machine was off."""
        service = [
            "[Unit]",
            f"Description=gapless: {_unit(task.name)}",
            "",
            "[Service]",
            "Type=oneshot",
            f"WorkingDirectory={_unit(str(task.folder))}",
            *(f"Environment={_quoted(f'{name}={text}')}" for name, text in task.env.items()),
            f"ExecStart={' '.join(_quoted(word).replace('$', '$$') for word in task.words)}",
            "Nice=10",
            "# The first signal finishes the page in hand; what was read is kept.",
            "KillMode=mixed",
        ]
        timer = [
            "[Unit]",
            f"Description=gapless: {_unit(task.name)}, every day",
            "",
            "[Timer]",
            f"OnCalendar=*-*-* {task.at.at:%H:%M}:00 {task.at.zone}",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
        files = self._files(task.name)
        return {
            str(path): "\n".join(lines) + "\n" for path, lines in zip(files, (service, timer), strict=True)
        }

    def installed(self, name: str) -> dict[str, str]:
        """The files that are there."""
        return {str(path): path.read_text(encoding="utf-8") for path in self._files(name) if path.is_file()}

    def install(self, task: Task) -> None:
        """Write both files and start the timer."""
        self._systemctl("show-environment")  # whether anybody is there, before anything is written
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path, text in self.texts(task).items():
                Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{self._folder} cannot be written: {error.strerror}.",
                hint="Make it writable, or use --cron.",
            ) from None
        self._systemctl("daemon-reload")
        self._systemctl("enable", "--now", f"{task.name}.timer")

    def remove(self, name: str) -> None:
        """Stop the timer and delete both files."""
        self._systemctl("disable", "--now", f"{name}.timer")
        for path in self._files(name):
            path.unlink(missing_ok=True)
        self._systemctl("daemon-reload")

    def _files(self, name: str) -> tuple[Path, Path]:
        return self._folder / f"{name}.service", self._folder / f"{name}.timer"

    def _systemctl(self, *words: str) -> None:
        said = complaint_of(["systemctl", "--user", *words])
        if said is not None:
            raise UsageError(
                f"The user's systemd cannot be used: {said}.",
                hint="`--cron` uses cron. Without both, `gapless serve --update-at` keeps a store fresh.",
            )


def _unit(text: str) -> str:
    """Text as it stands in a unit file: `%` begins something special there."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """One word of several in a unit file."""
    return '"' + _unit(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'
