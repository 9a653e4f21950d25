"""``balm.network``: all treatments of a body of trials compared with each other at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from balm.stats.distributions import norm_isf, norm_sf, t_isf
from balm.stats.frame import frame
from balm.stats.measures import MEASURES
from balm.stats.network import designs as by_designs
from balm.stats.network.arms import COUNTS, read_arms
from balm.stats.network.connection import check_connected
from balm.stats.network.contrasts import Contrasts, Floats, read_contrasts
from balm.stats.network.contributions import METHODS, Contributions, along_random_walks, along_shortest_paths
from balm.stats.network.evidence_flow import EvidenceFlow, evidence_flow
from balm.stats.network.hat import all_pairs, edges_of, hat_matrix, shares_of_studies
from balm.stats.network.net_heat import NetHeat, net_heat
from balm.stats.network.ranking import p_scores, rank_chances
from balm.stats.network.rows import rows_of
from balm.stats.network.solved import Solved
from balm.stats.network.splitting import Split, split
from balm.stats.network.tau2 import COVARIANCES, ESTIMATORS, Solutions, Tau2, estimate
from balm.stats.network.transitivity import Transitivity, transitivity
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import check_option, refuse
from balm.vocabulary.quick_dataclass import dataclass

MODELS = ("random", "common")
BETTER = ("lower", "higher")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One treatment against another, on the analysis scale; ``p`` of no difference, two-sided."""

    treatment: str
    against: str
    estimate: float
    se: float
    interval: Interval
    p: float
    prediction: Interval


