"""One analysis of a review for machines: everything it found, at full precision."""

from __future__ import annotations

import dataclasses
from typing import Any

from balm.report.result_json import as_json, plain
from balm.review.analysis_data import data_of
from balm.review.synthesis import AnalysisResult
from balm.stats.pooling.pooled import Pooled


def analysis_as_json(result: AnalysisResult) -> dict[str, Any]:
    """The analysis as plain dicts, lists, strings and finite numbers; what could not be estimated is ``None``."""
    return {
        "id": result.id,
        "title": result.title,
        "measure": result.measure,
        "fit": _fit(result.fit),
        "single": _single(result),
        "why_not_pooled": result.why_not_pooled,
        "not_pooled": [[study, why] for study, why in result.not_pooled],
        "absolute": plain(dataclasses.asdict(result.absolute)) if result.absolute is not None else None,
        "subgroups": [{"level": s.level, "fit": _fit(s.fit), "note": s.note} for s in result.subgroups],
        "subgroup_test": plain(dict(result.subgroup_test)),
        "sensitivity": [
            {"label": s.label, "changed": s.changed, "fit": _fit(s.fit), "note": s.note} for s in result.sensitivity
        ],
        "data": data_of(result),
    }


def _fit(fit: Pooled | None) -> dict[str, Any] | None:
    return None if fit is None else as_json(fit)


def _single(result: AnalysisResult) -> dict[str, Any] | None:
    one = result.single
    if one is None:
        return None
    return plain(  # type: ignore[no-any-return]
        {
            "study": one.row.study,
            "estimate": one.estimate,
            "ci_low": one.interval.low,
            "ci_high": one.interval.high,
            "level": one.interval.level,
            "p": one.p,
        }
    )
