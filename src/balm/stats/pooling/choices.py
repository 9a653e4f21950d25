"""What the caller asked for, resolved against a profile: every choice named, none ignored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.profiles import DEFAULT, conventions_of
from balm.vocabulary.problems import InputError, check_option, unknown_option
from balm.vocabulary.quick_dataclass import dataclass

#: "ivhet" keeps the common-effect weights but not their variance (Doi et al. 2015, Contemp Clin Trials 45:130).
MODELS = ("random", "common", "ivhet")
I2_CONVENTIONS = ("from-tau2", "from-q")
TAU2_INTERVALS = (
    "q-profile",
    "profile-likelihood",
    "generalised-q",
    "test-based",
    "wald",
    "wald-log",
    "wald-sqrt",
)


@dataclass(frozen=True)
class Choices:
    """The options in force. ``tau2`` is an estimator's name or a number; ``None`` under the common-effect model."""

    profile: str
    model: str
    tau2: str | float | None
    inference: str
    prediction: str
    level: float
    i2: str
    tau2_interval: str
    notes: tuple[str, ...]  # choices that follow from another one, in words
    conventions: Mapping[str, Any]


@lru_cache(maxsize=512)
def choose(
    *,
    profile: str | None = None,
    model: str | None = None,
    tau2: str | float | None = None,
    inference: str | None = None,
    prediction: str | None = None,
    level: float = 0.95,
    i2: str | None = None,
    tau2_interval: str | None = None,
    weighted: bool,
) -> Choices:
    """Settle every option: the caller's word, else the profile's; an error where two cannot stand together."""
    rows = conventions_of(profile)
    model = "random" if model is None else check_option("model", model, MODELS)
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0.0 < level < 1.0:
        raise InputError(f"level must be between 0 and 1 (0.95 means 95%); got {level!r}")
    notes: list[str] = []
    if model == "common":
        if tau2 is not None:
            raise InputError(f"tau2={tau2!r} has no effect under model='common', which has no between-study variance")
        if prediction not in (None, "none"):
            raise InputError(
                f"prediction={prediction!r} needs model='random': a common effect has no distribution to predict"
            )
        estimator: str | float | None = None
    else:
        estimator = _estimator(tau2, rows, model, inference)
    settled = _inference(inference, rows, model, weighted, notes)
    if settled == "profile-likelihood" and estimator != "ML":
        raise InputError(
            f"inference='profile-likelihood' belongs to the ML fit: use tau2='ML' or leave tau2 out; got {tau2!r}"
        )
    shown = "none" if model == "common" else prediction if prediction is not None else rows["prediction"]
    check_option("prediction", shown, list(PREDICTIONS))
    _weights_allow(shown, weighted or model == "ivhet")
    if PREDICTIONS[shown].error == "own" and isinstance(estimator, float):
        raise InputError(
            f"prediction={shown!r} finds the distribution of tau2 itself; with tau2={estimator:g} given, use 't-k-1', "
            "'t-k-2' or 'normal'"
        )
    convention = rows["i2"] if i2 is None else check_option("i2", i2, I2_CONVENTIONS)
    asked = (
        rows["tau2_interval"] if tau2_interval is None else check_option("tau2_interval", tau2_interval, TAU2_INTERVALS)
    )
    if model == "common" and tau2_interval is not None:
        raise InputError(f"tau2_interval={tau2_interval!r} has no effect under model='common'")
    conventions = {
        "profile": DEFAULT if profile is None else profile,
        "method": "inverse-variance",
        "model": model,
        "tau2": estimator,
        "inference": settled,
        "prediction": shown,
        "i2": "from-q" if model == "common" else convention,
        "tau2_interval": "none" if model == "common" else asked,
        "level": float(level),
        "double_zero": rows["double_zero"],
    }
    return Choices(
        profile=str(conventions["profile"]),
        model=model,
        tau2=estimator,
        inference=settled,
        prediction=shown,
        level=float(level),
        i2=str(conventions["i2"]),
        tau2_interval=str(conventions["tau2_interval"]),
        notes=tuple(notes),
        conventions=MappingProxyType(conventions),
    )


def _estimator(tau2: Any, rows: Mapping[str, Any], model: str, inference: str | None) -> str | float:
    if tau2 is None:
        if inference == "profile-likelihood":
            return "ML"
        return "DL" if model == "ivhet" else str(rows["tau2"])
    if isinstance(tau2, str):
        return check_option("tau2", tau2, list(TAU2_ESTIMATORS))
    if isinstance(tau2, bool) or not isinstance(tau2, (int, float)):
        raise unknown_option("tau2", tau2, [*TAU2_ESTIMATORS, "a number"])
    if not 0.0 <= tau2 < float("inf"):
        raise InputError(f"tau2 must be 0 or larger; got {tau2!r}")
    return float(tau2)


def _inference(inference: str | None, rows: Mapping[str, Any], model: str, weighted: bool, notes: list[str]) -> str:
    if inference is not None:
        check_option("inference", inference, list(INFERENCES))
        row = INFERENCES[inference]
        if model not in row.models:
            raise InputError(
                f"inference={inference!r} needs model {' or '.join(repr(m) for m in row.models)}; got model={model!r}"
            )
        if weighted and not row.any_weights:
            raise InputError(
                f"inference={inference!r} is not defined for weights of your own; use 'wald', 't', 'hartung-knapp' or "
                "'hartung-knapp-guarded'"
            )
        return inference
    default = str(rows["inference"])
    row = INFERENCES[default]
    if model not in row.models:
        if model == "ivhet":
            notes.append("Wald interval: the profile's interval is not defined for these weights")
        return "wald"
    if weighted and row.error != "wald":
        notes.append("Wald interval: weights of your own take the profile's interval only where it is asked for")
        return "wald"
    return default


def _weights_allow(prediction: str, weighted: bool) -> None:
    if weighted and PREDICTIONS[prediction].error not in ("in-force", "wald"):
        raise InputError(
            f"prediction={prediction!r} is not defined for these weights; use 't-k-1', 't-k-2' or 'normal'"
        )
