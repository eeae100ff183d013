"""Texts as items: read, and turned into tokens without torch."""
