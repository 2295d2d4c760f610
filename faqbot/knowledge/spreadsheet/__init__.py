"""Exports the knowledge as .xlsx and .csv tables and imports them again."""
