"""The form of a question: what may be chosen, what was given, and the address that asks the same again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from balm.actions.guidance import Guidance, Guided, ask
from balm.guidance.therapy import Named
from balm.review.synthesis import Synthesis

#: Fields of one value; anything else in the address is no question.
FIELDS = ("weight", "setting", "condition", "form", "concentration", "plan", "sessions")
COMORBIDITY = "comorbidity"
#: Longer texts are no weight, and no plan anybody gives.
MOST = 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a menu or a box to tick."""

    value: str
    words: str
    chosen: bool


def given(query: QueryDict) -> dict[str, Any]:
    """What the address asks; an empty field is not asked."""
    found: dict[str, Any] = {name: query[name].strip()[:MOST] for name in FIELDS if query.get(name, "").strip()}
    if ticked := [c.strip()[:100] for c in query.getlist(COMORBIDITY) if c.strip()][:50]:
        found[COMORBIDITY] = ticked
    return found


def asked(guidance: Guidance, synthesis: Synthesis, now: dict[str, Any]) -> Guided:
    """The answer to what was given."""
    return ask(
        guidance,
        synthesis,
        comorbidities=now.get(COMORBIDITY),
        **{name: now.get(name) for name in FIELDS},
    )


def address_of(now: dict[str, Any]) -> str:
    """The question as the query of an address."""
    return urlencode([(n, v) for n in (*FIELDS, COMORBIDITY) if n in now for v in _each(now[n])])


def menus(guidance: Guidance, now: dict[str, Any]) -> dict[str, list[Choice]]:
    """Every menu with what was chosen."""
    therapy = guidance.therapy
    return {
        "settings": _choices(therapy.settings, now.get("setting", therapy.setting)),
        "conditions": [Choice("", "all conditions", "condition" not in now),
                       *_choices(therapy.conditions, now.get("condition"))],
        "forms": [Choice("", "any", "form" not in now), *_choices(therapy.forms, now.get("form"))],
        "comorbidities": _ticks(therapy.comorbidities, now.get(COMORBIDITY, [])),
    }  # fmt: skip


def _choices(words: tuple[Named, ...], chosen: str | None) -> list[Choice]:
    return [Choice(w.id, w.name, chosen is not None and w.is_called(chosen)) for w in words]


def _ticks(words: tuple[Named, ...], chosen: list[str]) -> list[Choice]:
    none = Choice("none", "None of these", "none" in chosen)
    return [*(Choice(w.id, w.name, any(w.is_called(c) for c in chosen)) for w in words), none]


def _each(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
