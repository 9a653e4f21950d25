"""Every argument a measure may ask for: what it means and which values it can have."""

from __future__ import annotations

from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """``kind`` decides the check: count, size, real, spread, time, positive, correlation, fraction, probability."""

    name: str
    kind: str
    meaning: str


#: What each kind of number must satisfy, in the words of the error message.
REQUIREMENT = {
    "count": "must be a whole number, 0 or more",
    "size": "must be a whole number, 1 or more",
    "real": "must be a number",
    "spread": "must be above 0",
    "time": "must be above 0",
    "positive": "must be above 0",
    "correlation": "must lie between -1 and 1",
    "fraction": "must lie between 0 and 1",
    "probability": "must be above 0 and at most 1",
}

ARGUMENTS = {
    a.name: a
    for a in (
        Argument("events_1", "count", "people with the event (or events) in group 1, the intervention"),
        Argument("n_1", "size", "people in group 1"),
        Argument("events_2", "count", "people with the event (or events) in group 2, the comparator"),
        Argument("n_2", "size", "people in group 2"),
        Argument("time_1", "time", "person-time in group 1"),
        Argument("time_2", "time", "person-time in group 2"),
        Argument(
            "mean_1", "real", "mean in group 1; in pairs, of the measurement whose change is wanted (usually after)"
        ),
        Argument("sd_1", "spread", "standard deviation in group 1; in pairs, see the measure"),
        Argument(
            "mean_2", "real", "mean in group 2; in pairs, of the measurement it is compared with (usually before)"
        ),
        Argument("sd_2", "spread", "standard deviation in group 2; in pairs, see the measure"),
        Argument("events", "count", "people with the event (or events) in a single group"),
        Argument("n", "size", "people (or pairs) in a single group"),
        Argument("time", "time", "person-time in a single group"),
        Argument("mean", "real", "mean in a single group"),
        Argument("sd", "spread", "standard deviation in a single group"),
        Argument("r", "correlation", "a correlation coefficient"),
        Argument("t", "real", "t statistic of a regression coefficient"),
        Argument("predictors", "size", "number of predictors in the regression model"),
        Argument("r2", "fraction", "coefficient of determination of the regression model"),
        Argument("both", "count", "pairs with the event under both conditions"),
        Argument("only_1", "count", "pairs with the event under condition 1 only"),
        Argument("only_2", "count", "pairs with the event under condition 2 only"),
        Argument("neither", "count", "pairs with the event under neither condition"),
        Argument("alpha", "real", "Cronbach's alpha, at most 1"),
        Argument("items", "size", "number of items (or raters, occasions) behind alpha"),
        Argument("homozygous_1", "count", "people homozygous for the first allele"),
        Argument("heterozygous", "count", "heterozygous people"),
        Argument("homozygous_2", "count", "people homozygous for the second allele"),
        Argument("o_minus_e", "real", "observed minus expected events in group 1, by log-rank"),
        Argument("v", "positive", "log-rank variance of the observed minus expected events"),
        Argument("superiority", "fraction", "probability that a value of group 1 exceeds one of group 2 (ties half)"),
        Argument("effect", "real", "the effect on its analysis scale (log for ratios)"),
        Argument("se", "positive", "standard error of the effect"),
        Argument("variance", "positive", "variance of the effect"),
        Argument("ci_low", "real", "lower end of the effect's confidence interval"),
        Argument("ci_high", "real", "upper end of the effect's confidence interval"),
        Argument("p", "probability", "two-sided p-value of the effect (Wald)"),
    )
}
