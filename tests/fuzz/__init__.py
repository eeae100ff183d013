"""Fuzzing: every input ends in rows with reasons, or in a `MolkdError`; none crashes or hangs.

`make fuzz` runs it for long, `tests/fuzz/test_fuzz.py` for seconds. An input is drawn by plain
seeded generation as a recipe, a JSON object from which a target makes the input again: the same
seed, target and number give the same recipe in any process, and what failed can be kept and run
again. Neither hypothesis (which keeps a database and shrinks, at a hundred inputs per second) nor
atheris (whose coverage does not reach RDKit, pyarrow and torch) serves millions of them.
"""
