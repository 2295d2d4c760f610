"""Proposes entries from pasted documents, tables and chats."""
