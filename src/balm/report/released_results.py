"""What a release keeps of the results: every analysis and network with its certainty, at full precision."""

from __future__ import annotations

import json
from typing import Any

from balm.report.analysis_json import analysis_as_json
from balm.report.result_json import plain
from balm.review.analysis_data import data_hash
from balm.review.certainty.decided import Decided
from balm.review.certainty.planned_network import network_certainties
from balm.review.certainty.rating import certainty_of
from balm.review.networks.analysed import NetworkResult
from balm.review.package import Package
from balm.review.synthesis import Synthesis


def results_json(synthesis: Synthesis) -> str:
    """``analyses`` and ``networks`` of the plan, each as it was carried out."""
    made = []
    for a in synthesis.analyses:
        c = certainty_of(synthesis.package, a)
        made.append(analysis_as_json(a) | {"data_hash": data_hash(a), "certainty": _rated(c, c.proposed.certainty)})
    networks = [_network(synthesis.package, n) for n in synthesis.networks]
    whole = {"analyses": made, "networks": networks}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rated(c: Decided, proposed: str) -> dict[str, Any]:
    return {"certainty": c.certainty, "proposed": proposed, "stale": c.stale, "basis": c.basis}


def _network(package: Package, n: NetworkResult) -> dict[str, Any]:
    """A network part by part, and the certainty of each comparison."""
    return {
        "id": n.id,
        "title": n.title,
        "measure": n.measure,
        "parts": [
            {
                "treatments": list(part.treatments),
                "reference": part.reference,
                "studies": [s.study for s in part.studies],
                "why_not_compared": part.why,
                "fit": None if part.fit is None else plain(part.fit.to_dict()),
            }
            for part in n.parts
        ],
        "why_not_compared": n.why_none,
        "not_used": [[study, why] for study, why in n.not_used],
        "certainty": [
            {"treatment": c.comparison.treatment, "against": c.comparison.against} | _rated(c, c.proposed)
            for c in network_certainties(package, n)
        ],
    }
