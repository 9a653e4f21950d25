"""The sign of a risk-of-bias judgement, which its colour repeats: those of Cochrane's figures.

Apart from the figures that use it, because a forest plot on the command line loads nothing that it can do without.
"""

from __future__ import annotations

#: Judgement -> its sign. A judgement that was not made has none.
SIGNS = {
    "low": "+",
    "yes": "+",
    "some concerns": "?",
    "unclear": "?",
    "moderate": "?",
    "high": "−",
    "no": "−",
    "serious": "−",
    "very high": "!",
    "critical": "!",
    "no information": "NI",
    "not applicable": "NA",
}
