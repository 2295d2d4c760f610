"""`python -m faqbot` is the same as the `faqbot` command."""

from faqbot.cli import main

if __name__ == "__main__":
    main()
