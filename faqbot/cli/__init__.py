"""The commands. Each is a few lines over a module that works without it; exit codes 0 fine, 1 problems, 2 usage."""

import io
import sys

# The order of import is the order of the help.
from faqbot.cli import service, questions, knowledge, send, jobs  # isort: skip
from faqbot.cli.common import cli

__all__ = ["cli", "jobs", "knowledge", "main", "questions", "send", "service"]


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A console or a file in GBK has no 😀 and no ✓; a ? in their place is better than no answer.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    cli()
