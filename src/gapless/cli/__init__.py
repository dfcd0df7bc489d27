"""The command line: parse, call one function of the library, render."""

import sys


def main() -> None:
    """Run `gapless`."""
    from gapless.cli.errors import run
    from gapless.cli.root import cli

    sys.exit(run(cli, sys.argv[1:]))
