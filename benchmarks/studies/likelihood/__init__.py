"""When a likelihood pays: students of synthetic teachers, of whom the truth is known."""
