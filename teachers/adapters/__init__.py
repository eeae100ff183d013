"""Featurizers of other libraries as teachers."""
