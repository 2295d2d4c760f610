"""Handoff of questions to people as tickets: asking the owners, passing answers on, notifying others."""
