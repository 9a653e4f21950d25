"""The words that claims are made of: each has a kind of one letter, so that a pattern is an expression over kinds.

========  ==========================================  ========  ==========================================
``n``     a number                                    ``%``     per cent
``u``     a unit of dose                              ``T``     a unit of time
``M``     a named measure (RR, mean difference)       ``d``     a word for one (reduction, prevalence, mean)
``C``     confidence interval                         ``g``     another range (IQR, prediction interval)
``P``     p value                                     ``q``     the p value of something else (trend)
``I``     heterogeneity (I², Q)                       ``e``     standard error or deviation
``=``     a relation                                  ``±``     plus or minus
``N``     people                                      ``S``     studies
``E``     the letter n                                ``v``     versus
``t``     to                                          ``f``     from, between
``a``     and                                         ``o``     of
``L``     was, is, were                               ``-``     a dash that is not a sign
``(``     any opening bracket                         ``)``     any closing bracket
``w``     any other word                              ``.``     the end of a sentence
========  ==========================================  ========  ==========================================
"""

# ruff: noqa: E501 - the table of words, which reads worse cut into pieces

from __future__ import annotations

import re

#: Measure -> its names; the first word of a row is the code.
MEASURE_NAMES: dict[str, tuple[str, ...]] = {
    "MD": (
        "md", "wmd", "mean difference", "weighted mean difference", "mean differences", "difference in means",
        "difference between means", "weighted mean differences", "mean between-group difference",
        "mean group difference", "between-group difference", "between-group differences", "least squares mean difference", "ls mean difference",
        "lsmd", "lsm difference", "adjusted mean difference", "amd", "treatment difference", "mean treatment difference",
        "estimated difference", "estimated treatment difference", "etd", "mean change difference", "placebo-adjusted difference",
        "mittlere differenz", "mittelwertdifferenz", "différence moyenne", "difference moyenne", "différence de moyennes", "diferencia media", "diferencia de medias", "differenza media",
    ),
    "SMD": (
        "smd", "smds", "standardized mean difference", "standardised mean difference", "standardized mean differences",
        "standardised mean differences", "hedges g", "hedges' g", "hedge's g", "hedges's g", "cohen's d", "cohens d", "cohen d", "effect size", "standardized effect size", "standardised effect size", "standardized difference", "standardised difference",
    ),
    "RR": (
        "rr", "rrs", "arr.", "risk ratio", "risk ratios", "relative risk", "relative risks", "arr-ratio", "relative risk estimate", "risk-ratio", "srr", "summary relative risk", "relative risk ratio", "prr", "risque relatif", "rapport de risques", "riesgo relativo", "razón de riesgos", "relatives risiko", "rischio relativo",
    ),
    "OR": (
        "or", "ors", "odds ratio", "odds ratios", "aor", "aors", "adjor", "odds-ratio", "ajor", "mor", "peto or", "adjusted or", "crude or", "times the odds", "times odds", "relative odds", "rapport de cotes", "razón de momios", "razón de posibilidades", "chancenverhältnis",
    ),
    "HR": (
        "hr", "hrs.", "ahr", "shr", "hazard ratio", "hazard ratios", "hazards ratio", "hazards ratios", "relative hazard", "relative hazards", "relative hazard rate", "hazard rate ratio", "subdistribution hazard ratio",
    ),
    "RD": (
        "rd", "ard", "arr", "risk difference", "risk differences", "absolute risk difference", "absolute risk reduction", "absolute difference", "difference in proportions",
        "rate difference", "difference in risk", "percentage point difference", "risk-difference",
    ),
    "IRR": ("irr", "irrs", "airr", "incidence rate ratio", "incidence rate ratios", "rate ratio", "rate ratios", "incident rate ratio", "incident rate ratios", "incidence density ratio"),
    "ROM": ("rom", "ratio of means", "response ratio", "geometric mean ratio", "gmr", "ratio of geometric means", "fold change", "fold-change", "mean ratio", "log response ratio ratio"),
    "PR": ("prevalence ratio", "prevalence ratios", "aprr", "apr."),
    "SMR": ("smr", "standardized mortality ratio", "standardised mortality ratio", "standardized incidence ratio", "standardised incidence ratio", "sir."),
    "DOR": ("dor", "diagnostic odds ratio"),
    "LR": ("likelihood ratio", "positive likelihood ratio", "negative likelihood ratio", "plr", "nlr"),
    "COR": ("correlation coefficient", "correlation", "pearson correlation", "pearson's correlation coefficient", "spearman correlation", "pearson's r", "spearman's rho", "correlated"),
    "B": ("beta", "β", "regression coefficient", "coefficient", "slope", "beta coefficient", "β coefficient", "unstandardized coefficient", "adjusted coefficient"),
    "RRR": ("rrr", "relative risk reduction", "vaccine efficacy", "vaccine effectiveness", "protective efficacy", "risk reduction"),
    "NNT": ("nnt", "nnts", "nnh", "nnth", "nntb", "number needed to treat", "number needed to harm", "numbers needed to treat"),
    "AUC": ("auc", "auroc", "c-statistic", "c statistic", "c-index", "area under the curve", "area under the receiver operating characteristic curve", "area under the receiver operator characteristic curve", "area under the receiver operator curve", "area under the roc curve", "area under the roc", "receiver operating characteristic area", "receiver operator characteristic area", "roc area"),
    "KAPPA": ("kappa", "icc", "κ", "intraclass correlation coefficient"),
}  # fmt: skip

