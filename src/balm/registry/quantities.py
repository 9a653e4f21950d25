"""What is observed during an infusion: unit, the values that can be true, and the code it leaves with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """``low`` and ``high`` are the ends outside which a number is a slip, not the ends of health."""

    name: str
    label: str
    unit: str  # UCUM
    low: float
    high: float
    loinc: str = ""
    whole: bool = False


#: LOINC codes; a quantity without one leaves as text. Each was sought with its name in November 2026: the vital signs
#: in HL7's value set of them (59408-5, by pulse oximetry, in public mappings); 72514-3, "Pain severity - 0-10 verbal
#: numeric rating", in HL7 Belgium's guide, which says nothing of an average over seven days; 1742-6, 1920-8 and 2324-2
#: (enzymatic activity in serum or plasma) and 14631-6 (bilirubin, total, moles by volume) in public mappings that print
#: the code with its name.
QUANTITIES = {
    q.name: q
    for q in (
        Quantity("systolic", "Systolic blood pressure", "mm[Hg]", 40, 300, "8480-6"),
        Quantity("diastolic", "Diastolic blood pressure", "mm[Hg]", 20, 200, "8462-4"),
        Quantity("heart-rate", "Heart rate", "/min", 20, 250, "8867-4"),
        Quantity("saturation", "Oxygen saturation", "%", 50, 100, "59408-5"),
        Quantity("respiratory-rate", "Respiratory rate", "/min", 3, 60, "9279-1"),
        Quantity("temperature", "Body temperature", "Cel", 30, 43, "8310-5"),
        Quantity("pain", "Pain now, 0 to 10", "{score}", 0, 10, "72514-3"),
        Quantity("sedation", "Richmond agitation-sedation scale, -5 to 4", "{score}", -5, 4, "", whole=True),
        Quantity("dissociation", "CADSS-6, total of six items 0 to 4", "{score}", 0, 24, "", whole=True),
        Quantity("alt", "Alanine aminotransferase", "U/L", 0, 20000, "1742-6"),
        Quantity("ast", "Aspartate aminotransferase", "U/L", 0, 20000, "1920-8"),
        Quantity("ggt", "Gamma glutamyl transferase", "U/L", 0, 20000, "2324-2"),
        Quantity("bilirubin", "Bilirubin", "umol/L", 0, 1000, "14631-6"),
    )
}
