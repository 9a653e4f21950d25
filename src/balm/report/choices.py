"""Every choice of a synthesis in words, with the paper it comes from: what sentences, tables and methods read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """``short`` fits in a bracket; ``words`` stand in a sentence; ``cites`` are keys of the references."""

    short: str
    words: str
    cites: tuple[str, ...] = ()


MODELS = {
    "random": Choice("random effects", "a random-effects model"),
    "common": Choice("common effect", "a common-effect (fixed-effect) model"),
}

TAU2_ESTIMATORS = {
    "DL": Choice("DerSimonian-Laird", "the method of moments of DerSimonian and Laird", ("DerSimonian & Laird 1986",)),
    "HE": Choice("Hedges-Olkin", "the unweighted method of moments of Hedges and Olkin", ("Hedges & Olkin 1985",)),
    "HS": Choice("Hunter-Schmidt", "the Hunter-Schmidt estimator", ("Schmidt & Hunter 2015",)),
    "HSk": Choice(
        "Hunter-Schmidt, corrected",
        "the Hunter-Schmidt estimator with the small-sample correction k/(k-1)",
        ("Brannick et al. 2019",),
    ),
    "SJ": Choice("Sidik-Jonkman", "the Sidik-Jonkman estimator", ("Sidik & Jonkman 2005",)),
    "ML": Choice("ML", "maximum likelihood", ("Hardy & Thompson 1996",)),
    "REML": Choice("REML", "restricted maximum likelihood (REML)", ("Viechtbauer 2005",)),
    "EB": Choice("empirical Bayes", "the empirical Bayes estimator (the same value as Paule-Mandel)", ("Morris 1983",)),
    "PM": Choice("Paule-Mandel", "the Paule-Mandel estimator", ("Paule & Mandel 1982",)),
    "PMM": Choice("Paule-Mandel, median-unbiased", "the median-unbiased Paule-Mandel estimator", ("Viechtbauer 2021",)),
    "GENQ": Choice("generalised Q", "the generalised method of moments", ("DerSimonian & Kacker 2007",)),
}

INFERENCE = {
    "wald": Choice("Wald interval", "Wald's method with the normal distribution"),
    "hartung-knapp": Choice(
        "Hartung-Knapp interval", "the Hartung-Knapp method without a guard", ("Hartung & Knapp 2001",)
    ),
    "hartung-knapp-guarded": Choice(
        "Hartung-Knapp interval, never narrower than Wald's standard error allows",
        "the Hartung-Knapp method, its scale factor not allowed below 1",
        ("Hartung & Knapp 2001", "Röver et al. 2015"),
    ),
    "kenward-roger": Choice(
        "Kenward-Roger interval", "the Kenward-Roger method", ("Kenward & Roger 1997", "Partlett & Riley 2017")
    ),
    "profile-likelihood": Choice("profile-likelihood interval", "the profile likelihood", ("Hardy & Thompson 1996",)),
}

_OWN_ERROR = "the standard error of the chosen interval"
_WALD_ERROR = "Wald's standard error"
PREDICTION = {
    "t-k-1": Choice("t, k - 1 df", f"the t distribution with k - 1 degrees of freedom and {_OWN_ERROR}"),
    "t-k-2": Choice(
        "t, k - 2 df",
        f"the t distribution with k - 2 degrees of freedom and {_OWN_ERROR}",
        ("Higgins et al. 2009",),
    ),
    "normal": Choice("normal", f"the normal distribution and {_OWN_ERROR}"),
    "wald-t-k-1": Choice("t, k - 1 df", f"the t distribution with k - 1 degrees of freedom and {_WALD_ERROR}"),
    "wald-t-k-2": Choice(
        "t, k - 2 df",
        f"the t distribution with k - 2 degrees of freedom and {_WALD_ERROR}",
        ("Higgins et al. 2009",),
    ),
    "as-inference": Choice("as the interval", "the quantile and the standard error of the interval for the mean"),
}

METHODS = {
    "inverse-variance": Choice("inverse variance", "inverse-variance weights"),
    "mantel-haenszel": Choice("Mantel-Haenszel", "the Mantel-Haenszel method", ("Mantel & Haenszel 1959",)),
    "peto": Choice("Peto", "Peto's one-step method", ("Yusuf et al. 1985",)),
}

#: The variance of the Mantel-Haenszel estimate, by measure; the risk difference has two (``mh_rd_variance``).
MANTEL_HAENSZEL_VARIANCE = {
    "OR": ("Robins et al. 1986",),
    "RR": ("Greenland & Robins 1985",),
    "IRR": ("Greenland & Robins 1985",),
    "sato": ("Sato 1989",),
    "greenland-robins": ("Greenland & Robins 1985",),
}

I2 = {
    "from-tau2": Choice(
        "from τ²", "computed from τ² and the typical within-study variance", ("Higgins & Thompson 2002",)
    ),
    "from-q": Choice("from Q", "computed from Q and its degrees of freedom", ("Higgins & Thompson 2002",)),
}

TAU2_INTERVAL = {
    "q-profile": Choice("Q-profile", "the Q-profile method", ("Viechtbauer 2007",)),
    "profile-likelihood": Choice("profile likelihood", "the profile likelihood", ("Hardy & Thompson 1996",)),
    "generalised-q": Choice("generalised Q", "the generalised Q statistic", ("Jackson 2013",)),
}

#: ``{add}`` is the number added to the cells.
ZERO_CELLS = {
    "only-zero": "{add} was added to every cell of the studies with a zero cell, and only of those",
    "all": "{add} was added to every cell of every study",
    "if-any-zero": "{add} was added to every cell of every study, since at least one study had a zero cell",
    "none": "nothing was added to zero cells",
}

DOUBLE_ZERO = {
    "exclude": "studies without events (or with events only) in both arms were not pooled",
    "keep": "studies without events in both arms were kept with the correction",
}
