"""The `faqbot` command. Exit codes: 0 all is well, 1 problems were found, 2 wrong usage or the command cannot run."""

import io
import sys

# The commands appear in the help in the order in which their modules are imported.
from faqbot.cli import service, questions, knowledge, send, jobs  # isort: skip
from faqbot.cli.common import cli

__all__ = ["cli", "jobs", "knowledge", "main", "questions", "send", "service"]


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A terminal or a file in GBK has no 😀 and no ✓: print a ? in their place instead of failing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    cli()
