"""Random .rm5 files with every number RevMan 5 stores, by formulas written out here.

Deeks & Higgins (2010), "Statistical algorithms in Review Manager 5". Nothing of the package takes part: measures,
methods, models, subgroups, totals, levels, swapped events, zero cells, footnotes and encodings are drawn by a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log, sqrt
from random import Random
from statistics import NormalDist
from typing import Any
from xml.sax.saxutils import quoteattr

from scipy.stats import chi2, norm

ENCODINGS = ("UTF-8", "ISO-8859-1", "windows-1252", "UTF-16", "utf-8-sig", "US-ASCII")
GROUPS = ("EVENTS_1", "TOTAL_1", "EVENTS_2", "TOTAL_2")
MEANS = ("MEAN_1", "SD_1", "TOTAL_1", "MEAN_2", "SD_2", "TOTAL_2")
Numbers = tuple[float, ...]


@dataclass
class Setting:
    """How one outcome is analysed."""

    kind: str
    measure: str = ""
    method: str = "IV"
    random: bool = False
    swap: bool = False
    log_data: bool = False

    @property
    def ratio(self) -> bool:
        return self.measure in ("OR", "RR", "PETO_OR") or self.log_data or self.kind == "IPD"


@dataclass
class Effect:
    """Effect and variance of a study, its corrected cells, and O-E with V."""

    y: float
    v: float
    cells: Numbers = ()
    observed: Numbers = ()
    o_e: Numbers = ()


@dataclass
class Total:
    """Rows pooled; ``weights`` in per cent, 0 for rows without an effect."""

    mu: float = 0.0
    var: float = 0.0
    q: float = 0.0
    df: int = 0
    tau2: float = 0.0
    estimable: bool = False
    weights: list[float] = field(default_factory=list)


def effect_of(d: Numbers, s: Setting) -> Effect | None:
    """The effect of one study; ``None`` where RevMan has none."""
    if s.kind == "IV":
        return Effect(d[0], d[1] ** 2)
    if s.kind == "IPD":
        return Effect(d[0] / d[1], 1 / d[1])
    if s.kind == "CONT":
        m_1, s_1, n_1, m_2, s_2, n_2 = d
        if not s_1 or not s_2:
            return None
        if s.measure == "MD":
            return Effect(m_1 - m_2, s_1**2 / n_1 + s_2**2 / n_2)
        n = n_1 + n_2
        pooled = sqrt(((n_1 - 1) * s_1**2 + (n_2 - 1) * s_2**2) / (n - 2))
        g = (m_1 - m_2) / pooled * (1 - 3 / (4 * n - 9))
        return Effect(g, n / (n_1 * n_2) + g * g / (2 * (n - 3.94)))
    a, n_1, c, n_2 = d
    if s.swap:
        a, c = n_1 - a, n_2 - c
    if (s.measure != "RD" and a == c == 0) or (s.measure in ("OR", "PETO_OR") and (a, c) == (n_1, n_2)):
        return None
    if s.measure == "PETO_OR":
        n = n_1 + n_2
        o_e = a - n_1 * (a + c) / n
        v = n_1 * n_2 * (a + c) * (n - a - c) / (n * n * (n - 1))
        return Effect(o_e / v, 1 / v, o_e=(o_e, v))
    half = 0.5 if min(a, n_1 - a, c, n_2 - c) == 0 else 0.0
    big_a, b, big_c, f = a + half, n_1 - a + half, c + half, n_2 - c + half
    m_1, m_2 = big_a + b, big_c + f
    cells, seen = (big_a, m_1, big_c, m_2), (a, n_1, c, n_2)
    if s.measure == "OR":
        return Effect(log(big_a * f / (b * big_c)), 1 / big_a + 1 / b + 1 / big_c + 1 / f, cells, seen)
    if s.measure == "RR":
        return Effect(log(big_a / m_1 / (big_c / m_2)), 1 / big_a - 1 / m_1 + 1 / big_c - 1 / m_2, cells, seen)
    return Effect(a / n_1 - c / n_2, big_a * b / m_1**3 + big_c * f / m_2**3, cells, seen)


def mantel_haenszel(used: list[Effect], measure: str) -> tuple[float, float, list[float]]:
    """Estimate, variance and weights of the common effect."""
    w, r, s, p, e, f_g, h, j = [], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for one in used:
        a, n_1, c, n_2 = one.cells
        b, d, n = n_1 - a, n_2 - c, n_1 + n_2
        if measure == "OR":
            w.append(b * c / n)
            r, s = r + a * d / n, s + b * c / n
            e, h = e + (a + d) * a * d / n**2, h + (b + c) * b * c / n**2
            f_g += ((a + d) * b * c + (b + c) * a * d) / n**2
        elif measure == "RR":
            w.append(c * n_1 / n)
            r, s, p = r + a * n_2 / n, s + c * n_1 / n, p + (n_1 * n_2 * (a + c) - a * c * n) / n**2
        else:
            _, seen_1, _, seen_2 = one.observed
            w.append(seen_1 * seen_2 / (seen_1 + seen_2))
            j += (a * b * n_2**3 + c * d * n_1**3) / (n_1 * n_2 * n * n)
    if measure == "OR":
        return log(r / s), 0.5 * (e / r**2 + f_g / (r * s) + h / s**2), w
    if measure == "RR":
        return log(r / s), p / (r * s), w
    mean = sum(x * one.y for x, one in zip(w, used, strict=True)) / sum(w)
    return mean, (j / sum(w) ** 2 if len(used) > 1 else used[0].v), w


def pooled(effects: list[Effect | None], s: Setting) -> Total:
    """The total of some rows."""
    used = [e for e in effects if e is not None]
    if not used:
        return Total(weights=[0.0] * len(effects))
    w = [1 / e.v for e in used]
    mu, var = sum(x * e.y for x, e in zip(w, used, strict=True)) / sum(w), 1 / sum(w)
    shares = w
    if s.kind == "DICH" and s.method == "MH":
        mu, var, shares = mantel_haenszel(used, s.measure)
    q = sum((e.y - mu) ** 2 / e.v for e in used)
    df, tau2 = len(used) - 1, 0.0
    if s.random:
        if df:
            tau2 = max(0.0, (q - df) / (sum(w) - sum(x * x for x in w) / sum(w)))
        shares = [1 / (e.v + tau2) for e in used]
        mu, var = sum(x * e.y for x, e in zip(shares, used, strict=True)) / sum(shares), 1 / sum(shares)
    given = iter(shares)
    weights = [0.0 if e is None else 100 * next(given) / sum(shares) for e in effects]
    return Total(mu, var, q if df else 0.0, df, tau2, True, weights)


def ends(y: float, se: float, level: int, ratio: bool) -> dict[str, Any]:
    """Estimate and interval as stored, with base-10 logarithms of ratios."""
    half = NormalDist().inv_cdf(0.5 + level / 200) * se
    names = ("EFFECT_SIZE", "CI_START", "CI_END")
    values = (y, y - half, y + half)
    told = {n: repr(exp(x) if ratio else x) for n, x in zip(names, values, strict=True)}
    return told | ({f"LOG_{n}": repr(x / log(10)) for n, x in zip(names, values, strict=True)} if ratio else {})


def total_cells(t: Total, s: Setting, level: int, shown: bool) -> dict[str, Any]:
    """What RevMan stores of a total."""
    if not shown or not t.estimable:
        return {"EFFECT_SIZE": "0.0", "CI_START": "0.0", "CI_END": "0.0", "ESTIMABLE": "NO", "CHI2": "0.0", "Z": "0.0"}
    z = abs(t.mu) / sqrt(t.var)
    told = ends(t.mu, sqrt(t.var), level, s.ratio) | {"ESTIMABLE": "YES", "Z": repr(z), "P_Z": repr(2 * norm.sf(z))}
    i2 = max(0.0, 100 * (t.q - t.df) / t.q) if t.df and t.q > 0 else 0.0
    p = float(chi2.sf(t.q, t.df)) if t.df else 1.0
    return told | {"CHI2": repr(t.q), "DF": t.df, "P_CHI2": repr(p), "I2": repr(i2), "TAU2": repr(t.tau2)}


def between(parts: list[Total]) -> dict[str, Any]:
    """The test for subgroup differences."""
    known = [t for t in parts if t.estimable]
    if len(known) < 2:
        return {"Q": "0.0", "P_Q": "1.0", "I2_Q": "0.0"}
    w = [1 / t.var for t in known]
    mean = sum(x * t.mu for x, t in zip(w, known, strict=True)) / sum(w)
    q, df = sum(x * (t.mu - mean) ** 2 for x, t in zip(w, known, strict=True)), len(known) - 1
    i2 = max(0.0, 100 * (q - df) / q) if q > 0 else 0.0
    return {"Q": repr(q), "DF_Q": df, "P_Q": repr(float(chi2.sf(q, df))), "I2_Q": repr(i2)}


def drawn_setting(r: Random) -> Setting:
    kind = r.choice(["DICH", "DICH", "DICH", "CONT", "IV", "IPD"])
    s = Setting(kind, random=r.random() < 0.5)
    if kind == "DICH":
        s.measure, s.method = r.choice(["OR", "RR", "RD", "PETO_OR"]), r.choice(["MH", "IV"])
        s.swap = r.random() < 0.3
    if kind == "CONT":
        s.measure = r.choice(["MD", "SMD"])
    if kind == "IV":
        s.log_data = r.random() < 0.5
    if kind == "IPD" or s.measure == "PETO_OR":
        s.method, s.random = "EXP_O_E_VAR" if kind == "IPD" else "PETO", False
    return s


def drawn_numbers(r: Random, s: Setting) -> Numbers:
    if s.kind == "IV":
        return r.gauss(0, 0.6), r.uniform(0.05, 0.9)
    if s.kind == "IPD":
        return r.gauss(0, 4), r.uniform(0.5, 30)
    if s.kind == "CONT":
        unit = 10 ** r.uniform(-2, 3)
        first = (r.gauss(0, unit), 0.0 if r.random() < 0.05 else unit * r.uniform(0.5, 2), r.randrange(2, 150))
        return (*first, r.gauss(0, unit), unit * r.uniform(0.5, 2), r.randrange(2, 150))
    n_1, n_2 = (r.randrange(2, 12) if r.random() < 0.3 else r.randrange(2, 200) for _ in range(2))
    chance = r.choice([0.02, 0.1, 0.4, 0.9])
    a, c = (sum(r.random() < chance for _ in range(n)) for n in (n_1, n_2))
    everyone = (0, 0) if s.swap else (n_1, n_2)
    if s.measure == "RR" and (a, c) == everyone:  # a rule of its own, tested elsewhere
        a += 1 if s.swap else -1
    return a, n_1, c, n_2


def attributes(values: dict[str, Any]) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())


def outcome(r: Random, place: int, studies: list[str]) -> str:
    """One outcome with rows, subgroups and totals."""
    s = drawn_setting(r)
    level_study, level_total = r.choice([(95, 95), (99, 95), (90, 99)])
    n_subgroups = r.choice([0, 0, 2, 3])
    totals = r.choice(["YES", "YES", "SUB", "NO"] if n_subgroups else ["YES", "YES", "NO"])
    groups = [
        [(study, drawn_numbers(r, s)) for study in r.sample(studies, r.randrange(0, min(len(studies), 8)))]
        for _ in range(max(n_subgroups, 1))
    ]
    effects = [[effect_of(d, s) for _, d in group] for group in groups]
    parts = [pooled(group, s) for group in effects]
    whole = pooled([e for group in effects for e in group], s)
    names = {"DICH": GROUPS, "CONT": MEANS, "IV": ("ESTIMATE", "SE"), "IPD": ("O_E", "VAR")}[s.kind]
    of_whole = iter(whole.weights)
    body = "<NAME>Outcome (é)</NAME>"
    if s.kind in ("IV", "IPD"):
        body += f"<EFFECT_MEASURE>{'Hazard Ratio' if s.ratio else 'Score'}</EFFECT_MEASURE>"
    for number, (group, found, part) in enumerate(zip(groups, effects, parts, strict=True), 1):
        mine = [next(of_whole) for _ in group]
        weights = mine if totals == "YES" else part.weights if totals == "SUB" else [0.0] * len(group)
        rows = ""
        for (study, d), e, weight in zip(group, found, weights, strict=True):
            told: dict[str, Any] = dict(zip(names, d, strict=True)) | {"STUDY_ID": study, "WEIGHT": repr(weight)}
            if e is None:
                told |= {"EFFECT_SIZE": "0.0", "CI_START": "0.0", "CI_END": "0.0", "ESTIMABLE": "NO"}
            else:
                told |= ends(e.y, sqrt(e.v), level_study, s.ratio) | {"ESTIMABLE": "YES"}
                if s.kind == "DICH":
                    o_e, v = e.o_e or (0.0, e.v)
                    told |= {"SE": repr(sqrt(e.v)), "O_E": repr(o_e), "VAR": repr(v)}
            note = "<FOOTNOTE>see <I>table</I> 2 &amp; 3</FOOTNOTE>" if r.random() < 0.2 else ""
            rows += f"<{s.kind}_DATA{attributes(told)}>{note}</{s.kind}_DATA>"
        if n_subgroups:
            told = total_cells(part, s, level_total, totals != "NO") | {"ID": f"S{place}.{number}", "NO": number}
            told["WEIGHT"] = repr(sum(mine) if totals == "YES" else 100.0)
            rows = f"<{s.kind}_SUBGROUP{attributes(told)}><NAME>Part {number}</NAME>{rows}</{s.kind}_SUBGROUP>"
        body += rows
    head = {"ID": f"CMP-001.{place:02}", "NO": place, "RANDOM": "YES" if s.random else "NO", "TOTALS": totals}
    head |= {"CI_STUDY": level_study, "CI_TOTAL": level_total, "EFFECT_MEASURE": s.measure, "METHOD": s.method}
    head |= {"SWAP_EVENTS": "YES" if s.swap else "NO", "LOG_DATA": "YES" if s.log_data else "NO"}
    head |= total_cells(whole, s, level_total, totals == "YES") | {"WEIGHT": "100.0"}
    if n_subgroups and totals == "YES":
        head |= between(parts)
    return f"<{s.kind}_OUTCOME{attributes(head)}>{body}</{s.kind}_OUTCOME>"


def random_rm5(seed: int) -> bytes:
    """A review of up to eight outcomes, in an encoding of its own."""
    r = Random(seed)
    encoding = ENCODINGS[seed % len(ENCODINGS)]
    names = ("Müller", "O'Neil & Sons", "Smith <2001>", "García-Pérez")
    studies = [f"STD-{i}" for i in range(r.randrange(2, 25))]
    listed = "".join(f"<STUDY{attributes({'ID': i, 'NAME': f'{r.choice(names)} {i}'})}/>" for i in studies)
    body = "".join(outcome(r, place, studies) for place in range(1, r.randrange(3, 10)))
    text = (
        f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig").upper()}"?>\n<COCHRANE_REVIEW>'
        f"<STUDIES_AND_REFERENCES><STUDIES><INCLUDED_STUDIES>{listed}</INCLUDED_STUDIES></STUDIES>"
        '</STUDIES_AND_REFERENCES><ANALYSES_AND_DATA><COMPARISON ID="CMP-001" NO="1"><NAME>A or B</NAME>'
        f"{body}</COMPARISON></ANALYSES_AND_DATA></COCHRANE_REVIEW>"
    )
    return text.encode(encoding, errors="xmlcharrefreplace")
