"""The command line: parse, call one function of the library, render."""


def main() -> None:
    """Run `gapless`."""
    from gapless.cli.root import cli

    cli()
