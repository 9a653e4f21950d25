"""A Python script that gives the numbers of an analysis again: its data as literals, ``import balm``, nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import balm
from balm.review.analysis_data import data_hash
from balm.review.package import AnalysisSpec
from balm.review.revman.pooling import REVMAN_PROFILES
from balm.review.synthesis import AnalysisResult
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.profiles import PROFILES

#: What the script prints of each fit, by its name: attributes on the analysis scale, then the displayed ones.
PRINTED = (
    "estimate", "se", "interval.low", "interval.high", "p", "tau2", "i2", "q", "prediction_interval.low",
    "prediction_interval.high", "displayed.estimate", "displayed.interval.low", "displayed.interval.high",
)  # fmt: skip


def script(result: AnalysisResult) -> str:
    """The script. Run, it prints a line a number and says whether it is the one this analysis gave.

    It reproduces the main result and subgroups by a column. Texts of the review stand in it as literals only.
    """
    lines = [
        f'"""An analysis again, as balm {balm.__version__} carried it out. Data hash {data_hash(result)}."""',
        "",
        "import math",
        "from operator import attrgetter",
        "",
        "import balm",
        *(["from balm.review.revman.pooling import pool_as_revman"] if result.spec.profile in REVMAN_PROFILES else []),
        "",
        f"TITLE = {result.title!r}",
        "",
    ]
    if result.effects is None:
        return "\n".join([*lines, 'print(TITLE, "- no study reports usable numbers", sep="\\n")', ""])
    lines += [*_effects(result), "", "", "def pooled(es):", f"    return {_pooling(result.spec)}", "", ""]
    fits = {} if result.fit is None else {"all": (None, result.fit)}
    if result.whole is not None:
        at = {row.study: i for i, row in enumerate(result.rows)}
        for s in result.subgroups:
            if s.fit is not None and result.spec.by and all(row.study in at for row in s.rows):
                fits[s.level] = ([at[row.study] for row in s.rows], s.fit)
    lines += ["#: Group of studies -> its positions (None: all), and what the analysis gave.", "GIVEN = {"]
    for name, (where, fit) in fits.items():
        given = {printed: _value(fit, printed) for printed in PRINTED}
        lines += [
            f"    {name!r}: ({where!r}, {{",
            *(f"        {k!r}: {_literal(v)}," for k, v in given.items()),
            "    }),",
        ]
    lines += [
        "}",
        "",
        "print(TITLE)",
        "for study, effect, variance in es:",
        "    print(study, effect, variance, sep='\\t')",
        "for group, (where, given) in GIVEN.items():",
        "    fit = pooled(es if where is None else es[where])",
        "    print(group, fit.sentence())",
        "    for name, before in given.items():",
        "        now = float(attrgetter(name)(fit))",
        "        same = math.isclose(now, before, rel_tol=1e-12, abs_tol=1e-12) or (now != now and before != before)",
        "        print(group, name, repr(now), 'same' if same else f'differs: it was {before!r}', sep='\\t')",
        "",
    ]
    return "\n".join(lines)


def _value(fit: Any, name: str) -> float:
    for part in name.split("."):
        fit = getattr(fit, part)
    return float(fit)


def _effects(result: AnalysisResult) -> list[str]:
    """The effect sizes: from the numbers of the groups where that gives the same ones, else as they stand."""
    es, spec = result.effects, result.spec
    assert es is not None
    arguments: dict[str, Any] = {"study": list(es.study)}
    arguments |= {name: _numbers(values) for name, values in es.raw.items()}
    if spec.profile is not None:
        arguments["profile"] = spec.profile
    if es.measure in ("RR", "OR"):
        arguments |= {"add": spec.add, "to": spec.to}
    if any(v != round(v) for n, values in es.raw.items() if n.startswith(("n_", "events_")) for v in values.tolist()):
        arguments["counts"] = "fractional"
    if es.raw and _gives(es, arguments):
        said = [f"    {name}={_literal(value)}," for name, value in arguments.items()]
        return ["es = balm.effect_sizes(", f"    {es.measure!r},", *said, ")"]
    parts: dict[str, Any] = {
        "effect": _numbers(es.effect), "variance": _numbers(es.variance), "study": list(es.study),
        "measure": es.measure, "raw": {name: _numbers(values) for name, values in es.raw.items()},
        "conventions": dict(es.conventions), "explicit": sorted(es.explicit), "note": list(es.note),
        "estimable": es.estimable.tolist(), "double_zero": es.double_zero.tolist(),
    }  # fmt: skip
    said = [f"    {name}={_literal(value)}," for name, value in parts.items() if name != "explicit"]
    said.append(f"    explicit=frozenset({sorted(es.explicit)!r}),")
    return ["# Effects as they stand: within-person correlations or reported contrasts went into them.",
            "es = balm.EffectSizes(", *said, ")"]  # fmt: skip


def _gives(es: EffectSizes, arguments: Mapping[str, Any]) -> bool:
    made = effect_sizes(es.measure, **arguments)
    same = np.array_equal(made.effect, es.effect, equal_nan=True)
    return bool(
        same
        and np.array_equal(made.variance, es.variance, equal_nan=True)
        and np.array_equal(made.estimable, es.estimable)
        and dict(made.conventions) == dict(es.conventions)
        and made.explicit == es.explicit
    )


def _numbers(values: Any) -> list[float]:
    return [int(v) if float(v).is_integer() and abs(v) < 2**53 else float(v) for v in values.tolist()]


def _literal(value: Any) -> str:
    """A literal that reads back as the same value; ``nan`` and infinities by name."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    if isinstance(value, np.generic):
        return _literal(value.item())
    return repr(value)


def _pooling(spec: AnalysisSpec) -> str:
    """The call that pools, the same choices as :func:`balm.review.synthesis.fit_of` makes."""
    chosen: dict[str, Any] = {"profile": spec.profile, "level": spec.level}
    if spec.profile in REVMAN_PROFILES:
        prediction = PROFILES[spec.profile]["prediction"]
        own = {"method": spec.method, "model": spec.model, "tau2": spec.tau2, "inference": spec.inference}
        return _call("pool_as_revman", own | {"prediction": prediction} | chosen)
    if spec.method in ("mantel-haenszel", "peto"):
        return _call(f"balm.{spec.method.replace('-', '_')}", {"model": spec.model} | chosen)
    if spec.model == "common":
        return _call("balm.pool", {"model": "common"} | chosen)
    return _call("balm.pool", {"model": "random", "tau2": spec.tau2, "inference": spec.inference} | chosen)


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    said = ", ".join(f"{k}={_literal(v)}" for k, v in arguments.items() if v is not None)
    return f"{name}(es, {said})"
