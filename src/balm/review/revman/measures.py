"""RevMan's words for measures, methods and types of data -> our codes."""

from __future__ import annotations

import re

from balm.review.revman.model import CONTINUOUS, DICHOTOMOUS, GENERIC, O_E, OTHER

_MEASURES = {
    "odds ratio": "OR",
    "or": "OR",
    "peto odds ratio": "PETO_OR",
    "peto or": "PETO_OR",
    "risk ratio": "RR",
    "rr": "RR",
    "risk difference": "RD",
    "rd": "RD",
    "mean difference": "MD",
    "md": "MD",
    "wmd": "MD",
    "std mean difference": "SMD",
    "standardized mean difference": "SMD",
    "standardised mean difference": "SMD",
    "smd": "SMD",
}
_TYPES = {
    "dic": DICHOTOMOUS,
    "dichotomous": DICHOTOMOUS,
    "con": CONTINUOUS,
    "continuous": CONTINUOUS,
    "iv": GENERIC,
    "giv": GENERIC,
    "generic inverse variance": GENERIC,
    "contrast level": GENERIC,
    "contrast": GENERIC,
    "ipd": O_E,
    "o e": O_E,
    "o e and variance": O_E,
    "oev": O_E,
    "oth": OTHER,
    "other": OTHER,
    "other data": OTHER,
}


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^0-9a-z]+", " ", text.lower()).split())


def measure_code(text: str) -> str:
    """Our code of a measure as RevMan prints it; the text itself when it has none (hazard ratio, say)."""
    return _MEASURES.get(_plain(text), text.strip())


def type_of(text: str) -> str:
    """The kind of outcome behind RevMan's word or abbreviation."""
    return _TYPES.get(_plain(text), OTHER)


def method_code(text: str) -> str:
    """MH, IV, PETO or EXP_O_E_VAR."""
    plain = _plain(text)
    if "peto" in plain:
        return "PETO"
    if plain.startswith("exp"):
        return "EXP_O_E_VAR"
    return "MH" if plain in ("mh", "m h") or "mantel" in plain else "IV"


def is_ratio_name(text: str) -> bool:
    """Whether a measure of generic inverse-variance data is a ratio, by its name."""
    return bool(re.search(r"\bratios?\b|\b(hr|or|rr|irr|rom)\b", text.lower()))
