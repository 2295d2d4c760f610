"""Makes `python -m faqbot` the same as the `faqbot` command."""

from faqbot.cli import main

if __name__ == "__main__":
    main()
