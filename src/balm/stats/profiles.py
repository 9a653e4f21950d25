"""Profiles: named sets of conventions, so that two programs' defaults can be laid side by side.

Each column of the table in ``docs/reference`` is a mapping here; each row is an option of its own that the caller may
set explicitly, which wins over the profile. Rows about a single study's effect come from
:data:`balm.stats.measures.conventions.CONVENTIONS`.

>>> PROFILES["revman5"]["tau2"], PROFILES["balm"]["inference"]
('DL', 'hartung-knapp-guarded')
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from balm.stats.measures.conventions import CONVENTIONS
from balm.vocabulary.problems import check_option

#: The rows about pooling.
#:
#: tau2, inference, prediction : as the arguments of :func:`balm.pool`; "as-inference": the interval's own quantile, SE.
#: i2             : "from-tau2" (Higgins & Thompson's typical variance) or "from-q".
#: tau2_interval  : the interval that heterogeneity is reported with; "none" where the program gives none.
#: double_zero    : a study without events (or only with events) in both arms: "exclude" from OR and RR, or "keep".
#: mh_zero_cells  : "none" pools the raw cells; "add" uses the corrected cells in Mantel-Haenszel sums of ratios.
#: mh_rd_zero_cells : the same for differences: "none"; "add-to-weights" and "add-to-variance" keep the differences as
#:                  observed, and correct the weights and the variance, or the variance alone.
#: mh_rd_variance : "sato" (Sato 1989) or "greenland-robins" (Greenland & Robins 1985).
#: mh_drop_double_zero : studies without events in both arms leave Mantel-Haenszel's Q although they are pooled.
#: mh_random_q    : "mantel-haenszel" takes Q around the Mantel-Haenszel estimate ("M-H, Random"); or "none".
_POOLING: dict[str, dict[str, Any]] = {
    "balm": {
        "tau2": "REML",
        "inference": "hartung-knapp-guarded",
        "prediction": "t-k-1",
        "i2": "from-tau2",
        "tau2_interval": "q-profile",
        "double_zero": "exclude",
        "mh_zero_cells": "none",
        "mh_rd_zero_cells": "none",
        "mh_rd_variance": "sato",
        "mh_drop_double_zero": False,
        "mh_random_q": "mantel-haenszel",
    },
    # Deeks & Higgins (2010), "Statistical algorithms in Review Manager 5".
    "revman5": {
        "tau2": "DL",
        "inference": "wald",
        "prediction": "none",
        "i2": "from-q",
        "tau2_interval": "none",
        "double_zero": "exclude",
        "mh_zero_cells": "add",
        "mh_rd_zero_cells": "add-to-variance",
        "mh_rd_variance": "greenland-robins",
        "mh_drop_double_zero": False,
        "mh_random_q": "mantel-haenszel",
    },
    # Cochrane Methods, "Random-effects meta-analysis methods for Intervention Reviews" (2022 to 2025).
    "revman-web": {
        "tau2": "REML",
        "inference": "hartung-knapp",
        "prediction": "wald-t-k-1",
        "i2": "from-tau2",
        "tau2_interval": "q-profile",
        "double_zero": "exclude",
        "mh_zero_cells": "add",
        "mh_rd_zero_cells": "add-to-variance",
        "mh_rd_variance": "greenland-robins",
        "mh_drop_double_zero": False,
        "mh_random_q": "mantel-haenszel",
    },
    "metafor": {
        "tau2": "REML",
        "inference": "wald",
        "prediction": "as-inference",
        "i2": "from-tau2",
        "tau2_interval": "q-profile",
        "double_zero": "keep",
        "mh_zero_cells": "none",
        "mh_rd_zero_cells": "none",
        "mh_rd_variance": "sato",
        "mh_drop_double_zero": True,
        "mh_random_q": "none",
    },
    "meta": {
        "tau2": "REML",
        "inference": "wald",
        "prediction": "wald-t-k-1",
        "i2": "from-q",
        "tau2_interval": "q-profile",
        "double_zero": "exclude",
        "mh_zero_cells": "add",
        "mh_rd_zero_cells": "add-to-weights",
        "mh_rd_variance": "greenland-robins",
        "mh_drop_double_zero": False,
        "mh_random_q": "mantel-haenszel",
    },
    "stata": {
        "tau2": "REML",
        "inference": "wald",
        "prediction": "wald-t-k-2",
        "i2": "from-tau2",
        "tau2_interval": "none",
        "double_zero": "keep",
        "mh_zero_cells": "add",
        "mh_rd_zero_cells": "none",
        "mh_rd_variance": "greenland-robins",
        "mh_drop_double_zero": False,
        "mh_random_q": "none",
    },
}

#: Rows taken from documentation only and not yet checked against the program's own files.
UNVERIFIED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "revman-web": ("inference", "prediction", "mh_zero_cells"),
        "stata": ("double_zero", "mh_rd_variance"),
    }
)

#: Every convention of every profile; frozen.
PROFILES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {name: MappingProxyType({**CONVENTIONS[name], **rows}) for name, rows in _POOLING.items()}
)

#: The profile in force when none is named.
DEFAULT = "balm"

#: Ratio measures of two groups, for which a study without events in both arms says nothing.
NO_INFORMATION_WITHOUT_EVENTS = frozenset({"OR", "RR"})


def conventions_of(profile: str | None) -> Mapping[str, Any]:
    """The conventions of ``profile`` (``None``: the default), or an error that lists the profiles.

    >>> conventions_of(None)["tau2"]
    'REML'
    """
    return PROFILES[DEFAULT if profile is None else check_option("profile", profile, list(PROFILES))]
