"""Vectors of questions and wordings: the built-in encoder or an endpoint, and the vectors kept in the store."""
