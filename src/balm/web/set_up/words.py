"""The values of a plan in words: an id as the name it stands for, a measure and a method as the field calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from balm.report.choices import METHODS, MODELS, tau2_choice
from balm.review.set_up.sections import SECTION_BY_KEY, Field, held
from balm.stats.measures import MEASURES
from balm.web.synthesis.choices import interval_words

#: Fields the values of which are short words of the plan, and how each is said.
_SAID: dict[str, Callable[[str], str]] = {
    "measure": lambda name: f"{MEASURES[name].name} ({name})",
    "model": lambda name: MODELS[name].short,
    "method": lambda name: METHODS[name].short,
    "tau2": lambda name: tau2_choice(name).short,
    "inference": interval_words,
}


def words_of(field: Field, plan: Mapping[str, Any]) -> dict[str, str]:
    """``{value: words}`` of a field's options, in their order."""
    if field.ids_of:
        items = [item for item in held(plan, SECTION_BY_KEY[field.ids_of]) if item.get("id")]
        return {str(item["id"]): str(item.get("name") or item.get("title") or item["id"]) for item in items}
    say = _SAID.get(field.name)
    return {value: _up(say(value)) if say else value for value in field.options}


def in_words(field: Field, value: Any, plan: Mapping[str, Any]) -> str:
    """A value as a reader sees it: yes and no, a list in one line, options in their words; nothing where none is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = words_of(field, plan)
    values = value if isinstance(value, list) else [value]
    return "; ".join(words.get(str(one), str(one)) for one in values)


def _up(words: str) -> str:
    return words[:1].upper() + words[1:]
