"""The LFK index and the Doi plot's coordinates: how lopsided the effects lie around the study in their middle.

Furuya-Kanamori L, Barendregt JJ, Doi SAR. Int J Evid Based Healthc 2018;16:195-203. Why not to rest on it: Schwarzer G,
Rücker G, Semaca C. Res Synth Methods 2024;15:603-15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import norm_ppf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.studies import check_enough, check_varies, studies_of
from balm.vocabulary.presenters import presenter

SOURCE = "Furuya-Kanamori L, Barendregt JJ, Doi SAR. Int J Evid Based Healthc 2018;16:195-203"
#: "Participants" given to the study with the largest variance; the others have more in inverse proportion.
LEAST_SIZE = 100.0
#: The authors' bounds of minor and major asymmetry; they are no test, and have no level.
MINOR, MAJOR = 1.0, 2.0
ADVICE = (
    "The bounds 1 and 2 are no test: in simulations without bias, asymmetry was found in 0 to almost 30% of "
    "meta-analyses, depending on the number and size of the studies and on heterogeneity (Schwarzer, Rücker & Semaca "
    "2024). balm.small_study_test has a level."
)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class LfkIndex:
    """The index and what it is made of; arrays are in the order of the studies.

    index      : 0 when both limbs of the Doi plot are alike; positive with more or farther studies to the right.
    asymmetry  : "no", "minor" (beyond 1) or "major" (beyond 2): the authors' words.
    size       : (k,) pseudo sample sizes, ``100 max(v) / v``.
    percentile : (k,) where the middle of each study lies among all of these participants, ordered by effect.
    z          : (k,) its normal quantile; the Doi plot shows ``|z|``.
    centre     : index of the study with the smallest ``|z|``, the tip of the plot.
    """

    index: float
    size: Floats
    percentile: Floats
    z: Floats
    centre: int
    effects: EffectSizes
    advice: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.effects)

    @property
    def asymmetry(self) -> str:
        """ "no", "minor" or "major", by the authors' bounds."""
        return "no" if abs(self.index) <= MINOR else "minor" if abs(self.index) <= MAJOR else "major"

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        return f"LFK index {self.index:.2f} ({self.k} studies): {self.asymmetry} asymmetry by its authors' bounds."

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The Doi plot: ``|z|`` against the effects, the tip at the top."""
        return presenter("doi_plot")(self, path, **options)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "lfk_index": self.index,
            "asymmetry": self.asymmetry,
            "centre": self.effects.study[self.centre],
            "size": self.size.tolist(),
            "percentile": self.percentile.tolist(),
            "z": self.z.tolist(),
            "source": SOURCE,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row a study, as a pandas DataFrame (a dict of columns without pandas)."""
        es = self.effects
        columns = {"size": self.size.copy(), "percentile": self.percentile.copy(), "z": self.z.copy()}
        return frame({"study": list(es.study), "effect": es.effect.copy(), "se": es.se, **columns})

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice), SOURCE])


def lfk_index(fit: Pooled | EffectSizes) -> LfkIndex:
    """The LFK index of asymmetry of the Doi plot.

    Each study gets a pseudo sample size ``n = 100 max(v) / v``. In the order of the effects (``y``), the middle of
    study i stands at ``c_i = n_1 + ... + n_(i-1) + n_i / 2``; its percentile is ``(c_i - 1/2) / sum(n)`` and ``z_i``
    the normal quantile of that. With ``y_c`` the effect at the smallest ``|z|`` and both brought to one range,

        LFK = 5 / (2k) * sum(z_i + (y_i - y_c) * (max z - min z) / (max y - min y)).

    Studies of the same effect are taken in the order given. The index was put forward as one that does not depend on
    the number of studies; it does, and on their size and heterogeneity, so that its bounds reject at unknown and mostly
    wrong levels (Schwarzer et al. 2024). It is here so that published values can be recomputed; to test for small-study
    effects use :func:`balm.small_study_test`.

    Needs three studies, and effects that are not all the same. R's ``metasens::lfkindex`` computes the same.

    >>> es = EffectSizes(effect=[-4.27, -1.71, -0.58, -0.19, 0.0], variance=[0.158, 0.076, 0.018, 0.022, 0.04])
    >>> found = lfk_index(es)
    >>> round(found.index, 3), found.asymmetry
    (-3.31, 'major')
    """
    es = studies_of(fit, "lfk_index")
    check_enough(len(es), "lfk_index", force=True)  # its bounds are no test that more studies would make right
    check_varies(es.effect, "the effect", "lfk_index")
    order = np.argsort(es.effect, kind="stable")
    size = LEAST_SIZE * float(es.variance.max()) / es.variance
    before = np.cumsum(size[order]) - size[order]
    percentile = np.empty(len(es))
    percentile[order] = (before + 0.5 * size[order] - 0.5) / float(size.sum())
    z = np.array([norm_ppf(share) for share in percentile.tolist()])
    centre = int(order[np.argmin(np.abs(z[order]))])
    drawn_in = float(np.ptp(z)) / float(np.ptp(es.effect))
    index = 2.5 * float(np.mean(z + drawn_in * (es.effect - es.effect[centre])))
    return LfkIndex(index=index, size=size, percentile=percentile, z=z, centre=centre, effects=es, advice=(ADVICE,))
