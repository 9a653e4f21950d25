"""The domains and the words of each tool, as tables of judgements name them: D1, D2 ... and what they stand for.

For tables that were made elsewhere. The instruments that balm asks and computes itself are data files
(``instruments/``); this table also names tools that are only drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Judgements that belong to every tool in a table: what was not told, and what does not apply.
ALWAYS = ("no information", "not applicable")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its domains by code, and the judgements it knows."""

    domains: Mapping[str, str]
    judgements: tuple[str, ...]


_RANDOMISED = ("low", "some concerns", "high")
_ROB_2 = {
    "D1": "Randomisation process",
    "D2": "Deviations from the intended interventions",
    "D3": "Missing outcome data",
    "D4": "Measurement of the outcome",
    "D5": "Selection of the reported result",
}
_IDENTIFICATION = "Timing of identification or recruitment of participants"

TOOLS: dict[str, Tool] = {
    # Sterne JAC, et al. BMJ 2019;366:l4898.
    "RoB 2": Tool(_ROB_2, _RANDOMISED),
    # Eldridge S, et al. RoB 2 for cluster-randomized trials, 2021: domain 1 in two parts.
    "RoB 2 cluster": Tool({"D1A": _ROB_2["D1"], "D1B": _IDENTIFICATION} | _ROB_2, _RANDOMISED),
    # Higgins JPT, et al. RoB 2 for crossover trials, 2021: domain S after domain 1.
    "RoB 2 crossover": Tool({"DS": "Period and carryover effects"} | _ROB_2, _RANDOMISED),
    # Sterne JA, et al. BMJ 2016;355:i4919.
    "ROBINS-I": Tool(
        {
            "D1": "Confounding",
            "D2": "Selection of participants",
            "D3": "Classification of interventions",
            "D4": "Deviations from intended interventions",
            "D5": "Missing data",
            "D6": "Measurement of outcomes",
            "D7": "Selection of the reported result",
        },
        ("low", "moderate", "serious", "critical"),
    ),
    # ROBINS-I version 2, riskofbias.info.
    "ROBINS-I V2": Tool(
        {
            "D1": "Confounding",
            "D2": "Classification of interventions",
            "D3": "Selection of participants",
            "D4": "Missing data",
            "D5": "Measurement of the outcome",
            "D6": "Selection of the reported result",
        },
        ("low", "moderate", "serious", "critical"),
    ),
    # Higgins JPT, et al. Environ Int 2024;186:108602.
    "ROBINS-E": Tool(
        {
            "D1": "Confounding",
            "D2": "Measurement of the exposure",
            "D3": "Selection of participants",
            "D4": "Post-exposure interventions",
            "D5": "Missing data",
            "D6": "Measurement of the outcome",
            "D7": "Selection of the reported result",
        },
        ("low", "some concerns", "high", "very high"),
    ),
    # Whiting PF, et al. Ann Intern Med 2011;155:529-36. "Some concerns" stands in many tables for "unclear".
    "QUADAS-2": Tool(
        {"D1": "Patient selection", "D2": "Index test", "D3": "Reference standard", "D4": "Flow and timing"},
        ("low", "unclear", "some concerns", "high"),
    ),
    # Hayden JA, et al. Ann Intern Med 2013;158:280-6.
    "QUIPS": Tool(
        {
            "D1": "Study participation",
            "D2": "Study attrition",
            "D3": "Prognostic factor measurement",
            "D4": "Outcome measurement",
            "D5": "Study confounding",
            "D6": "Statistical analysis and reporting",
        },
        ("low", "moderate", "high"),
    ),
}
