"""What a release keeps of the results: every analysis and network with its certainty, at full precision.

``shown`` of an analysis is what its pages and files show of it: studies, people, the estimate with its interval.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from balm.report.analysis_json import analysis_as_json
from balm.report.result_json import plain
from balm.review.analysis_data import data_hash
from balm.review.certainty.decided import Decided
from balm.review.certainty.planned_network import network_certainties
from balm.review.certainty.rating import certainty_of
from balm.review.living.changed import standing_of
from balm.review.living.standing import Standing
from balm.review.networks.analysed import NetworkResult
from balm.review.package import Package
from balm.review.synthesis import Synthesis


def results_json(synthesis: Synthesis) -> str:
    """``analyses`` and ``networks`` of the plan, each as it was carried out."""
    made = []
    for a in synthesis.analyses:
        c = certainty_of(synthesis.package, a)
        more = {
            "data_hash": data_hash(a),
            "shown": asdict(standing_of(a)),
            "certainty": _rated(c, c.proposed.certainty),
        }
        made.append(analysis_as_json(a) | more)
    networks = [_network(synthesis.package, n) for n in synthesis.networks]
    whole = {"analyses": made, "networks": networks}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def released_standings(results: Mapping[str, bytes], analysis: str) -> dict[str, Standing]:
    """Version -> what an analysis said when it was released; without those that had not planned it, or did not keep it.

    results : version -> the results of its release, as :func:`results_json` wrote them.
    """
    found = {}
    for version, data in results.items():
        kept = json.loads(data)
        planned = kept["analyses"] if isinstance(kept, dict) else ()
        shown = next((a["shown"] for a in planned if a["id"] == analysis), None)
        if shown is not None:
            found[version] = Standing(**shown)
    return found


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
