"""One door to the tests for small-study effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.small_study import regression_test as lines
from balm.stats.small_study import two_by_two_tests as tables
from balm.stats.small_study.beside_moderators import beside_moderators
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.rank_test import rank_test
from balm.stats.small_study.studies import check_enough, studies_of
from balm.vocabulary.problems import InputError, check_level, check_option

if TYPE_CHECKING:
    from balm.stats.multilevel.fitted import Multilevel


@dataclass(frozen=True, slots=True)
class Method:
    """A test: its name, the options it takes beyond the common ones, and what it is for."""

    name: str
    options: tuple[str, ...]
    use: str


#: Which suits which measure: Cochrane Handbook, 13.3.5.3; Sterne et al. (2011), BMJ 343:d4002.
METHODS = {
    "egger": Method("Egger's test", ("predictor", "sample_size"), "mean differences; most measures"),
    "random-effects": Method(
        "the regression test", ("predictor", "sample_size", "tau2", "inference"), "most measures, with heterogeneity"
    ),
    "thompson-sharp": Method("Thompson and Sharp's test", ("tau2",), "most measures, with heterogeneity"),
    "begg": Method("Begg's test", (), "any measure; low power"),
    "harbord": Method("Harbord's test", (), "odds ratios"),
    "peters": Method("Peters' test", (), "odds ratios"),
    "deeks": Method("Deeks' test", (), "diagnostic odds ratios"),
    "macaskill": Method("Macaskill's test", ("sample_size",), "any measure with sample sizes"),
    "schwarzer": Method("Schwarzer's test", (), "odds ratios of rare events"),
    "pustejovsky": Method("Pustejovsky and Rodgers' test", (), "standardised mean differences"),
}

#: Options that only some of the tests take.
_OWN = ("predictor", "sample_size", "tau2", "inference")


def small_study_test(
    fit: Pooled | EffectSizes | MetaRegression | Multilevel,
    method: str = "egger",
    *,
    predictor: str | None = None,
    sample_size: Any = None,
    tau2: str | float | None = None,
    inference: str | None = None,
    level: float = 0.95,
    force: bool = False,
    cluster: Any = None,
) -> SmallStudyTest:
    """Test whether small studies show other effects than large ones (funnel asymmetry).

    fit         : a result of :func:`balm.pool`, or effect sizes. Studies that carry no information are left out.
                  A result of :func:`balm.meta_regression`: the predictor stands beside its moderators, "egger" and
                  "random-effects" only.
    method      : a row of :data:`METHODS`. "egger" is weighted least squares with multiplicative error,
                  "random-effects" a meta-regression under the model, estimator and inference of ``fit``.
    predictor   : "egger" and "random-effects" only: "se" (default), "variance", "sample-size", "inverse-sample-size",
                  "sqrt-sample-size" or "inverse-sqrt-sample-size".
    sample_size : (k,) participants of each study, where the effects came without raw numbers.
    tau2        : "random-effects" and "thompson-sharp": another estimator than that of ``fit``, or a value.
    inference   : "random-effects" only: another one than that of ``fit``.
    level       : coverage of the intervals of slope, intercept and limit estimate.
    force       : compute it with three to nine studies too. Without it fewer than ten are refused, because such a
                  test cannot tell chance from real asymmetry (Cochrane Handbook, 13.3.5.3).
    cluster     : several effects a study: labels (k,), or "study" for the labels of the effects. "egger",
                  "random-effects" (three levels) and "pustejovsky" then take standard errors that allow for any
                  dependence within clusters (CR2, Satterthwaite; Rodgers & Pustejovsky 2021), see
                  :mod:`balm.stats.small_study.clustered`. A result of :func:`balm.multilevel` keeps its random effects.

    Asymmetry is not publication bias: small studies may differ in quality, in patients or by chance (Sterne et al.
    2011, BMJ 343:d4002). Harbord, Peters, Deeks and Schwarzer need the 2x2 tables behind the effects (``es.raw``),
    Pustejovsky the two group sizes.

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.35, 0.6, 0.8], variance=[0.01, 0.02, 0.03, 0.05, 0.09])
    >>> found = small_study_test(es, force=True)
    >>> round(found.slope, 3), round(found.p, 3)
    (3.659, 0.001)
    """
    row = METHODS[check_option("method", method, list(METHODS))]
    given: dict[str, Any] = {"predictor": predictor, "sample_size": sample_size, "tau2": tau2, "inference": inference}
    for option in _OWN:
        if given[option] is not None and option not in row.options:
            takers = " or ".join(repr(name) for name, other in METHODS.items() if option in other.options)
            raise InputError(f"{option}= does not apply to method={method!r}; it belongs to {takers}")
    check_level(level)
    if isinstance(fit, MetaRegression):
        if cluster is not None:
            raise InputError(
                "cluster= does not apply to a result of balm.meta_regression: fit the moderators and the predictor "
                "with balm.multilevel, and test the predictor with balm.robust"
            )
        return beside_moderators(fit, method, **given, level=level, force=force)
    if cluster is not None or not isinstance(fit, (Pooled, EffectSizes)):
        from balm.stats.small_study.clustered import clustered_test

        return clustered_test(fit, method, **given, level=level, force=force, cluster=cluster)
    if method == "begg":
        return rank_test(fit, force=force, level=level)
    es = studies_of(fit, row.name)
    advice = check_enough(len(es), row.name, force=force)
    along = predictor or "se"
    if method == "egger":
        return lines.egger(es, predictor=along, sample_size=sample_size, level=level, advice=advice)
    if method == "random-effects":
        return lines.additive(
            fit,
            es,
            predictor=along,
            sample_size=sample_size,
            tau2=tau2,
            inference=inference,
            level=level,
            advice=advice,
        )
    if method == "thompson-sharp":
        return lines.thompson_sharp(fit, es, tau2=tau2, level=level, advice=advice)
    if method == "macaskill":
        return lines.macaskill(es, sample_size=sample_size, level=level, advice=advice)
    plain = {
        "pustejovsky": lines.pustejovsky,
        "harbord": tables.harbord,
        "peters": tables.peters,
        "deeks": tables.deeks,
        "schwarzer": tables.schwarzer,
    }
    return plain[method](es, level=level, advice=advice)