#: Words that say what a number is without naming a measure: word -> (measure, is it a difference from none?).
LOOSE_NAMES: dict[str, tuple[str, ...]] = {
    "difference": (
        "difference", "differences", "differed", "reduction", "reductions", "reduced", "decrease", "decreased", "decreases", "increase",
        "increased", "increases", "improvement", "improved", "change", "changes", "changed", "decline", "declined",
        "lower", "higher", "fewer", "greater", "less", "more", "gain", "fell", "rose", "reducing", "increasing", "shorter", "longer", "excess", "effect",
    ),
    "mean": ("mean", "average", "means", "score", "scores"),
    "median": ("median", "medians"),
    "proportion": (
        "prevalence", "proportion", "proportions", "incidence", "rate", "rates", "percentage", "survival", "sensitivity",
        "specificity", "mortality", "probability", "accuracy", "frequency", "response", "responders", "event", "coverage", "risk",
    ),
}  # fmt: skip

_OTHERS: dict[str, tuple[str, ...]] = {
    "C": (
        "ci", "cis", "c.i.", "confidence interval", "confidence intervals", "confidence limits", "confidence limit", "conf int",
        "cl", "cls", "confidence range", "confidence bounds", "intervalle de confiance", "intervalo de confianza", "konfidenzintervall", "ki", "ic", "ic à", "ic a", "ic de", "ic del", "ic al", "intervalle de confiance à", "intervalle de confiance de", "intervalo de confianza del", "intervalo de confianza de",
        "cri", "crl", "credible interval", "credible intervals", "credibility interval", "bci", "hdi", "eti", "cr i", "posterior interval",
    ),
    "g": (
        "iqr", "range", "ranges", "ranging", "ranged", "interquartile range", "inter-quartile range", "inter quartile range", "interquartile", "quartiles", "quartile",
        "prediction interval", "prediction intervals", "predictive interval", "pi", "min-max", "percentile", "percentiles", "limits of agreement", "loa", "reference range", "reference interval", "age", "aged", "ages", "acceptance range", "equivalence range", "tertile", "quintile", "quantile",
    ),
    "P": ("p", "p value", "p-value", "p values", "p-values", "pvalue", "p's", "p val", "p level", "probability value", "significance level"),
    "q": (
        "ptrend", "p-trend", "p trend", "p for trend", "p-for-trend", "pinteraction", "p-interaction", "p interaction", "p for interaction", "p value for interaction", "p-value for interaction", "p values for interaction", "p value for trend", "p-value for trend", "p value for heterogeneity", "p-value for heterogeneity", "p value for noninferiority", "p value for non-inferiority", "p value for equivalence", "p for equivalence", "pint", "p-int", "p_interaction", "p_trend", "p_int",
        "pheterogeneity", "p-heterogeneity", "p heterogeneity", "p for heterogeneity", "phet", "p-het", "p_het", "p_heterogeneity", "pq", "p for nonlinearity", "p for non-linearity", "p for difference between subgroups", "p for subgroup difference", "p for subgroup differences", "p for bias", "pegger",
        "trend p", "interaction p", "p for egger's test", "p for noninferiority", "p for non-inferiority", "pnoninferiority", "p for superiority", "pnonlinearity", "p-nonlinearity", "pdifference",
    ),
    "I": (
        "i2", "i²", "i^2", "i 2", "i-squared", "i square", "i-square", "i squared", "chi2", "chi²", "chi^2", "χ2", "χ²", "chi-squared", "chi-square", "chi square", "tau2", "tau²", "τ2", "τ²", "tau-squared", "tau", "τ", "χ",
        "heterogeneity", "heterogeneous", "cochran's q", "cochran q", "q statistic", "inconsistency", "egger", "egger's", "begg's", "q",
    ),
    "e": ("sd", "sds", "s.d.", "standard deviation", "standard deviations", "se", "ses", "s.e.", "sem", "s.e.m.", "standard error", "standard errors", "standard error of the mean"),
    "N": (
        "patients", "patient", "participants", "participant", "subjects", "subject", "people", "persons", "adults", "children", "women", "men", "individuals", "volunteers",
        "infants", "neonates", "cases", "controls", "responders", "users", "males", "females", "girls", "boys", "adolescents", "survivors", "residents",
        "respondents", "mothers", "veterans", "students", "workers", "nurses", "physicians", "eyes", "knees", "hips", "dogs", "cats", "pts", "healthy volunteers", "outpatients", "inpatients", "enrollees", "recipients", "members", "smokers", "hypertensives", "diabetics", "surgeons", "animals", "horses", "rats", "mice", "households", "families", "births", "pregnancies", "deliveries", "admissions", "procedures", "operations", "deaths", "events", "episodes", "samples", "isolates", "specimens", "person", "clinicians", "doctors", "practitioners", "relatives", "caregivers", "employees", "pupils", "teenagers", "babies", "twins", "donors", "arms", "newborns", "schoolchildren", "toddlers", "inhabitants", "citizens", "couples", "fathers", "parents", "siblings", "teachers", "athletes", "soldiers", "prisoners", "drivers", "farmers", "trainees", "graduates", "pharmacists", "dentists", "midwives", "providers", "nonsmokers", "non-smokers", "drinkers", "carriers", "immigrants", "refugees", "attendees", "pigs", "piglets", "rabbits", "sheep", "cows", "calves", "monkeys",
    ),
    "S": (
        "studies", "study", "trials", "trial", "rcts", "rct", "articles", "article", "publications", "reports", "papers", "meta-analyses", "meta-analysis", "metaanalyses",
        "comparisons", "cohorts", "records", "citations", "abstracts", "centres", "centers", "sites", "hospitals", "clinics", "reviews", "estimates", "databases", "references", "countries", "institutions", "villages", "schools", "universities", "districts", "boroughs", "municipalities", "provinces", "practices",
    ),
    "v": ("versus", "vs", "vs.", "v", "v.", "compared with", "compared to", "as against", "against", "comparing with", "in contrast to"),
    "t": ("to", "through", "until", "up to", "and up to", "à", "bis"),
    "f": ("from", "between", "ranging from", "ranged from", "ranges from", "range from", "extending from", "de", "von"),
    "a": ("and", "&", "plus"),
    "o": ("of", "out of", "out of the", "of the", "of all", "among", "from a total of", "of a total of", "out of a total of", "of these"),
    "L": ("was", "is", "were", "are", "being", "at", "equals", "equal to", "equaled", "equalled", "reached", "averaged", "had", "has", "as", "by", "estimated", "calculated", "remained", "yielded", "était", "est", "fue", "war", "betrug", "beträgt"),
    "%": ("percent", "per cent", "percentage points", "percentage point", "pct", "percentage-points", "prozent", "percent-points"),
    "E": ("n", "total n"),
    "≠": ("not",),
}  # fmt: skip

