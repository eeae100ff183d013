"""Frozen encoders of molecules, one family per file, by name."""

if __name__ != "molkd.teachers":
    raise ImportError("import molkd.teachers, not teachers")
