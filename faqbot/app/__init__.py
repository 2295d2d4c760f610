"""Application: assembles the bot from all packages, and runs the use cases that span several of them."""