#: Words of relation, as ``P less than .05``.
_RELATIONS = {"less than": "<", "greater than": ">", "more than": ">", "equal to": "=", "equals": "=", "below": "<", "above": ">", "lower than": "<", "at least": "≥", "at most": "≤", "not more than": "≤"}  # fmt: skip

#: Two-sided tests are of no difference at 0 or no ratio other than 1; each measure stands with its scale.
#: scale, value of no effect on the printed scale.
SCALES: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("MD", "SMD", "RD", "B", "difference"), ("linear", 0.0)),
    **dict.fromkeys(("RR", "OR", "HR", "IRR", "ROM", "PR", "SMR", "DOR", "LR"), ("log", 1.0)),
    "COR": ("atanh", 0.0),
}

#: What a code is called, for sentences.
TITLES = {code: names[0] for code, names in MEASURE_NAMES.items()} | {
    "MD": "mean difference",
    "SMD": "standardised mean difference",
    "RR": "risk ratio",
    "OR": "odds ratio",
    "HR": "hazard ratio",
    "RD": "risk difference",
    "IRR": "rate ratio",
    "ROM": "ratio of means",
    "COR": "correlation",
}

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
#: The value of a number word.
NUMBER_WORDS = {word: i for i, word in enumerate(_ONES)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
MULTIPLIERS = {"hundred": 100, "thousand": 1000, "million": 1_000_000}

#: A word alone -> (kind, value).
WORDS: dict[str, tuple[str, str]] = {}
#: First word -> what to match from there on; only rows of several words.
PHRASES: dict[str, re.Pattern[str]] = {}
#: Phrase in lower case with single spaces -> (kind, value).
PHRASE_VALUES: dict[str, tuple[str, str]] = {}

_GAP = re.compile(r"[\s\u2009-]+")


def phrase_key(text: str) -> str:
    """How a phrase is looked up: lower case, one space between words, also for a hyphen."""
    return _GAP.sub(" ", text.lower())


def _fill() -> None:
    rows: list[tuple[str, str, str]] = []
    rows += [(name, "M", code) for code, names in MEASURE_NAMES.items() for name in names]
    rows += [(name, "d", code) for code, names in LOOSE_NAMES.items() for name in names]
    rows += [(name, kind, name) for kind, names in _OTHERS.items() for name in names]
    rows += [(name, "=", sign) for name, sign in _RELATIONS.items()]
    by_first: dict[str, list[str]] = {}
    for name, kind, value in rows:
        key = phrase_key(name)
        if " " in key:
            PHRASE_VALUES.setdefault(key, (kind, value))
            by_first.setdefault(key.split(" ")[0].rstrip("'"), []).append(key)
            if "-" in name:  # the tokeniser may take "between-group" as one word
                by_first.setdefault(name.lower().split(" ")[0], []).append(key)
                if " " not in name:
                    WORDS.setdefault(name.lower(), (kind, value))
        else:
            WORDS.setdefault(name.lower(), (kind, value))
    for first, keys in by_first.items():
        longest = sorted(set(keys), key=len, reverse=True)
        PHRASES[first] = re.compile(
            "(?:" + "|".join(re.escape(k).replace(r"\ ", r"[\s\u2009-]+") for k in longest) + r")(?![A-Za-z0-9])", re.I
        )


_fill()

#: Upper case makes these measures; the same letters in lower case are words.
UPPER_ONLY = frozenset({"or", "ors", "md", "rd", "rom", "mor", "aor", "ic", "ki", "cl", "cls", "pi", "se", "ses", "ard", "sd", "hr", "rr", "irr", "arr", "amd", "auc", "icc"})  # fmt: skip
#: Abbreviations after which a full stop ends no sentence.
ABBREVIATIONS = frozenset({"vs", "v", "e.g", "i.e", "al", "approx", "ca", "no", "dr", "fig", "cf", "resp", "incl", "st", "eq", "ref", "wt", "c.i", "s.d", "s.e"})  # fmt: skip
