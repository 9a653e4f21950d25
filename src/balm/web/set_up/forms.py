"""Forms made from the table of sections: a field of the plan as a field of a form, and back as a value of the plan."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import slugify

from balm.review.set_up.sections import Field, Section, value_at
from balm.web.set_up.words import words_of


class NumberText(forms.Field):
    """A number as it is typed; whole numbers stay whole."""

    def to_python(self, value: Any) -> Any:
        """The number, or ``None`` for nothing."""
        text = str(value or "").strip()[:40].replace("\u2212", "-")
        if not text:
            return None
        try:
            found = int(text) if re.fullmatch(r"[+-]?\d{1,15}", text) else float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise forms.ValidationError("Give a number, such as 10 or 0.95.")
        return found


class LinesText(forms.CharField):
    """A list, one item a line; blank lines are passed over."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[str]:
        """The items."""
        return [line.strip() for line in super().to_python(value).splitlines() if line.strip()]


class ChangeForm(forms.Form):
    """Why, and what was there when the change was begun."""

    reason = forms.CharField(label="Reason for the change", max_length=1000, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, settled: bool, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.fields["reason"].required = settled


class TextForm(forms.Form):
    """The whole plan."""

    text = forms.CharField(
        label="review.toml",
        strip=False,
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 30, "class": "code", "spellcheck": "false", "wrap": "off"}),
    )


def item_form(section: Section, plan: Mapping[str, Any], *, blank: bool = False) -> type[forms.Form]:
    """A form for one table of a section; of a new item (``blank``) nothing is required until something is given."""
    fields: dict[str, Any] = {}
    for field in section.fields:
        made = form_field(field, plan)
        if blank:
            made.required = False
            made.asked = field.required  # type: ignore[attr-defined]
        if blank and field.name == "id":
            made.help_text = f"{field.help}; made from the name where it is left empty"
        fields[field.name.replace(".", "__")] = made
    return type("ItemForm", (forms.Form,), fields)


def form_field(field: Field, plan: Mapping[str, Any]) -> forms.Field:
    """The field of a form for a field of the plan."""
    said = {"label": field.label, "required": field.required, "help_text": field.help}
    options = list(words_of(field, plan).items())
    if field.kind == "choice":
        choices = [("", "choose" if field.required else "not said"), *options]
        return forms.ChoiceField(choices=choices, **said)
    if field.kind == "choices":
        return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **said)
    if field.kind == "flag":
        return forms.BooleanField(**said | {"required": False})
    if field.kind == "lines":
        return LinesText(widget=forms.Textarea(attrs={"rows": 5}), max_length=20_000, **said)
    if field.kind == "number":
        return NumberText(widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 10}), **said)
    if field.kind == "long":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=20_000, **said)
    return forms.CharField(max_length=2000, **said)


def shown(section: Section, table: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows of a table of the plan."""
    values = {}
    for field in section.fields:
        value = value_at(table, field.name)
        if field.kind == "lines" and isinstance(value, list):
            value = "\n".join(str(one) for one in value)
        elif field.kind == "number" and isinstance(value, float):
            value = f"{value:g}" if float(f"{value:g}") == value else repr(value)
        values[field.name.replace(".", "__")] = value
    return values


def values_of(section: Section, form: forms.Form, table: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says, as values of the plan: empty is not given, and a flag that was never given stays so."""
    values: dict[str, Any] = {}
    for field in section.fields:
        value = form.cleaned_data[field.name.replace(".", "__")]
        if isinstance(value, str):
            value = "\n".join(value.splitlines()).strip()
        empty = value in (None, "", [])
        if field.kind == "flag" and not value and value_at(table, field.name) is None:
            empty = True
        was = value_at(table, field.name)
        if field.kind in ("lines", "choices") and empty and was == []:
            value, empty = [], False
        if field.kind == "choices" and isinstance(was, list) and sorted(map(str, was)) == sorted(value):
            value = was  # ticks have no order; the file's stays
        values[field.name] = None if empty else value
    return values


def with_id(values: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    """A new item that was given a name and no id, with an id made from its name that no other has."""
    name = slugify(values.get("name") or values.get("title") or "")[:60].strip("-")
    if "id" not in values or values["id"] or not name:
        return values
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return values | {"id": found}
