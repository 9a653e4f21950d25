"""What a dose can be at all: it catches a slip of the unit or of the decimal point, and is no limit of dose."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from balm.registry.doses import dose_mg, rate_mg_h
from balm.registry.rows import Segment
from balm.registry.tables import WEIGHT_KG


@dataclass(frozen=True, slots=True)
class Guard:
    """The largest bolus in mg/kg and rate in mg/kg/h that are believed, and why."""

    bolus: Decimal
    rate: Decimal
    why_bolus: str
    why_rate: str


#: Drug -> what can be. The figures are those of the guidance's own guards (``guidance/therapy.toml`` of the review).
GUARDS = {
    "ketamine": Guard(
        Decimal(5),
        Decimal(10),
        "above what is given even to induce anaesthesia",
        "the highest rate on record is 7 mg/kg/h, in intensive care",
    )
}


def beyond_belief(segment: Segment, weight: Decimal | None) -> tuple[str, str] | None:
    """Column and reason where a segment holds what nobody was given; ``None`` where it can be.

    Without a weight the heaviest body that the registry takes counts, so that nothing possible is refused.
    """
    guard = GUARDS.get(segment.drug.strip().casefold())
    column = "dose" if segment.kind == "bolus" or segment.rate is None else "rate"
    value, printed = getattr(segment, column), getattr(segment, f"{column}_unit")
    if guard is None or value is None or printed is None:
        return None
    kg = weight if weight else Decimal(str(WEIGHT_KG[1]))
    if segment.kind == "bolus":
        amount, most, unit, why = dose_mg(segment, kg), guard.bolus, "mg/kg", guard.why_bolus
    else:
        amount, most, unit, why = rate_mg_h(segment, kg), guard.rate, "mg/kg/h", guard.why_rate
    if amount is None or amount / kg <= most:
        return None
    of = f"{'for' if weight else 'even for'} {kg.normalize():f} kg"
    return column, (
        f"{value.normalize():f} {printed} is {amount / kg:.4g} {unit} {of}, which is not plausible "
        f"(expected up to {most} {unit}): {why}; is the unit right?"
    )