@dataclass(frozen=True, eq=False)
class Network:
    """A fitted network.

    treatments : (n,) names.       studies : the labels.      measure : its code; effects are on its analysis scale.
    effect, se : (n, n) row minus column, under ``model``.    common, random : both solutions.
    q          : total Q of the common-effect model with df and p, I2 in per cent with its interval.
    left_out   : studies without any event (or non-event), which say nothing about a ratio.
    """

    contrasts: Contrasts
    measure: str
    model: str
    reference: str
    better: str
    level: float
    tau2: Tau2
    common: Solved
    random: Solved
    q: by_designs.QTest
    left_out: tuple[str, ...] = ()

    @property
    def treatments(self) -> tuple[str, ...]:
        """Names, sorted."""
        return self.contrasts.treatments

    @property
    def k(self) -> int:
        """The number of studies."""
        return self.contrasts.k

    @property
    def notes(self) -> tuple[str, ...]:
        """What the data cannot say about heterogeneity; empty where they say something."""
        if self.q.df > 1:
            return ()
        if self.q.df == 1:
            return ("heterogeneity and inconsistency rest on one degree of freedom, which says hardly anything",)
        same = "; random effects are the common ones" if self._tau2_unknown else ""
        return (f"neither heterogeneity nor inconsistency can be estimated: no evidence is left over (df = 0){same}",)

    @property
    def _tau2_unknown(self) -> bool:
        return self.q.df == 0 and self.tau2.estimator in ESTIMATORS

    @property
    def fitted(self) -> Solved:
        """The solution of the model in force."""
        return self.random if self.model == "random" else self.common

    @property
    def effect(self) -> Floats:
        """(n, n): row minus column."""
        return self.fitted.effect

    @property
    def se(self) -> Floats:
        """(n, n) standard errors."""
        return np.sqrt(self.fitted.variance)

    @property
    def i2(self) -> float:
        """I2 from Q, in per cent; nan without degrees of freedom."""
        if self.q.df == 0:
            return math.nan
        return max(0.0, 100.0 * (self.q.q - self.q.df) / self.q.q) if self.q.q > 0.0 else 0.0

    @property
    def i2_interval(self) -> Interval:
        """The test-based interval of Higgins & Thompson (2002) Stat Med 21:1539."""
        q, df = self.q.q, self.q.df
        if df < 2 or q <= 0.0:
            return Interval(math.nan, math.nan, self.level)
        if q > df + 1:
            se = 0.5 * (math.log(q) - math.log(df)) / (math.sqrt(2.0 * q) - math.sqrt(2.0 * df - 1.0))
        else:
            se = math.sqrt(1.0 / (2.0 * (df - 1)) * (1.0 - 1.0 / (3.0 * (df - 1) ** 2)))
        h = max(0.5 * math.log(q / df), 0.0)
        z = norm_isf((1.0 - self.level) / 2.0)
        ends = [max(0.0, 100.0 * (1.0 - math.exp(-2.0 * x))) for x in (h - z * se, h + z * se)]
        return Interval(ends[0], ends[1], self.level)

    def compare(self, treatment: str, against: str | None = None) -> Comparison:
        """One comparison; against the reference by default."""
        against = self.reference if against is None else against
        i = self.treatments.index(check_option("treatment", treatment, self.treatments))
        j = self.treatments.index(check_option("against", against, self.treatments))
        if i == j:
            refuse(f"treatment and against are both {treatment!r}; name two treatments")
        solved = self.fitted
        effect = float(solved.theta[i] - solved.theta[j])
        d = solved.inverse
        variance = float(d[i, i] + d[j, j] - 2.0 * d[i, j])
        se = math.sqrt(variance)
        tail = (1.0 - self.level) / 2.0
        z = norm_isf(tail)
        spread = math.nan
        if self.model == "random" and self.q.df > 0:
            spread = t_isf(tail, self.q.df) * math.sqrt(variance + self.tau2.value)
        return Comparison(
            treatment,
            against,
            effect,
            se,
            Interval(effect - z * se, effect + z * se, self.level),
            2.0 * norm_sf(abs(effect) / se),
            Interval(effect - spread, effect + spread, self.level),
        )

    @property
    def p_scores(self) -> Floats:
        """(n,) P-scores, the expectation of SUCRA."""
        return p_scores(self.effect, self.fitted.variance, self.better == "lower")

    def rank_chances(self, *, draws: int = 100_000, seed: int = 1) -> Floats:
        """(n, n): probability of each treatment (rows) for each rank (best first), simulated under a seed."""
        return rank_chances(self.fitted, self.better == "lower", draws, seed)

    def sucra(self, *, draws: int = 100_000, seed: int = 1) -> Floats:
        """(n,) surface under the cumulative ranking curve, from :meth:`rank_chances`."""
        chances = self.rank_chances(draws=draws, seed=seed)
        return np.asarray(chances.cumsum(axis=1)[:, :-1].mean(axis=1))

    def split(self) -> tuple[Split, ...]:
        """Direct and indirect evidence of every comparison, and their difference."""
        return split(self.contrasts, self.fitted, self.tau2.value if self.model == "random" else 0.0)

    def by_design(self) -> by_designs.Designs:
        """Q within and between designs, the design-by-treatment test, designs detached one at a time."""
        return by_designs.by_design(self.contrasts)

    def hat_matrix(self) -> dict[str, Any]:
        """``rows`` (every comparison), ``columns`` (direct comparisons) and ``values``: what each carries of each."""
        rows = rows_of(self.contrasts, self._tau2_used)
        edges = edges_of(rows, self.fitted)
        pairs = all_pairs(len(self.treatments))
        return {
            "rows": [self._pair(i, j) for i, j in zip(*pairs, strict=True)],
            "columns": [self._pair(i, j) for i, j in zip(edges.first, edges.second, strict=True)],
            "values": hat_matrix(self.fitted, edges, pairs),
        }

    def contributions(self, method: str = "shortest-path", *, against: str | None = None) -> Contributions:
        """What each direct comparison contributes to each estimate, and each study.

        method  : "shortest-path" or "random-walk" (:mod:`balm.stats.network.contributions`).
        against : only the estimates against this treatment; all by default.

        >>> fit = network(study=["1", "2", "3"], treatment_1=["A", "A", "B"], treatment_2=["B", "C", "C"],
        ...               effect=[-1.0, -2.0, -0.7], se=[0.3, 0.3, 0.3], model="common")
        >>> {name: round(share, 3) for name, share in fit.contributions().of("A", "B").items()}
        {'A:B': 0.667, 'A:C': 0.167, 'B:C': 0.167}
        """
        check_option("method", method, METHODS)
        n = len(self.treatments)
        pairs = all_pairs(n)
        if against is not None:
            place = self.treatments.index(check_option("against", against, self.treatments))
            keep = (pairs[0] == place) | (pairs[1] == place)
            pairs = pairs[0][keep], pairs[1][keep]
        rows = rows_of(self.contrasts, self._tau2_used)
        edges = edges_of(rows, self.fitted)
        along = along_shortest_paths if method == "shortest-path" else along_random_walks
        ends = edges.first, edges.second
        flows = zip(hat_matrix(self.fitted, edges, pairs), *pairs, strict=True)
        values = np.array([along(flow, ends, n, int(i), int(j)) for flow, i, j in flows])
        return Contributions(
            method,
            tuple(self._pair(i, j) for i, j in zip(*pairs, strict=True)),
            tuple(self._pair(i, j) for i, j in zip(*ends, strict=True)),
            tuple((self.treatments[i], self.treatments[j]) for i, j in zip(*ends, strict=True)),
            values,
            self.contrasts.studies,
            values @ shares_of_studies(rows, self.fitted, edges, self.k),
        )

    def weights_by_study(self) -> Floats:
        """(direct comparisons, studies): each study's share of the weight, in the order of contributions."""
        rows = rows_of(self.contrasts, self._tau2_used)
        return shares_of_studies(rows, self.fitted, edges_of(rows, self.fitted), self.k)

    def evidence_flow(self) -> tuple[EvidenceFlow, ...]:
        """How direct each estimate is, how long its paths are, and how many run side by side."""
        rows = rows_of(self.contrasts, self._tau2_used)
        pairs = all_pairs(len(self.treatments))
        return evidence_flow(self.contrasts, rows, self.fitted, pairs, self._tau2_used)

    def net_heat(self, *, tau2: float | str = 0.0) -> NetHeat:
        """Which designs disagree with the network, and which of them explain it; drawn by :mod:`balm.plots.net_heat`.

        tau2 : 0, as in the paper (common effects); "within" takes the heterogeneity within designs into the weights,
               so that only what is left between designs shows; or a number.
        """
        if isinstance(tau2, str):
            check_option("tau2", tau2, ("within",))
            return net_heat(self.contrasts, self.by_design().tau2_within)
        if not (math.isfinite(tau2) and tau2 >= 0.0):
            refuse(f"tau2 must be a number of 0 or more, or 'within'; got {tau2!r}")
        return net_heat(self.contrasts, float(tau2))

    def transitivity(self, characteristics: Mapping[str, Sequence[object]], *, study: Sequence[object]) -> Transitivity:
        """The studies' characteristics by direct comparison, as ``{"age": [...]}`` with the study of each value.

        Numbers are summed up by median and range, words by their numbers of studies; a study may stand in several rows
        (its arms) with one and the same value. Drawn by :mod:`balm.plots.transitivity`.
        """
        return transitivity(self.contrasts, characteristics, study)

    def league_table(self, *, decimals: int = 2) -> list[list[str]]:
        """Treatments on the diagonal, best first; the cell of a row and a column is row against column."""
        order = np.argsort(-self.p_scores, kind="stable").tolist()
        names = [self.treatments[i] for i in order]
        return [[a if a == b else self._cell(a, b, decimals) for b in names] for a in names]

    def to_frame(self) -> Any:
        """Every comparison as a table: pandas where it is installed, else a dict of columns."""
        found: dict[str, list[Any]] = {
            name: []
            for name in ("treatment", "against", "estimate", "se", "ci_low", "ci_high", "p", "pi_low", "pi_high")
        }
        names = self.treatments
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                one = self.compare(a, b)
                row = (a, b, one.estimate, one.se, *one.interval, one.p, *one.prediction)
                for column, value in zip(found.values(), row, strict=True):
                    column.append(value)
        return frame(found)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values; what is not estimable is ``None``."""
        scores = self.p_scores.tolist()
        return {
            "measure": self.measure,
            "model": self.model,
            "studies": self.k,
            "treatments": list(self.treatments),
            "reference": self.reference,
            "level": self.level,
            "tau2": None if self._tau2_unknown else self.tau2.value,
            "tau2_estimator": self.tau2.estimator,
            "tau2_residual": self.tau2.residual,
            "q": {"value": self.q.q, "df": self.q.df, "p": _known(self.q.p)},
            "i2": _known(self.i2),
            "notes": list(self.notes),
            "left_out": list(self.left_out),
            "better": self.better,
            "p_scores": dict(zip(self.treatments, scores, strict=True)),
            "comparisons": [self._values(a, b) for a in self.treatments for b in self.treatments if a != b],
        }

    def __repr__(self) -> str:
        """The result against the reference, and heterogeneity."""
        ratio = self._ratio
        studies = "1 study" if self.k == 1 else f"{self.k} studies"
        head = f"Network: {studies}, {len(self.treatments)} treatments, {MEASURES[self.measure].name}"
        head += f", {self.model} effects" + (f" ({self.tau2.estimator})" if self.model == "random" else "")
        width = max(len(t) for t in self.treatments)
        lines = [head, f"{'against ' + self.reference:<{width + 8}}  {'estimate':>9}  {'interval':>18}  P-score"]
        score = dict(zip(self.treatments, self.p_scores.tolist(), strict=True))
        for name in sorted(self.treatments, key=lambda t: -score[t]):
            if name == self.reference:
                lines.append(f"{name:<{width + 8}}  {'-':>9}  {'':>18}  {score[name]:.3f}")
                continue
            one = self.compare(name)
            shown = [math.exp(x) if ratio else x for x in (one.estimate, *one.interval)]
            lines.append(
                f"{name:<{width + 8}}  {shown[0]:>9.3f}  {f'{shown[1]:.3f} to {shown[2]:.3f}':>18}  {score[name]:.3f}"
            )
        if self.q.df:
            q = f"Q = {self.q.q:.2f}, df = {self.q.df}, P = {self.q.p:.3g}"
            lines.append(f"tau2 = {self.tau2.value:.4g}; {q}; I2 = {self.i2:.1f}%")
        lines += self.notes
        if self.left_out:
            lines.append(f"left out, no events (or only events) in any arm: {', '.join(self.left_out)}")
        return "\n".join(lines)

    @property
    def _ratio(self) -> bool:
        scale = MEASURES[self.measure].scale
        return bool(scale and scale.ratio)

    @property
    def _tau2_used(self) -> float:
        return self.tau2.value if self.model == "random" else 0.0

    def _pair(self, i: int, j: int) -> str:
        return f"{self.treatments[i]}:{self.treatments[j]}"

    def _cell(self, a: str, b: str, decimals: int) -> str:
        one = self.compare(a, b)
        x, low, high = (math.exp(v) if self._ratio else v for v in (one.estimate, *one.interval))
        return f"{x:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"

    def _values(self, a: str, b: str) -> dict[str, Any]:
        one = self.compare(a, b)
        return {
            "treatment": a,
            "against": b,
            "estimate": one.estimate,
            "se": one.se,
            "interval": list(one.interval),
            "p": one.p,
            "prediction_interval": [_known(x) for x in one.prediction],
        }


def _known(x: float) -> float | None:
    return x if math.isfinite(x) else None


def network(
    measure: str = "GEN",
    *,
    data: Any = None,
    study: Any = "study",
    treatment_1: Any = None,
    treatment_2: Any = None,
    effect: Any = None,
    se: Any = None,
    variance: Any = None,
    treatment: Any = None,
    events: Any = None,
    n: Any = None,
    mean: Any = None,
    sd: Any = None,
    time: Any = None,
    add: float = 0.5,
    counts: str = "whole",
    model: str = "random",
    tau2: str | float = "REML",
    multi_arm_covariance: str = "exact",
    reference: str | None = None,
    better: str = "lower",
    level: float = 0.95,
) -> Network:
    """Network meta-analysis: every treatment against every other from direct and indirect evidence together.

    Give contrasts (``treatment_1, treatment_2, effect`` and ``se`` or ``variance``; the effect is treatment_1 minus
    treatment_2 on the analysis scale; a study of p arms brings all its p(p - 1)/2 contrasts), or arms (``treatment``
    with ``events, n`` for OR, RR, RD; ``mean, sd, n`` for MD, ROM; ``events, time`` for IRR), one row each.

    counts    : of arms: "whole", or "fractional" to accept effective sample sizes (clusters).
    model     : "random" (one tau2 for all contrasts, half of it shared within a study) or "common".
    tau2      : "REML", "ML", "DL", or a number.
    multi_arm_covariance : "exact"; "ignored" leaves the sampling covariance of multi-arm studies out of the likelihood
                of tau2 (REML and ML), which is what other software reports when it is given contrasts.
    reference : the treatment others are shown against; the first in sorted order by default.
    better    : "lower" or "higher" effects are better, for the ranking.

    Prediction intervals are t with the degrees of freedom of Q. A disconnected network is an error naming its parts.
    Ruecker (2012) Res Synth Methods 3:312; Ruecker & Schwarzer (2014) Stat Med 33:4353.

    >>> fit = network(study=["1", "2", "3"], treatment_1=["A", "A", "B"], treatment_2=["B", "C", "C"],
    ...               effect=[-1.0, -2.0, -0.7], se=[0.3, 0.4, 0.3], tau2="DL")
    >>> fit.compare("A", "C").estimate.__round__(3)
    -1.859
    """
    check_option("measure", measure, list(MEASURES))
    check_option("model", model, MODELS)
    check_option("better", better, BETTER)
    check_option("multi_arm_covariance", multi_arm_covariance, COVARIANCES)
    if not (isinstance(level, (int, float)) and 0.0 < level < 1.0):
        refuse(f"level must lie between 0 and 1, as 0.95; got {level!r}")
    if isinstance(tau2, str):
        check_option("tau2", tau2, list(ESTIMATORS))
    elif not (math.isfinite(tau2) and tau2 >= 0.0):
        refuse(f"tau2 must be a number of 0 or more, or one of {list(ESTIMATORS)}; got {tau2!r}")
    if not (math.isfinite(add) and add >= 0.0):
        refuse(f"add must be a number of 0 or more; got {add!r}")
    by_arm = {"events": events, "n": n, "mean": mean, "sd": sd, "time": time}
    by_contrast = {"treatment_1": treatment_1, "treatment_2": treatment_2, "effect": effect}
    by_contrast |= {"se": se, "variance": variance}
    left_out: tuple[str, ...] = ()
    if treatment is not None:
        both = [name for name, value in by_contrast.items() if value is not None]
        if both:
            refuse(f"give arms (treatment) or contrasts, not both; {', '.join(both)} belongs to contrasts")
        contrasts, left_out = read_arms(
            measure, data=data, study=study, treatment=treatment, add=add, columns=by_arm, counts=counts
        )
    else:
        extra = [name for name, value in by_arm.items() if value is not None]
        if counts != "whole":
            check_option("counts", counts, COUNTS)
            refuse(f"counts={counts!r} applies to arms; contrasts have none")
        if extra:
            refuse(f"{', '.join(extra)} describes arms: name the column of treatments with treatment=")
        contrasts = read_contrasts(data=data, study=study, **by_contrast)
    check_connected(contrasts)
    if reference is None:
        reference = contrasts.treatments[0]
    check_option("reference", reference, contrasts.treatments)
    solutions = Solutions(contrasts)
    rows, common = solutions.rows, solutions.common
    if not isinstance(tau2, str):
        found = Tau2(float(tau2), "given", 0.0)
    elif model == "common":
        found = Tau2(0.0, "none", 0.0)
    else:
        found = estimate(solutions, tau2, multi_arm_covariance, contrasts.treatments.index(reference))
    random = solutions.at(found.value)[1]
    q = by_designs.q_test(common.q, len(rows.value) - rows.n + 1)
    return Network(contrasts, measure, model, reference, better, float(level), found, common, random, q, left_out)
