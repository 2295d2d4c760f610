"""Pasted documents, tables and chats into proposed entries."""
