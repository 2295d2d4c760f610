"""The commands. Each is a few lines over a module that works without it; exit codes 0 fine, 1 problems, 2 usage."""

# The order of import is the order of the help.
from faqbot.cli import serving, asking, keeping, automating, jobs  # isort: skip
from faqbot.cli.common import cli

__all__ = ["asking", "automating", "cli", "jobs", "keeping", "main", "serving"]


def main() -> None:
    cli()
