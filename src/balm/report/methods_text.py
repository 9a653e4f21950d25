"""The methods paragraph of a pooled result: every choice in force, with the paper it comes from and the software."""

from __future__ import annotations

import math
import os
import sys

from balm.report.choices import (
    DOUBLE_ZERO,
    I2,
    MANTEL_HAENSZEL_VARIANCE,
    METHODS,
    MODELS,
    SINGLE_ZERO,
    TAU2_INTERVAL,
    VARIANCES,
    ZERO_CELLS,
    inference_choice,
    prediction_choice,
    tau2_choice,
)
from balm.report.references import REFERENCES
from balm.report.result_sentence import measure_name
from balm.report.rounding import number
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import level, plain

#: What the sentences say in words; any other convention in force follows by its name.
_SAID_IN_PROSE = {
    "method",
    "correct",
    "variance_type",
    "small_sample",
    "model",
    "tau2",
    "inference",
    "prediction",
    "level",
    "profile",
    "i2",
    "tau2_interval",
    "add",
    "to",
    "drop_double_zero",
    "double_zero",
    "mh_rd_variance",  # said by the papers of the variance
    "mh_zero_cells",
    "zero_cells",  # of Peto's method: said with the zero cells
    "mh_weights",
    "studies",  # said by the method
    "rr_single_zero",
    "rd_single_zero",
}


def methods(fit: Pooled) -> str:
    """One paragraph that names measure, zero-cell rule, model, estimators, intervals, conventions and versions."""
    return " ".join([*method_parts(fit), software()])


def method_parts(fit: Pooled) -> tuple[str, ...]:
    """What :func:`methods` says, point by point and without the versions: what several analyses share is told once."""
    said = [_measure(fit), _zero_cells(fit), _model(fit), _interval(fit), _prediction(fit), _heterogeneity(fit)]
    return tuple(text for text in [*said, _others(fit)] if text)


def references(fit: Pooled) -> tuple[str, ...]:
    """The works that :func:`methods` cites, in full, in alphabetical order."""
    text = methods(fit)
    return tuple(sorted(full for key, full in REFERENCES.items() if key in text))


def versions() -> dict[str, str]:
    """The programs behind a number: balm, Python, NumPy, SciPy."""
    import balm

    found = {"balm": balm.__version__, "Python": ".".join(str(part) for part in sys.version_info[:3])}
    for name, package in (("NumPy", "numpy"), ("SciPy", "scipy")):
        loaded = sys.modules.get(package)
        found[name] = loaded.__version__ if loaded is not None else _installed(package)
    return found


def _installed(package: str) -> str:
    """The version of a package that is not loaded, from the name of its record beside it.

    ``import scipy`` or ``importlib.metadata`` would cost more than the analysis; the latter is asked where the record
    has another name.
    """
    for place in sys.path:
        if os.path.isdir(os.path.join(place, package)):
            for record in os.listdir(place or "."):
                if record.startswith(f"{package}-") and record.endswith(".dist-info"):
                    return record.removeprefix(f"{package}-").removesuffix(".dist-info")
    from importlib import metadata

    return metadata.version(package)


def _measure(fit: Pooled) -> str:
    row = MEASURES[fit.effects.measure]
    scale = row.scale.name.partition(" of a ")[0]  # what is logged or turned is named by the measure
    article = "" if scale.startswith("Fisher's") else "the "
    on_scale = "" if scale.startswith("identity") else f", analysed on {article}{scale} scale"
    chosen = fit.effects.conventions
    details = []
    if chosen.get("small_sample") not in (None, "none"):
        details.append(f"{chosen['small_sample']} small-sample correction")
    variance = chosen.get("variance_type")
    if variance and len(row.variance_types) > 1:
        details.append(VARIANCES.get(variance, f"variance type {variance}"))
    detail = f"; {', '.join(details)}" if details else ""
    source = f" [{row.source.rstrip('.')}]" if row.source else ""
    return f"The effect measure is the {measure_name(row.code)} ({row.code}{detail}){on_scale}{source}."


def _zero_cells(fit: Pooled) -> str:
    chosen = {**fit.effects.conventions, **fit.conventions}
    has_cells = bool(MEASURES[fit.effects.measure].zero_cells)
    if not has_cells:
        return ""
    parts = []
    raw = fit.method not in ("inverse-variance", "mantel-haenszel")
    if raw or (fit.method == "mantel-haenszel" and chosen.get("mh_zero_cells", "none") == "none"):
        parts.append("the raw cells were pooled without a correction")
    elif chosen.get("to") in ZERO_CELLS:
        add = plain(float(chosen.get("add", 0.5)))
        corrected = sum(" added to " in note for note in fit.effects.note)
        rare = chosen["to"] in ("only-zero", "if-any-zero")
        none = rare and not corrected and not fit.effects.double_zero.any()
        said = ZERO_CELLS[chosen["to"]].format(add=add)
        parts.append(f"no study had one; {said.replace(' was added ', ' would have been added ')}" if none else said)
        if corrected:  # how sizes and differences are corrected has an effect only where something was corrected
            parts += [
                words[chosen[name]].format(
                    add=add, twice=plain(2 * float(chosen.get("add", 0.5))), name=measure_name(fit.effects.measure)
                )
                for name, words in SINGLE_ZERO.items()
                if chosen.get(name) in words
            ]
    if chosen.get("double_zero") in DOUBLE_ZERO and MEASURES[fit.effects.measure].double_zero == "excluded":
        parts.append(DOUBLE_ZERO[chosen["double_zero"]])
    return f"Zero cells: {'; '.join(parts)}." if parts else ""


