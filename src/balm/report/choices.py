"""Every choice of a synthesis in words, with the works it rests on.

Names and titles are those of the tables in :mod:`balm.stats`; this file adds what a sentence needs around them.
"""

from __future__ import annotations

import re

from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.vocabulary.numbers import short
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """``short`` fits in a bracket; ``words`` stand in a sentence; ``cites`` are keys of the references."""

    short: str
    words: str
    cites: tuple[str, ...] = ()

    @property
    def cited(self) -> str:
        """The words with their references in brackets."""
        return f"{self.words} ({'; '.join(self.cites)})" if self.cites else self.words


MODELS = {
    "random": Choice("random effects", "a random-effects model"),
    "common": Choice("common effect", "a common-effect (fixed-effect) model"),
    "ivhet": Choice(
        "common-effect weights, random-effects variance",
        "common-effect weights with a variance that allows for heterogeneity (IVhet)",
        ("Doi et al. 2015",),
    ),
}

METHODS = {
    "inverse-variance": Choice("inverse variance", "inverse-variance weights"),
    "mantel-haenszel": Choice("Mantel-Haenszel", "the Mantel-Haenszel method", ("Mantel & Haenszel 1959",)),
    "peto": Choice("Peto", "Peto's one-step method", ("Yusuf et al. 1985",)),
    "glmm-fixed": Choice(
        "generalised linear mixed model",
        "a generalised linear mixed model of the counts with a level of its own for each study",
        ("Turner et al. 2000", "Stijnen et al. 2010"),
    ),
    "glmm-random": Choice(
        "generalised linear mixed model, random study levels",
        "a generalised linear mixed model of the counts with random study levels",
        ("Turner et al. 2000", "Stijnen et al. 2010"),
    ),
    "glmm-conditional": Choice(
        "conditional generalised linear mixed model",
        "a generalised linear mixed model of the counts given the events of each study",
        ("Stijnen et al. 2010",),
    ),
    "glmm-conditional-approximate": Choice(
        "approximate conditional generalised linear mixed model",
        "a generalised linear mixed model of the counts given the events of each study, with the binomial likelihood "
        "for rare events",
        ("Stijnen et al. 2010",),
    ),
    "glmm-one-group": Choice(
        "generalised linear mixed model", "a generalised linear mixed model of the counts", ("Stijnen et al. 2010",)
    ),
    "beta-binomial": Choice("beta-binomial", "a beta-binomial model of the groups' counts", ("Kuss 2015",)),
    "firth": Choice(
        "penalised likelihood",
        "Firth's penalised likelihood with a level of its own for each study",
        ("Firth 1993", "Heinze & Schemper 2002"),
    ),
}

_INFERENCE_CITES = {
    "hartung-knapp": ("Hartung & Knapp 2001",),
    "hartung-knapp-guarded": ("Hartung & Knapp 2001", "Röver et al. 2015"),
    "hartung-knapp-wider": ("Hartung & Knapp 2001",),
    "hartung-knapp-iqwig": ("Hartung & Knapp 2001",),
    "kenward-roger": ("Kenward & Roger 1997", "Partlett & Riley 2017"),
    "profile-likelihood": ("Hardy & Thompson 1996",),
    "henmi-copas": ("Henmi & Copas 2010",),
}

_PREDICTION_CITES = {
    "wald-t-k-2": ("Higgins et al. 2009",),
    "hartung-knapp-t-k-2": ("Partlett & Riley 2017",),
    "kenward-roger-df-1": ("Partlett & Riley 2017",),
    "confidence-distribution": ("Nagashima et al. 2019",),
}

#: The variance of the Mantel-Haenszel estimate: by measure, and for the risk difference by ``mh_rd_variance``.
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
    "test-based": Choice("test-based", "the test-based method", ("Higgins & Thompson 2002",)),
    "wald": Choice("Wald", "Wald's method for τ²"),
    "wald-log": Choice("Wald, log scale", "Wald's method for log τ²"),
    "wald-sqrt": Choice("Wald, square-root scale", "Wald's method for τ"),
}

#: ``{add}`` is the number added to the cells.
ZERO_CELLS = {
    "only-zero": "{add} was added to every cell of the studies with a zero cell, and only of those",
    "all": "{add} was added to every cell of every study",
    "if-any-zero": "{add} was added to every cell of every study as soon as one study had a zero cell",
    "none": "nothing was added to zero cells",
}

#: Variance types of a measure that the field calls by a name; the others keep their letters.
VARIANCES = {"LS": "large-sample variance", "UB": "unbiased variance"}

#: What a correction does to group sizes and to a risk difference, by convention; ``{twice}`` is two of ``{add}``.
SINGLE_ZERO = {
    "rr_single_zero": {
        "n+1": "in those studies each group grew by {twice}",
        "n+0.5": "in those studies each group grew by {add}",
    },
    "rd_single_zero": {
        "cells": "the correction enters the {name} and its variance",
        "variance": "the correction enters the variance only, not the {name}",
    },
}

DOUBLE_ZERO = {
    "exclude": "studies without events (or with events only) in both arms were not pooled",
    "keep": "studies without events (or with events only) in both arms were kept",
}


def tau2_choice(tau2: object) -> Choice:
    """The estimator of the between-study variance, or the value that the caller fixed."""
    if isinstance(tau2, str):
        row = TAU2_ESTIMATORS[tau2]
        known = tau2 if tau2 in ("ML", "REML") else row.title
        words = f"{row.title}, {tau2}" if tau2 in ("ML", "REML") else f"the {row.title} estimator"
        author_year = row.source.split(",")[0]
        return Choice(known, words, (author_year,) if author_year[-4:].isdigit() else ())
    if isinstance(tau2, int | float):
        return Choice(f"τ² set to {short(float(tau2))}", short(float(tau2)))
    return Choice("", "")


def inference_choice(name: object) -> Choice:
    """The interval for the mean."""
    row = INFERENCES[str(name)]
    method, qualifier = re.fullmatch(r"(.*?)((?:,| with ).*)?", row.title).groups(default="")
    guarded = "guarded " if row.error == "guarded" else ""
    return Choice(
        method if method.endswith("interval") else f"{guarded}{method} interval",
        row.title if row.title.startswith("the ") else f"the {method} method{qualifier}",
        _INFERENCE_CITES.get(row.name, ()),
    )


def prediction_choice(name: object) -> Choice:
    """The prediction interval."""
    row = PREDICTIONS[str(name)]
    where = "" if row.error != "in-force" or row.df == "in-force" else ", and the standard error of the mean's interval"
    return Choice(row.title, f"{row.title}{where}", _PREDICTION_CITES.get(row.name, ()))
