"""The forest plot: every study with its data, weight and interval, and the pooled result as a diamond under them."""

from __future__ import annotations

import os
from typing import Any

from balm.plots.figure import Figure
from balm.plots.forest_drawing import draw
from balm.plots.forest_layout import lay_out
from balm.plots.forest_options import read_options
from balm.plots.forest_reading import read_result


def forest(result: Any, path: str | os.PathLike[str] | None = None, **options: Any) -> Figure:
    """Draw a forest plot of ``result``; with ``path``, also save it (.svg, .png or .pdf by ending).

    result  : a pooled result (``pool``, ``mantel_haenszel``, ``peto``), subgroups, leave-one-out or cumulative results,
              a multilevel model with one mean (effects under their clusters), or effect sizes alone.
    options : see :class:`balm.plots.forest_options.ForestOptions`; the most used are ``title``, ``arms``, ``favours``,
              ``sort``, ``also``, ``columns``, ``extra``, ``reference``, ``limits``, ``risk_of_bias`` and ``palette``.

    Columns follow the data: events and totals, means and SDs, events and time, or effect and standard error. Squares
    have an area proportional to weight; an interval that leaves the axis ends in an arrow; a study that is not
    estimable keeps its row and its counts. Cochrane Handbook, section 10.2.
    """
    chosen = read_options(options)
    content = read_result(result, chosen)
    figure = draw(lay_out(content, chosen), content.title, content.description, chosen)
    if path is not None:
        figure.write(path)
    return figure
