"""Certainty of a network estimate from its direct and indirect parts (GRADE for network meta-analysis)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from balm.review.certainty.words import LEVELS, level_after
from balm.vocabulary.problems import InputError, check_option

SOURCE = "Puhan et al. BMJ 2014;349:g5630; Brignardello-Petersen et al. J Clin Epidemiol 2018;93:36-44"


@dataclass(frozen=True, slots=True)
class NetworkCertainty:
    """The certainty of the indirect and the network estimate, with every step in words."""

    indirect: str | None
    network: str
    steps: tuple[str, ...]


def network_certainty(
    *,
    direct: str | None = None,
    loop: Sequence[str] | None = None,
    intransitivity: int = 0,
    direct_share: float | None = None,
    incoherence: int = 0,
    imprecision: int = 0,
) -> NetworkCertainty:
    """The certainty of a network estimate.

    direct         : certainty of the direct evidence, before imprecision; None when there is none.
    loop           : the two direct comparisons of the dominant first-order loop (more where only a longer path joins
                     the two treatments), before imprecision; None when no loop.
    intransitivity : levels (0, -1, -2) taken off the indirect estimate.
    direct_share   : share of the information that is direct, 0 to 1; the part that gives more sets the certainty,
                     the higher of the two where it is not known.
    incoherence    : levels taken off where direct and indirect results disagree.
    imprecision    : levels taken off for the interval of the network estimate (0 to -3).

    >>> network_certainty(direct="moderate", loop=("high", "low"), imprecision=-1).network
    'low'
    """
    for name, level in (("direct", direct), *(("loop", one) for one in loop or ())):
        if level is not None:
            check_option(name, level, LEVELS)
    for name, value, most in (
        ("intransitivity", intransitivity, -2), ("incoherence", incoherence, -2), ("imprecision", imprecision, -3),
    ):  # fmt: skip
        if not most <= value <= 0:
            raise InputError(f"{name} must be a whole number from {most} to 0; got {value!r}")
    if direct_share is not None and not 0 <= direct_share <= 1:
        raise InputError(f"direct_share must lie between 0 and 1; got {direct_share!r}")
    steps: list[str] = []
    indirect = None
    if loop is not None:
        lower = min(loop, key=LEVELS.index)
        indirect = level_after(lower, intransitivity)
        among = f"the lower of {loop[0]} and {loop[1]}" if len(loop) == 2 else f"the lowest of {', '.join(loop)}"
        steps.append(f"indirect: {among}, intransitivity {intransitivity}: {indirect}")
    if direct is None and indirect is None:
        raise InputError("neither direct evidence nor a loop is given; a network estimate needs one of them")
    if direct is None or indirect is None:
        begin = direct or indirect or LEVELS[0]
        steps.append(f"only one kind of evidence: {begin}")
        if incoherence:
            raise InputError("incoherence needs both direct and indirect evidence")
    elif direct_share is None:
        begin = max(direct, indirect, key=LEVELS.index)
        steps.append(f"the higher of direct ({direct}) and indirect ({indirect}): {begin}")
    else:
        begin = direct if direct_share >= 0.5 else indirect
        steps.append(f"direct evidence gives {100 * direct_share:.0f}% of the information: {begin}")
    network = level_after(begin, incoherence + imprecision)
    steps.append(f"incoherence {incoherence}, imprecision {imprecision}: {network}")
    return NetworkCertainty(indirect, network, tuple(steps))
