"""Molecules as items: read by RDKit, standardised, and turned into graphs without torch."""
