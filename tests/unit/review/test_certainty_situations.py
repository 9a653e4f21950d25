"""Small bodies of evidence from a package to what is proposed and said: each once went wrong or is easily got wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from balm.report.summary_of_findings import Finding, summary_of_findings
from balm.review.certainty.rating import Certainty, certainty_of
from balm.review.reading import read_package
from balm.review.schema import TABLES
from balm.review.synthesis import synthesise

PLAN = """
[review]
id = "made"
title = "Made situations"
version = "1"
date = "2026-01-01"
status = "Made up."
[question]
population = "Adults"
intervention = "Drug"
comparators = "Placebo"
outcomes = "Relief"
[[scales]]
id = "mm"
name = "Scale"
low = 0
high = 100
unit = "mm"
[[windows]]
id = "end"
name = "end of treatment"
after = 0
until = 30
[[comparisons]]
id = "drug"
name = "Drug against placebo"
group_1 = "Drug"
group_2 = "Placebo"
roles_1 = ["intervention"]
roles_2 = ["placebo"]
[[outcomes]]
id = "out"
name = "Relief"
domain = "pain"
direction = "higher is better"
{outcome}
[[analyses]]
id = "it"
title = "Relief"
outcome = "out"
comparison = "drug"
windows = ["end"]
{analysis}
"""
COUNTS, MEANS = 'kind = "binary"', 'kind = "continuous"\nscale = "mm"\nunit = "mm"'
SAID = {"verified": "yes", "usable": "yes"}


def found(
    analysis: str,
    *,
    outcome: str = COUNTS,
    arms: Any = (),
    contrasts: Any = (),
    design: str = "parallel",
    tool: str = "",
) -> tuple[Certainty, Finding]:
    """The certainty and the row of an analysis; ``arms`` holds the cells of both groups of each study."""
    rows: dict[str, list[dict[str, object]]] = {"results.csv": []}
    sides = (("drug", "intervention"), ("none", "placebo"))
    for i, study in enumerate(arms or contrasts):
        name = "ABCDEF"[i]
        rows.setdefault("studies.csv", []).append(
            {"study": name, "label": name, "design": design, "scope": "included", **SAID}
        )
        for n, (arm, role) in enumerate(sides):
            rows.setdefault("arms.csv", []).append({"study": name, "arm": arm, "label": arm, "role": role, **SAID})
            at = {"study": name, "outcome": "out", "time": 10, "time_unit": "d", "how_read": "reported", **SAID}
            if arms:
                rows.setdefault("results.csv", []).append({"result": name + arm, "arm": arm, **study[n], **at})
            elif not n:
                rows.setdefault("contrasts.csv", []).append(
                    {"contrast": name, "arm_1": "drug", "arm_2": "none", **study, **at}
                )
        if tool:
            rows.setdefault("risk_of_bias.csv", []).append(
                {"study": name, "tool": tool, "domain": "Overall", "judgement": "low", **SAID}
            )
    files = {"review.toml": PLAN.format(outcome=outcome, analysis=analysis).encode()}
    for table in TABLES:
        if table.file in rows:
            heads = [c.name for c in table.columns]
            lines = [",".join(heads)] + [",".join(str(r.get(h, "")) for h in heads) for r in rows[table.file]]
            files[table.file] = "\n".join(lines).encode()
    package, problems = read_package(files, Path("made"))
    assert package is not None, problems
    synthesis = synthesise(package)
    (row,) = summary_of_findings(synthesis, analyses=["it"]).findings
    return certainty_of(package, synthesis.analysis("it")), row


def counts(*studies: tuple[int, int, int, int]) -> list[Any]:
    return [({"events": a, "n": n}, {"events": b, "n": m}) for a, n, b, m in studies]


def means(*studies: tuple[float, float, int]) -> list[Any]:
    return [({"mean": a, "sd": 20, "n": n, "scale": "mm"}, {"mean": b, "sd": 20, "n": n, "scale": "mm"})
            for a, b, n in studies]  # fmt: skip


def proposal(c: Certainty, domain: str) -> Any:
    return c.proposed.domain(domain)


def test_a_hazard_ratio_is_rated_by_events_and_said_as_a_ratio() -> None:
    one = {"measure": "HR", "estimate": 0.6, "ci_low": 0.45, "ci_high": 0.8, "n_1": 400, "n_2": 400}
    c, row = found('measure = "HR"\ncontrasts = ["A", "B", "C"]', contrasts=[one] * 3)
    imprecision = proposal(c, "imprecision")
    assert imprecision.rating == "not serious" and "information size is met" in imprecision.rule
    assert imprecision.numbers[0] == "HR: 0.6 (0.417 to 0.864)"
    assert "379 events (hazard ratio 0.75); the intervals imply about 557" in imprecision.numbers[3]
    assert (row.participants, imprecision.numbers[-1]) == (2400, "2400 participants")


def test_participants_that_nobody_gave_are_not_known_and_not_nought() -> None:
    one = {"measure": "RR", "estimate": 0.6, "ci_low": 0.45, "ci_high": 0.8}
    c, row = found('measure = "RR"\ncontrasts = ["A"]', contrasts=[one])
    imprecision = proposal(c, "imprecision")
    assert row.participants is None and "number of participants not known" in imprecision.numbers
    assert imprecision.rating == "not serious" and "information size is not known" in imprecision.rule
    assert imprecision.ask


def test_an_odds_ratio_counts_as_the_risk_ratio_it_gives() -> None:
    given = counts(*[(750, 1000, 500, 1000)] * 3)
    c, _ = found('measure = "OR"\ndesigns = ["non-randomised"]', arms=given, design="non-randomised", tool="List")
    large = proposal(c, "large effect")
    assert large.rating == "none" and "risk ratio 1.5 (1.4 to 1.58) at the baseline risk" in large.numbers
    modest = proposal(found('measure = "OR"', arms=counts(*[(75, 200, 100, 200)] * 3), tool="RoB 2")[0], "imprecision")
    assert "relative effect is modest" in modest.rule and "OR 0.6, a risk ratio of 0.75" in modest.numbers[2]


def test_a_standardised_difference_has_no_unit_of_the_scale() -> None:
    c, row = found('measure = "SMD"', outcome=MEANS, arms=means((34, 56, 20), (34, 56, 20), (35, 56, 20)), tool="RoB 2")
    imprecision = proposal(c, "imprecision")
    assert "1.1 standard deviations; optimal information size 785" in imprecision.numbers
    assert (imprecision.rating, c.body.unit) == ("serious", "standard deviations") and "mm" not in row.comment


def test_two_studies_are_not_lowered_far_for_their_degree_of_freedom() -> None:
    outcome = (
        f'{MEANS}\n[outcomes.important_difference]\nvalue = 8\nunit = "mm"\nsource = "A paper."\nverified = true\n'
    )
    outcome += "between_groups = true"
    c, _ = found('measure = "MD"', outcome=outcome, arms=means((50, 56, 60), (51, 57, 60)), tool="RoB 2")
    imprecision = proposal(c, "imprecision")
    assert imprecision.rating == "very serious" and "Wald's interval" in imprecision.rule and imprecision.ask
    assert any(
        n.startswith("two studies, one degree of freedom; Wald's interval is -11.1 to ") for n in imprecision.numbers
    )


def test_everybody_and_nobody_are_not_mixed_up() -> None:
    _, everybody = found('measure = "RR"', arms=counts((40, 40, 40, 40)))
    _, nobody = found('measure = "RR"', arms=counts((0, 40, 0, 40), (0, 40, 0, 40)))
    assert everybody.comment.startswith("All 80 people had an event under “Relief”")
    assert nobody.comment.startswith("Nobody among 160 people had an event")
    assert (nobody.studies, nobody.design) == (2, "randomised trials")


def test_a_small_ratio_is_not_nought_in_the_table() -> None:
    _, row = found('measure = "RR"', arms=counts((0, 150, 6, 150)))
    assert row.relative == "RR 0.08 (0.0044 to 1.35)"


def test_no_total_is_rated_where_the_plan_asks_for_none() -> None:
    c, row = found('measure = "MD"\noverall = false', outcome=MEANS, arms=means((34, 56, 20), (54, 56, 20)))
    assert c.proposed.certainty == "not rated" and "asks for no total" in c.body.nothing
    assert row.risks == () and row.comment.startswith("The plan asks for no total of these studies")


def test_robins_i_is_known_by_its_name() -> None:
    given = counts((150, 500, 50, 500), (160, 500, 50, 500), (150, 500, 50, 500))
    plan = 'measure = "RR"\ndesigns = ["non-randomised"]'
    starts = [
        found(plan, arms=given, design="non-randomised", tool=t)[0].proposed.start for t in ("ROBINS-I V2", "JBI")
    ]
    assert starts == ["high", "low"]
