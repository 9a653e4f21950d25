"""Several arms of one trial: combining them, splitting a control they share, the covariance a shared control makes."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.sources import handbook
from balm.vocabulary.problems import check_option, refuse

TOPIC = "Trials with several arms"


def events_of(name: str, value: Any, n: float) -> float:
    """Events among n participants; fractions occur after splitting."""
    x = checks.number(name, value)
    if x < 0:
        refuse(f"{name} must be 0 or more; got {value!r}")
    if x > n:
        refuse(f"{name} ({x:g}) must not exceed the number of participants ({n:g})")
    return x


@conversion(
    topic=TOPIC,
    formula="N = N1 + N2; M = (N1M1 + N2M2)/N; SD² = ((N1 − 1)SD1² + (N2 − 1)SD2² + N1N2/N·(M1 − M2)²)/(N − 1)",
    source=handbook("6.5.2.10") + ", table 6.5.a",
    sequences=("n", "mean", "sd"),
)
def combine_means(*, n: Number, mean: Number, sd: Number) -> Found:
    """One group from several: their joint size, mean and standard deviation, as if never separated.

    ``n``, ``mean``, ``sd``: lists with one entry a group, two or more. Exact: the SD holds the differences between the
    groups' means too.

    >>> found = combine_means(n=[10, 20], mean=[4.0, 7.0], sd=[1.0, 2.0])
    >>> found.n, found.mean, round(found.sd, 4)
    (30.0, 6.0, 2.2361)
    """
    ns, means, sds = checks.lists(n=n, mean=mean, sd=sd)
    ns = [checks.size(f"n[{i}]", v) for i, v in enumerate(ns)]
    means = [checks.number(f"mean[{i}]", v) for i, v in enumerate(means)]
    sds = [checks.standard_deviation(f"sd[{i}]", v) for i, v in enumerate(sds)]
    total = math.fsum(ns)
    centre = math.fsum(k * m for k, m in zip(ns, means, strict=True)) / total
    squares = math.fsum((k - 1) * s * s + k * (m - centre) ** 2 for k, m, s in zip(ns, means, sds, strict=True))
    return found(n=total, mean=centre, sd=math.sqrt(squares / (total - 1)), assumes=["no participant is in two groups"])


@conversion(topic=TOPIC, formula="events = Σ events_i; n = Σ n_i", source=handbook("23.3.4"), sequences=("events", "n"))
def combine_events(*, events: Number, n: Number) -> Found:
    """One group from several, for counts: events and participants added up.

    >>> found = combine_events(events=[3, 5], n=[20, 22])
    >>> found.events, found.n
    (8.0, 42.0)
    """
    counts, ns = checks.lists(events=events, n=n)
    ns = [checks.size(f"n[{i}]", v) for i, v in enumerate(ns)]
    counts = [events_of(f"events[{i}]", v, k) for i, (v, k) in enumerate(zip(counts, ns, strict=True))]
    return found(events=math.fsum(counts), n=math.fsum(ns), assumes=["no participant is in two groups"])


def _shares(total: float, into: int, whole: bool) -> tuple[float, ...]:
    if not whole:
        return (total / into,) * into
    base, extra = divmod(round(total), into)
    return tuple(float(base + (i < extra)) for i in range(into))


SPLIT = ("splitting avoids counting the group twice but not all correlation: comparisons with its parts stay related",)


@conversion(topic=TOPIC, formula="n_i = n / k; mean and SD unchanged", source=handbook("23.3.4"))
def split_control_means(*, n: Number, mean: Number, sd: Number, into: Number = 2, whole: bool = False) -> Found:
    """A control group shared by several comparisons, divided among them: n is split, mean and SD stay.

    ``n`` comes back as a tuple of ``into`` shares, equal fractions, or whole numbers that add up when ``whole``.

    >>> split_control_means(n=41, mean=5.2, sd=2.1, into=2).n
    (20.5, 20.5)
    >>> split_control_means(n=41, mean=5.2, sd=2.1, into=2, whole=True).n
    (21.0, 20.0)
    """
    into, n = checks.count("into", into, least=2, most=100), checks.size("n", n)
    if n < into:
        refuse(f"n must be at least into; got n={n:g}, into={into}: a part would be empty")
    mean, sd = checks.number("mean", mean), checks.standard_deviation("sd", sd)
    return found(n=_shares(n, into, whole), mean=mean, sd=sd, assumes=SPLIT)


@conversion(topic=TOPIC, formula="events_i = events / k; n_i = n / k", source=handbook("23.3.4"))
def split_control_events(*, events: Number, n: Number, into: Number = 2, whole: bool = False) -> Found:
    """A control group shared by several comparisons, divided among them: events and n are both split.

    Tuples of ``into`` shares: equal fractions, or whole numbers that add up when ``whole``.

    >>> found = split_control_events(events=9, n=40, into=2)
    >>> found.events, found.n
    ((4.5, 4.5), (20.0, 20.0))
    """
    into, n = checks.count("into", into, least=2, most=100), checks.size("n", n)
    if n < into:
        refuse(f"n must be at least into; got n={n:g}, into={into}: a part would be empty")
    events = events_of("events", events, n)
    return found(events=_shares(events, into, whole), n=_shares(n, into, whole), assumes=SPLIT)


SHARED = {
    "MD": "cov = SD²/n of the shared group",
    "SMD": "cov = 1/n + d1·d2/(2N)",
    "RR": "cov = 1/events − 1/n of the shared group",
    "OR": "cov = 1/events + 1/(n − events) of the shared group",
    "RD": "cov = p(1 − p)/n of the shared group",
}
_NEEDS = {"MD": {"sd"}, "SMD": {"d_1", "d_2", "n_total"}, "RR": {"events"}, "OR": {"events"}, "RD": {"events"}}


@conversion(
    topic=TOPIC,
    formula="; ".join(f"{measure}: {text}" for measure, text in SHARED.items()),
    source="Gleser & Olkin (2009), in Cooper, Hedges & Valentine, The Handbook of Research Synthesis, chapter 19; "
    "Franchini et al. (2012), Res Synth Methods 3:142",
)
def covariance_of_shared_control(
    *,
    measure: str,
    n: Number,
    sd: Number = None,
    events: Number = None,
    d_1: Number = None,
    d_2: Number = None,
    n_total: Number = None,
) -> Found:
    """Covariance of two effects that share a comparator group, on the analysis scale (logs for RR and OR).

    ``n`` and ``sd`` or ``events`` are those of the shared group. For SMD: ``d_1`` and ``d_2``, the two effects, and
    ``n_total``, all participants of the three groups.

    >>> round(float(covariance_of_shared_control(measure="MD", n=25, sd=2.0)), 3)
    0.16
    >>> round(float(covariance_of_shared_control(measure="RR", n=50, events=10)), 3)
    0.08
    """
    check_option("measure", measure, list(SHARED))
    given = {"sd": sd, "events": events, "d_1": d_1, "d_2": d_2, "n_total": n_total}
    for name, value in given.items():
        if (value is not None) != (name in _NEEDS[measure]):
            does = "needs" if value is None else "does not use"
            refuse(
                f"covariance for measure {measure!r} {does} {name}; it takes n and {', '.join(sorted(_NEEDS[measure]))}"
            )
    n = checks.size("n", n)
    if measure == "MD":
        covariance = checks.standard_deviation("sd", sd) ** 2 / n
    elif measure == "SMD":
        total = checks.size("n_total", n_total, least=n)
        covariance = 1 / n + checks.number("d_1", d_1) * checks.number("d_2", d_2) / (2 * total)
    else:
        e = events_of("events", events, n)
        if measure == "RD":
            covariance = e * (n - e) / n**3
        elif e == 0 or (measure == "OR" and e == n):
            refuse(
                f"events must be above 0{' and below n' if measure == 'OR' else ''}; got {e:g} of {n:g}: "
                "add a correction first"
            )
        else:
            covariance = 1 / e - 1 / n if measure == "RR" else 1 / e + 1 / (n - e)
    return found(covariance=covariance, formula=SHARED[measure])
