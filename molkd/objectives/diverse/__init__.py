"""DiverseDistill: teachers answer queries of the student."""
