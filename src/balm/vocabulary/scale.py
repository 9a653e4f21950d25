"""The scale on which an effect is analysed, and the way back to the one people read."""

from __future__ import annotations

from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """``name`` of the analysis scale; ``ratio`` is True when the displayed value is a ratio with no effect at 1.

    ``null`` is the value of no effect on the displayed scale (``None`` where there is none, as for proportions).
    ``axis`` says how a plot spaces the displayed scale: "log", "linear".
    """

    name: str
    ratio: bool = False
    null: float | None = 0.0
    axis: str = "linear"


IDENTITY = Scale("identity")
LOG = Scale("log", ratio=True, null=1.0, axis="log")
LOG_SINGLE = Scale("log of a single-group value", null=None, axis="log")
LOG_PROPORTION = Scale("log of a proportion", null=None)
PROPORTION = Scale("proportion", null=None)
LOGIT = Scale("logit", null=None)
PROBIT = Scale("probit", null=None)
ARCSINE = Scale("arcsine square root", null=None)
FREEMAN_TUKEY = Scale("Freeman-Tukey double arcsine", null=None)
FISHER_Z = Scale("Fisher's z")
FISHER_Z_ROOT = Scale("Fisher's z of a multiple correlation", null=None)
SQUARE_ROOT = Scale("square root", null=None)
FREEMAN_TUKEY_RATE = Scale("Freeman-Tukey square root", null=None)
SUPERIORITY = Scale("probability of superiority", null=0.5)
ALPHA_CUBE_ROOT = Scale("cube root of one minus alpha", null=None)
ALPHA_LOG = Scale("minus log of one minus alpha", null=None)
SINGLE = Scale("identity, single group", null=None)
