"""A package: else one of site-packages called tests, as rxnmapper brings, would hide it."""
