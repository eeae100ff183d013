"""Studies of the method, with synthetic teachers."""
