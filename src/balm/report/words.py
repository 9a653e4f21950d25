"""Results in words: what ``fit.sentence()``, ``fit.methods()`` and the shown value of a result ask for.

Each function takes any result: a pooled fit, subgroups, leave-one-out or cumulative fits, and multilevel or
cluster-robust fits.
"""

from __future__ import annotations

from typing import Any

from balm.report import methods_text, result_sentence, result_table
from balm.report.methods_text import references, versions
from balm.stats.pooling.pooled import Pooled

__all__ = ["html", "methods", "references", "sentence", "text", "versions"]


def sentence(fit: Any, *, minus: str = "-") -> str:
    """The result in one to a few sentences that take no side.

    ``minus`` is the sign of negative numbers: the hyphen, which every terminal and spreadsheet reads, or
    :data:`balm.vocabulary.numbers.MINUS` for print.
    """
    if isinstance(fit, Pooled):
        return result_sentence.sentence(fit, minus=minus)
    if hasattr(fit, "beta"):
        return _dependent().sentence(fit, minus=minus)
    return _several().sentence(fit, minus=minus)


def methods(fit: Any) -> str:
    """The methods paragraph: every choice in force with its reference, and the software."""
    if isinstance(fit, Pooled):
        return methods_text.methods(fit)
    if hasattr(fit, "beta"):
        return _dependent().methods(fit)
    return _several().methods(fit)


def text(fit: Any, *, most_rows: int | None = result_table.MOST_ROWS, advice: bool = True) -> str:
    """The result as a table in fixed-width text; long tables are folded to ``most_rows`` (``None``: never).

    ``advice`` False leaves out the lines that :func:`sentence` says as well.
    """
    if isinstance(fit, Pooled):
        return result_table.text(fit, most_rows=most_rows, advice=advice)
    if hasattr(fit, "beta"):
        return _dependent().text(fit)
    return _several().text(fit, most_rows=most_rows)


def html(fit: Any) -> str:
    """The result as an HTML table for notebooks, without style sheet or script."""
    if isinstance(fit, Pooled):
        return result_table.html(fit)
    if hasattr(fit, "beta"):
        return _dependent().html(fit)
    return _several().html(fit)


def _several() -> Any:
    """The words of subgroups and series of fits, imported with them."""
    from balm.report import several_fits

    return several_fits


def _dependent() -> Any:
    """The words of multilevel models, imported with them."""
    from balm.report import dependent_effects

    return dependent_effects
