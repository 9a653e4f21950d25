"""Data in and out: import with a mapping and a dry run, export, and the definition with its instruments."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.archive import archive_clinic
from balm.actions.clinic.clinics import change_definition
from balm.actions.clinic.importing import FORMATS, MOST_BYTES, bring_in, mapping_from, plan, registry_zip, sheet_of
from balm.registry.mapping import Mapping
from balm.registry.tables import TABLE_BY_NAME, TABLES
from balm.store.registry.current import definition_of
from balm.store.registry.models import Definition
from balm.vocabulary.problems import InputError
from balm.web.registry.entry import in_clinic, page
from balm.web.security import accepts_body

#: Problems of a file that one page shows; their number stands above them.
SHOWN = 200


@accepts_body(8 * 1024**2)
@require_http_methods(["GET", "POST"])
@in_clinic("clinic import")
def bring(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """Choose a file, say which column fills what, look at the dry run, then bring it in: nothing is half-saved."""
    context: dict[str, Any] = {"tables": [t.attribute for t in TABLES]}
    if request.method == "GET":
        return page(request, acting, "import", context)
    try:
        name, data = _file(request)
        sheet = sheet_of(name, data)
    except InputError as error:
        return page(request, acting, "import", context | {"problems": error.problems[:SHOWN]}, status=422)
    table = request.POST.get("table", "")
    chosen = TABLE_BY_NAME.get(table)
    columns = {c.name: request.POST.get(f"column:{c.name}", "") for c in chosen.columns} if chosen else {}
    mapped = any(n.startswith("column:") for n in request.POST)
    context |= {
        "name": name, "packed": base64.b64encode(zlib.compress(data)).decode(), "sheet": sheet, "table": table,
        "first": sheet.rows[:3], "date_format": request.POST.get("date_format", ""),
        "decimal": request.POST.get("decimal", "."), "text": request.POST.get("mapping", "")[:100_000],
    }  # fmt: skip
    try:
        how = mapping_from(
            sheet, table=table, columns=columns if mapped else None, text=context["text"],
            date_format=context["date_format"], decimal=context["decimal"],
        )  # fmt: skip
    except InputError as error:
        context |= {"choose": _menus(chosen, sheet.header, columns), "problems": error.problems[:SHOWN]}
        return page(request, acting, "import", context, status=422)
    context["choose"] = _menus(chosen, sheet.header, columns if mapped else _filled(how, table))
    if request.POST.get("do") == "save":
        try:
            done = bring_in(acting, sheet, how, data)
        except InputError as error:
            context |= {"problems": error.problems[:SHOWN], "count": len(error.problems)}
            return page(request, acting, "import", context, status=422)
        added = ", ".join(f"{n} {t.replace('_', ' ')}" for t, n in done.added.items() if n) or "nothing new"
        messages.success(request, f"Brought in: {added}.")
        return redirect("clinic_import", clinic=acting.clinic.slug)
    found = plan(acting, sheet, how)
    context |= {"plan": found, "problems": found.problems[:SHOWN], "count": len(found.problems),
                "added": [(t, n) for t, n in found.added.items() if n], "there": list(found.there.items())}  # fmt: skip
    return page(request, acting, "import", context, status=422 if found.problems else 200)


@require_GET
@in_clinic("clinic export")
def take(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """The choice of formats, or the ZIP of the one that was chosen."""
    to = request.GET.get("to", "")
    if not to:
        return page(request, acting, "export", {"formats": FORMATS, "may_take_home": acting.may("clinic take home")})
    made = archive_clinic(acting) if to == "archive" else registry_zip(acting, to)
    response = HttpResponse(made, content_type="application/zip")
    mark = "simulated-" if acting.clinic.simulated else ""
    response.headers["Content-Disposition"] = f'attachment; filename="{mark}{acting.clinic.slug}-{to}.zip"'
    return response


@require_http_methods(["GET", "POST"])
@in_clinic("clinic view")
def definition(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """The definition in force: schedule, responders, protocols, instruments; a lead changes it with a reason."""
    problems: Any = ()
    if request.method == "POST":
        acting.check("clinic set up")
        try:
            change_definition(
                acting, text=request.POST.get("text", "").replace("\r\n", "\n"), instrument=_instrument(request),
                reason=request.POST.get("reason", ""),
            )  # fmt: skip
        except InputError as error:
            problems = error.problems
        else:
            messages.success(request, "The new version holds from now on.")
            return redirect("clinic_definition", clinic=acting.clinic.slug)
    kept = Definition.objects.filter(clinic=acting.clinic).order_by("number")
    latest = kept.last()
    assert latest is not None
    context = {
        "definition": definition_of(acting.clinic), "versions": kept, "problems": problems,
        "text": request.POST.get("text") or latest.text, "may_change": acting.may("clinic set up"),
    }  # fmt: skip
    return page(request, acting, "definition", context, status=422 if problems else 200)


def _instrument(request: HttpRequest) -> tuple[str, str] | None:
    sent = request.FILES.get("instrument")
    if sent is None:
        return None
    try:
        return (sent.name or "").lower(), sent.read(200_001).decode()
    except UnicodeDecodeError:
        raise InputError(f"{sent.name}: not UTF-8") from None


def _file(request: HttpRequest) -> tuple[str, bytes]:
    sent = request.FILES.get("file")
    if sent is not None:
        return sent.name or "table.csv", sent.read(MOST_BYTES + 1)
    packed = request.POST.get("packed", "")
    if not packed:
        raise InputError("choose a file")
    try:
        unpack = zlib.decompressobj()
        data = unpack.decompress(base64.b64decode(packed, validate=True), MOST_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise InputError("the file was lost on the way; choose it again") from None
    return request.POST.get("name", "table.csv"), data


def _filled(how: Mapping, table: str) -> dict[str, str]:
    rule = next((r for r in how.rows if r.table == table), None)
    return dict(rule.columns) if rule else {}


def _menus(chosen: Any, header: tuple[str, ...], columns: dict[str, str]) -> list[tuple[Any, list[tuple[str, bool]]]]:
    """For each column of the chosen table, the columns of the file, with the one that fills it."""
    if chosen is None:
        return []
    found = []
    for c in chosen.columns:
        same = c.name if c.name in header and not any(columns.values()) else ""
        fills = columns.get(c.name) or same
        found.append((c, [(h, h == fills) for h in header]))
    return found
