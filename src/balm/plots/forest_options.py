"""What a caller may choose about a forest plot, checked as a whole before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from balm.plots.svg import FONT_FAMILY
from balm.vocabulary.problems import InputError, check_option, unknown_option
from balm.vocabulary.quick_dataclass import dataclass

PALETTES = ("colour", "greyscale")
COLUMNS = ("data", "weight", "effect")
SORTS = ("effect", "weight")
ALIGNMENTS = ("left", "centre", "right")


@dataclass(eq=False, repr=False)
class ForestOptions:
    """Every option of :func:`balm.plots.forest.forest`; values are on the displayed scale (a risk ratio).

    title            : heading above the figure, and its short text alternative.
    arms             : names of arm 1 and arm 2, over their data columns.
    favours          : labels under the axis, left and right: ``("Favours ketamine", "Favours placebo")``.
    better           : "lower" or "higher": which direction is a benefit; makes ``favours`` from ``arms``.
    columns          : which of "data", "weight", "effect" to show, in that order.
    extra            : further columns after the study: heading -> values in study order, or study -> value.
    sort             : None (as given), "effect", "weight", or a function of a study's label.
    also             : further pooled results of the same studies, each with its own diamond, lines and weights.
    labels           : names of the pooled results when there are several, ``result`` first.
    overall          : False hides the overall result of subgroups, or the total.
    prediction       : None draws the interval of the overall result where it has one; True those of subgroups too.
    effects          : all the effect sizes given to the analysis, so that studies left out of it keep their counts.
    heterogeneity    : False hides the lines about heterogeneity and tests.
    heterogeneity_interval : a method of ``heterogeneity_interval`` ("q-profile", ...) adds intervals of tau² and I².
    null_line        : False hides the line of no effect.
    pooled_line      : True draws a dashed line at the pooled estimate.
    reference        : a value, or (value, label), or several of these: lines such as a minimal important difference.
    limits, ticks    : of the axis; by default from the data, with far interval ends clipped to arrows.
    digits           : decimals of effects; by default two, more where intervals are narrower than that.
    level            : coverage of the studies' own intervals; by default that of the result.
    effect_name      : heading of the effect column instead of the measure's name.
    ratio            : True when a generic effect is a log ratio, to show it as a ratio.
    study_heading    : heading of the first column.
    description      : the long text alternative, where the one made from the result does not fit its rows.
    width            : of the whole figure in pixels; by default as wide as its columns and a plot of 240 need.
    label_width      : of the study column at most, in pixels; longer names take further lines.
    label_lines      : lines a study's name may take; what does not fit ends in an ellipsis and shows whole on hovering.
    align            : column -> "left", "centre" or "right" (the default), for "data", "weight", "effect" or the
                       heading of an extra column.
    row_height       : in pixels; by default 1.6 times the font size.
    font_family      : a family with the widths of Helvetica keeps columns exactly aligned.
    font_size        : in pixels.
    palette          : "colour" or "greyscale"; colour never carries meaning alone.
    study_link       : study -> address, or a function of the label, to make study names links.
    total_link       : address of the pooled result, to make its name a link.
    risk_of_bias     : study -> judgements, one a domain ("low", "some concerns", "high", "unclear", ...).
    bias_domains     : names of the domains, for the key under the figure.
    """

    title: str | None = None
    arms: tuple[str, str] = ("Intervention", "Control")
    favours: tuple[str, str] | None = None
    better: str | None = None
    columns: Sequence[str] = COLUMNS
    extra: Mapping[str, Any] | None = None
    sort: str | Callable[[str], Any] | None = None
    also: Sequence[Any] = ()
    labels: Sequence[str] | None = None
    overall: bool = True
    prediction: bool | None = None
    effects: Any = None
    heterogeneity: bool = True
    heterogeneity_interval: str | None = None
    null_line: bool = True
    pooled_line: bool = False
    reference: Any = None
    limits: tuple[float, float] | None = None
    ticks: Sequence[float] | None = None
    digits: int | None = None
    level: float | None = None
    effect_name: str | None = None
    ratio: bool | None = None
    study_heading: str = "Study"
    description: str | None = None
    width: float | None = None
    label_width: float | None = None
    label_lines: int = 2
    align: Mapping[str, str] | None = None
    row_height: float | None = None
    font_family: str = FONT_FAMILY
    font_size: float = 12.0
    palette: str = "colour"
    study_link: Mapping[str, str] | Callable[[str], str | None] | None = None
    total_link: str | None = None
    risk_of_bias: Mapping[str, Any] | None = None
    bias_domains: Sequence[str] | None = None

    @property
    def favours_labels(self) -> tuple[str, str] | None:
        """The labels under the axis: those given, or made from the direction of benefit."""
        if self.favours is not None or self.better is None:
            return self.favours
        first, second = (f"Favours {arm}" for arm in self.arms)
        return (first, second) if self.better == "lower" else (second, first)

    @property
    def references(self) -> list[tuple[float, str]]:
        """The reference lines as (value, label)."""
        given = self.reference
        if given is None:
            return []
        if isinstance(given, (int, float)):
            return [(float(given), "")]
        if len(given) == 2 and isinstance(given[1], str):
            return [(float(given[0]), given[1])]
        return [(float(one), "") if isinstance(one, (int, float)) else (float(one[0]), one[1]) for one in given]


_NAMES = ForestOptions.__match_args__


def read_options(given: Mapping[str, Any]) -> ForestOptions:
    """The options, checked; a name or value that is not known is an error that lists those that are."""
    return _read(given) if given else _USUAL


def _read(given: Mapping[str, Any]) -> ForestOptions:
    for name in given:
        if name not in _NAMES:
            raise unknown_option("forest option", name, _NAMES)
    options = ForestOptions(**given)
    check_option("palette", options.palette, PALETTES)
    if options.better is not None:
        check_option("better", options.better, ("lower", "higher"))
    if isinstance(options.sort, str):
        check_option("sort", options.sort, SORTS)
    if isinstance(options.columns, str):
        options.columns = (options.columns,)
    for column in options.columns:
        check_option("columns", column, COLUMNS)
    for name in ("arms", "favours", "limits"):
        value = getattr(options, name)
        if value is not None and (isinstance(value, str) or len(value) != 2):
            raise InputError(f"{name} must be a pair; got {value!r}")
    if options.digits is not None and not (isinstance(options.digits, int) and 0 <= options.digits <= 10):
        raise InputError(f"digits must be a whole number from 0 to 10; got {options.digits!r}")
    if options.level is not None and not 0 < options.level < 1:
        raise InputError(f"level must lie between 0 and 1, as 0.95; got {options.level!r}")
    if not (isinstance(options.label_lines, int) and 1 <= options.label_lines <= 9):
        raise InputError(f"label_lines must be a whole number from 1 to 9; got {options.label_lines!r}")
    for column, side in (options.align or {}).items():
        check_option("align", column, (*COLUMNS, *map(str, options.extra or ())))
        check_option(f"align of {column}", side, ALIGNMENTS)
    for name in ("width", "label_width", "row_height", "font_size"):
        value = getattr(options, name)
        if value is not None and not (isfinite(value) and value > 0):
            raise InputError(f"{name} must be a number of pixels above 0; got {value!r}")
    if not isinstance(options.also, (list, tuple)):
        options.also = (options.also,)
    return options


_USUAL = _read({})
