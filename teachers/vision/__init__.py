"""Frozen encoders of images, one family per file."""
