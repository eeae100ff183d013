"""Histograms as SVG, to stand in a page as they are."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

_WIDTH, _HEIGHT, _FOOT = 240, 80, 16
_BARS = 30


def svg(name: str, values: npt.NDArray[np.float64]) -> str:
    """Returns an SVG element; an empty text where there are no values.

    The range is that of the middle 99 %; values beyond stand in the outermost bars.

    Args:
        name: what is counted.
        values: shape (n,); NaN is left out.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return ""
    low, high = np.percentile(values, [0.5, 99.5])
    whole = bool((values == np.rint(values)).all())
    if whole:
        low, high = np.floor(low) - 0.5, np.ceil(high) + 0.5
        bars = int(min(high - low, _BARS))
    else:
        bars = _BARS if high > low else 1
    counts, edges = np.histogram(values.clip(low, high), bins=bars, range=(low, max(high, low)))
    wide, most = _WIDTH / bars, max(int(counts.max()), 1)
    rects = "".join(
        f'<rect x="{place * wide:.1f}" y="{_HEIGHT - count / most * _HEIGHT:.1f}" '
        f'width="{max(wide - 1, 0.5):.1f}" height="{count / most * _HEIGHT:.1f}"/>'
        for place, count in enumerate(counts.tolist())
        if count
    )
    first, last = (edges[0] + 0.5, edges[-1] - 0.5) if whole else (edges[0], edges[-1])
    median = float(np.median(values))
    words = f"{name}: median {median:.4g}, 99 % from {first:.4g} to {last:.4g}"
    at = f'y="{_HEIGHT + _FOOT - 3}" class="tick"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}" '
        f'class="histogram" role="img" aria-label="{escape(words)}">{rects}'
        f'<text x="0" {at}>{first:.4g}</text>'
        f'<text x="{_WIDTH}" text-anchor="end" {at}>{last:.4g}</text></svg>'
    )