def _model(fit: Pooled) -> str:
    chosen = fit.conventions
    model = str(chosen.get("model", "random" if fit.method == "inverse-variance" else "common"))
    how = "Cochran's weights (the events of group 1 expected at the rate of group 2)"
    by = f"with {how}" if chosen.get("mh_weights") == "cochran" else f"by {METHODS[fit.method].cited}"
    text = f"Effects were pooled {by} under {MODELS[model].words}"
    if fit.k < 2:
        few = "One study could be analysed" if fit.k else "No study could be analysed"
        text = f"{few}, so nothing was pooled; effects would have been pooled {by} under {MODELS[model].words}"
    if fit.method == "mantel-haenszel" and "mh_weights" not in chosen:
        cites = MANTEL_HAENSZEL_VARIANCE.get(
            str(chosen.get("mh_rd_variance")) if fit.effects.measure == "RD" else fit.effects.measure, ()
        )
        text += f", with the variance of {' and '.join(cites)}" if cites else ""
    tau2 = chosen.get("tau2")
    if tau2 is None or model == "common":
        return f"{text}."
    if fit.k < 2:
        way = (
            f"estimated by {tau2_choice(tau2).cited}" if isinstance(tau2, str) else f"set to {tau2_choice(tau2).words}"
        )
        return f"{text}, with the between-study variance τ² {way}."
    if isinstance(tau2, str):
        return f"{text}; the between-study variance τ² was estimated by {tau2_choice(tau2).cited}."
    return f"{text}; the between-study variance τ² was set to {tau2_choice(tau2).words}, not estimated."


def _interval(fit: Pooled) -> str:
    chosen = fit.conventions.get("inference")
    if fit.k == 0:
        return ""
    how = "the Wald method" if chosen is None else inference_choice(chosen).cited
    if fit.k == 1 and chosen not in (None, "wald"):
        how = "the Wald method, since there is one study"
    df = fit.df
    degrees = "" if math.isinf(df) or math.isnan(df) else f", t distribution with {_degrees(df)}"
    return f"The {level(fit.interval.level)} confidence interval (CI) uses {how}{degrees}."


def _degrees(df: float) -> str:
    if df == 1:
        return "1 degree of freedom"
    return f"{int(df) if df == int(df) else number(df, 1)} degrees of freedom"


def _prediction(fit: Pooled) -> str:
    chosen = fit.conventions.get("prediction")
    interval = fit.prediction_interval
    if math.isnan(interval.low) or math.isnan(interval.high):
        why = fit.reasons.get("prediction_interval", "").removeprefix("not estimable: ")
        return f"A prediction interval is not given: {why.rstrip('.')}." if why else ""
    return "" if chosen is None else f"The prediction interval uses {prediction_choice(chosen).cited}."


def _heterogeneity(fit: Pooled) -> str:
    if fit.k < 2:
        return ""
    i2 = fit.conventions.get("i2")
    q = "Q (Cochran 1954)"
    if fit.method.startswith("glmm"):
        q = "a likelihood-ratio test against a model with an effect for each study (Q)"
    parts = [f"Heterogeneity is described by {q}"]
    if i2 in I2:
        parts.append(f"I² {I2[i2].cited}")
    text = " and ".join(parts)
    way = fit.conventions.get("tau2_interval")
    if way in TAU2_INTERVAL and fit.conventions.get("model") != "common" and not math.isnan(fit.tau2):
        text += f"; intervals for τ² and I² by {TAU2_INTERVAL[way].cited}"
    return f"{text}."


def _others(fit: Pooled) -> str:
    profile = fit.conventions.get("profile")
    rest = {
        str(k).replace("_", " "): v for k, v in fit.conventions.items() if k not in _SAID_IN_PROSE and v is not None
    }
    listed = ", ".join(f"{name} {value}" for name, value in sorted(rest.items()))
    said = [f"Where nothing else is said, the conventions are those of the profile {profile}."] if profile else []
    return " ".join([*said, f"Further conventions: {listed}."] if listed else said)


def software() -> str:
    """The programs behind a number, as a sentence."""
    return "Computed with " + ", ".join(f"{name} {version}" for name, version in versions().items()) + "."
