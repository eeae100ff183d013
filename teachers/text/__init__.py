"""Frozen encoders of texts, one family per file."""
