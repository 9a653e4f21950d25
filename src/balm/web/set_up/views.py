"""Set up a review: its plan at a glance, each section in a form, and the whole as text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from balm.actions.team import set_up as action
from balm.actions.team.acting import Acting
from balm.review.set_up.sections import SECTION_BY_KEY, SECTIONS, Section, held, value_at
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review
from balm.web.set_up.forms import ChangeForm, TextForm, item_form, shown, values_of, with_id
from balm.web.set_up.words import in_words


@dataclass
class Item:
    """One item of a list in its form: where it stands now (``None`` for a new one), and where it shall stand."""

    number: int
    was: int | None
    form: forms.Form
    removed: bool = False
    place: str = ""

    @property
    def is_new(self) -> bool:
        """Whether it is not in the list yet."""
        return self.was is None


@in_review("view")
@require_safe
def set_up(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The plan at a glance."""
    plan = _plan(acting)
    parts = [(one, _glance(one, held(plan, one), plan)) for one in SECTIONS]
    context = {"acting": acting, "review": acting.review, "parts": parts, "may_change": acting.may("set up")}
    return render(request, "set_up/set_up.html", context)


@in_review("set up")
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, acting: Acting, section: str) -> HttpResponse:
    """One section in its form."""
    found = SECTION_BY_KEY.get(section)
    if found is None:
        raise Http404
    return _list(request, acting, found) if found.many else _table(request, acting, found)


@in_review("set up")
@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The whole plan as text, for what no form holds."""
    now, seen = action.plan_text(acting.review)
    posted = request.POST if request.method == "POST" else None
    form = TextForm(posted, initial={"text": now})
    change = _change_form(acting, posted, seen)
    if posted is not None and form.is_valid() and change.is_valid():
        given = form.cleaned_data["text"]
        if "\r\n" not in now:
            given = given.replace("\r\n", "\n")
        try:
            action.change_text(acting, given, **change.cleaned_data)
        except InputError as error:
            _add_problems(form, error)
        else:
            return _saved(request, acting, "The plan")
    context = {"title": "The whole plan as text", "forms": [form], "change": change}
    return _page(request, acting, "set_up/text.html", context, wrong=bool(form.errors or change.errors))


def _table(request: HttpRequest, acting: Acting, found: Section) -> HttpResponse:
    now, seen = action.plan_text(acting.review)
    plan = _parsed(now)
    table = held(plan, found)
    posted = request.POST if request.method == "POST" else None
    form = item_form(found, plan)(posted, initial=shown(found, table))
    change = _change_form(acting, posted, seen)
    if posted is not None and form.is_valid() and change.is_valid():
        try:
            action.change_table(acting, found, values_of(found, form, table), **change.cleaned_data)
        except InputError as error:
            _add_problems(form, error)
        else:
            return _saved(request, acting, found.title)
    context = {"section": found, "title": found.title, "form": form, "change": change}
    return _page(request, acting, "set_up/table.html", context, wrong=bool(form.errors or change.errors))


def _list(request: HttpRequest, acting: Acting, found: Section) -> HttpResponse:
    now, seen = action.plan_text(acting.review)
    plan = _parsed(now)
    tables = held(plan, found)
    posted = request.POST if request.method == "POST" else None
    items = [_item(found, plan, posted, i, table) for i, table in enumerate(tables)]
    items.append(_item(found, plan, posted, len(tables), None))
    change = _change_form(acting, posted, seen)
    given = [item for item in items if item.form.is_bound and not item.removed]
    valid = sum(not _is_valid(found, item) for item in given) == 0  # each is looked at: all their errors are shown
    problems: list[str] = []
    if posted is not None and valid and change.is_valid():
        kept = [item for item in given if not item.is_new or any(item.form.cleaned_data.values())]
        kept.sort(key=lambda item: (_place(item), item.number))
        values = [
            (item.was, values_of(found, item.form, {} if item.was is None else tables[item.was])) for item in kept
        ]
        taken = {str(table.get("id")) for table in tables}
        values = [(was, with_id(table, taken) if was is None else table) for was, table in values]
        try:
            action.change_list(acting, found, values, **change.cleaned_data)
        except InputError as error:
            problems = [str(p) for p in error.problems[:20]]
        else:
            return _saved(request, acting, found.title, again="again" in request.POST and found)
    wrong = bool(problems or change.errors or any(item.form.errors for item in given))
    context = {"section": found, "title": found.title, "items": items, "change": change, "problems": problems}
    return _page(request, acting, "set_up/list.html", context, wrong=wrong)


def _item(found: Section, plan: Mapping[str, Any], posted: Any, number: int, table: Any) -> Item:
    made = item_form(found, plan, blank=table is None)
    form = made(posted, initial=shown(found, table or {}), prefix=str(number))
    return Item(
        number=number + 1,
        was=None if table is None else number,
        form=form,
        removed=posted is not None and posted.get(f"{number}-remove") == "on",
        place=(posted or {}).get(f"{number}-place", str(number + 1)),
    )


def _is_valid(found: Section, item: Item) -> bool:
    """Whether the form of an item can be taken; a new one that something was given for lacks nothing that is needed."""
    if not item.form.is_valid():
        return False
    said = item.form.cleaned_data
    if item.is_new and any(said.values()):
        named = said.get("name") or said.get("title")
        for field in found.fields:
            name = field.name.replace(".", "__")
            if (
                field.required
                and field.kind != "flag"
                and said.get(name) in (None, "", [])
                and not (name == "id" and named)
            ):
                item.form.add_error(name, f"Give the {field.label.lower()}; it is needed.")
    return not item.form.errors


def _place(item: Item) -> float:
    try:
        place = float(item.place)
    except ValueError:
        return item.number
    # Somebody who says "2" for what stood later means: before what stands second now.
    return place - 0.5 if place < item.number else place + 0.5 if place > item.number else place


def _change_form(acting: Acting, posted: Any, seen: str) -> ChangeForm:
    return ChangeForm(posted, initial={"seen": seen}, settled=action.is_settled(acting.review))


def _plan(acting: Acting) -> dict[str, Any]:
    return _parsed(action.plan_text(acting.review)[0])


def _parsed(now: str) -> dict[str, Any]:
    return tomllib.loads(now.removeprefix(action.BOM))


def _glance(found: Section, value: Any, plan: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    """What the overview says of a section: label and text of each field that is given, for each item."""
    tables = value if found.many else [value]
    rows = [[(f.label, in_words(f, value_at(table, f.name), plan)) for f in found.fields] for table in tables]
    return [row for row in rows if any(text for _, text in row)]


def _add_problems(form: forms.Form, error: InputError) -> None:
    for problem in error.problems[:20]:
        form.add_error(None, str(problem))


def _saved(request: HttpRequest, acting: Acting, title: str, again: Any = False) -> HttpResponse:
    messages.success(request, f"{title}: saved.")
    if again:
        return redirect("set_up_section", slug=acting.review.slug, section=again.key)
    return redirect("set_up", slug=acting.review.slug)


def _page(request: HttpRequest, acting: Acting, template: str, context: dict[str, Any], *, wrong: bool) -> HttpResponse:
    context |= {"acting": acting, "review": acting.review}
    return render(request, template, context, status=422 if wrong else 200)
