"""Colours and marks of the reports, in a light and a dark scheme.

Figures are drawn in the light colours; in the page every one of them becomes a variable of its
style sheet, so that one drawing serves both schemes. Tokens therefore have distinct values.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#f6f5f1",
    "card": "#fffffe",
    "ink": "#1b2430",
    "muted": "#566273",
    "line": "#d9dde2",
    "faint": "#eceef1",
    "student": "#c43d10",
    "teacher": "#1f5fa9",
    "baseline": "#646d79",
    "link": "#155a8a",
}
"""Token -> colour on light ground; "student", "teacher" and "baseline" are the roles."""

DARK: Mapping[str, str] = {
    "page": "#10141a",
    "card": "#181e26",
    "ink": "#e8ebef",
    "muted": "#a3aebb",
    "line": "#38414d",
    "faint": "#262e38",
    "student": "#ff8f66",
    "teacher": "#82b6f2",
    "baseline": "#a5aebb",
    "link": "#8cc3ee",
}
"""Token -> colour on dark ground."""

SHAPES: Mapping[str, str] = {"student": "o", "teacher": "D", "baseline": "s"}
"""Role -> marker, so that colour is never the only sign."""
