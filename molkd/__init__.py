"""molkd distils many frozen molecular encoders into one small, fast student, without labels."""

__version__ = "0.1.0"
