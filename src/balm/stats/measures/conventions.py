"""How other programs make an effect size, each choice under its own name.

Profiles (:mod:`balm.stats.profiles`) take these rows in; here they stand alone so that effect sizes need no pooling.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from balm.stats.measures.measure import Measure

#: Where ``add`` may be added.
TO = ("only-zero", "all", "if-any-zero", "none")

#: What happens to the sizes of the groups when a study's risk ratio (or log proportion) is corrected for a zero cell.
#: "n+1": 0.5 to events and 1 to people (RevMan 5, and metafor, whose 0.5 in each of four cells is the same thing);
#: "n+0.5": 0.5 to events and 0.5 to people (R meta unless ``RR.Cochrane``).
RR_SINGLE_ZERO = ("n+1", "n+0.5")

#: What the correction of a zero cell changes in a study's risk difference (or plain proportion).
#: "cells": effect and variance (metafor); "variance": the variance only, the effect is that of the observed cells
#: (R meta; RevMan 5 as far as its published results show).
RD_SINGLE_ZERO = ("cells", "variance")

#: The measures that ``rr_single_zero`` and ``rd_single_zero`` speak of.
RELATIVE, ABSOLUTE = ("RR", "PLN"), ("RD", "PR")

_EXACT = {
    "add": 0.5,
    "to": "only-zero",
    "smd_correction": "exact",
    "smd_variance": "LS",
    "rr_single_zero": "n+1",
    "rd_single_zero": "cells",
    "peto_to": "only-zero",
    "rom_correction": "exact",
}

#: RevMan and R meta leave the cells of Peto's method as they are; it needs no correction.
_OBSERVED = {"rd_single_zero": "variance", "peto_to": "none"}
_REVMAN = _EXACT | _OBSERVED | {"smd_correction": "approximate", "smd_variance": "N-3.94"}

_META = _EXACT | _OBSERVED | {"smd_variance": "UB", "rr_single_zero": "n+0.5", "rom_correction": "none"}

#: Profile -> conventions of its effect sizes.  "N-3.94" is RevMan's variance of the SMD (Deeks & Higgins 2010,
#: section 8); R meta keeps the exact correction, with the unbiased variance (White & Thomas 2005).
CONVENTIONS = MappingProxyType(
    {
        "balm": MappingProxyType(_EXACT),
        "metafor": MappingProxyType(_EXACT),
        "stata": MappingProxyType(_EXACT),
        "revman5": MappingProxyType(_REVMAN),
        "revman-web": MappingProxyType(_REVMAN),
        "meta": MappingProxyType(_META),
    }
)

#: A profile's word, the option of ``effect_sizes`` that it sets, and the measures concerned.
OPTION_NAMES: tuple[tuple[str, str, Callable[[Measure], bool]], ...] = (
    ("add", "add", lambda m: m.zero_cells == "corrected"),
    ("to", "to", lambda m: m.zero_cells == "corrected"),
    ("peto_to", "to", lambda m: m.code == "PETO"),
    ("smd_correction", "small_sample", lambda m: m.code == "SMD"),
    ("smd_variance", "variance_type", lambda m: m.code == "SMD"),
    ("rom_correction", "small_sample", lambda m: m.code == "ROM"),
    ("rr_single_zero", "rr_single_zero", lambda m: m.code in RELATIVE),
    ("rd_single_zero", "rd_single_zero", lambda m: m.code in ABSOLUTE),
)
