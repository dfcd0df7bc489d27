"""The list of commands; the code behind one is imported only when it runs, so that `--help` is quick."""

from importlib import import_module
from keyword import iskeyword

import click

COMMANDS = {
    "Get bars": {
        "demo": ("demo", "Show it all at work against a made-up market; needs no key."),
        "plan": ("fetching", "Tell what a backfill would ask for, without asking."),
        "backfill": ("fetching", "Fetch what is missing of symbols and timeframes; run again to go on."),
        "update": ("fetching", "Bring everything that was ever asked for up to now."),
        "repair": ("fetching", "Ask again, now, for everything that is missing."),
        "schedule": ("schedule", "Update every day by itself, with systemd or cron."),
    },
    "Know what you have": {
        "status": ("coverage", "Show how complete everything is, month by month."),
        "gaps": ("coverage", "List what is missing, why, and when it is asked again."),
        "explain": ("coverage", "Say what is known of one instant."),
        "forget": ("coverage", "Want symbols no longer; their bars stay."),
        "quality": ("findings", "Flag what is odd about stored bars, with the reason."),
        "revisions": ("findings", "List what the vendor changed after it was stored."),
        "verify": ("health", "Read every stored bar and find damage."),
    },
    "Use it": {
        "bars": ("reading", "Print or draw bars: a table on a terminal, CSV into a pipe."),
        "sql": ("asking", "Ask in SQL, over all that is stored."),
        "export": ("moving", "Write final bars to Parquet, CSV, Arrow or SQLite files."),
        "serve": ("serving", "Answer over HTTP, with a dashboard, beside whatever writes."),
        "import": ("moving", "Take in an exported folder, or a file of your own."),
        "mcp": ("mcp", "Serve the store to a language model, over standard input and output."),
    },
    "Keep it": {
        "backup": ("safekeeping", "Copy the store into one file, while others go on writing."),
        "restore": ("safekeeping", "Put such a copy back as the store."),
    },
    "Around it": {
        "doctor": ("health", "Check that key, store, calendar and vendor are as they should be."),
        "config": ("health", "Show the settings, and where each one comes from."),
        "sandbox": ("sandbox", "Run a server that speaks the vendor's API over a made-up market."),
    },
}
"""Every command by the heading it stands under: its module, and its line in the list."""

_WHERE = {name: place for group in COMMANDS.values() for name, place in group.items()}


class LazyGroup(click.Group):
    """Finds a command's module by the list above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the list."""
        del ctx
        return list(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in _WHERE:
            return None
        module = import_module(f"gapless.cli.{_WHERE[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing anything."""
        del ctx
        for heading, group in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, summary) for name, (_, summary) in group.items()])


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"gapless {version('gapless')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog='Shell completion: eval "$(_GAPLESS_COMPLETE=bash_source gapless)" (or zsh_source, fish_source).',
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """All the market bars you asked for, and a proof of which of them exist.

    \b
    gapless demo
    gapless backfill AAPL X:BTCUSD -t 5m,1d --start 2024-01-01
    gapless status
    """  # noqa: D301 - click's mark for lines that are not to be joined
