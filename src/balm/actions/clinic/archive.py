"""Take a clinic's registry home, and bring it back: three files that nobody has to keep in one place.

The **registry** holds pseudonyms only: the tables anybody can read, every version of every row, the definitions, the
links to patients' forms, the members by code and the audit trail. The **vault** holds who people are, sealed; the
**keys** open it. The registry says the SHA-256 of the vault it belongs to, and each file carries the sums of what is
in it. Brought to an empty server it is the same registry; archived there again it is the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from balm.actions.archive_zip import check_sums, json_line, json_lines, read_lines, zipped_with_sums
from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.calculations import is_as_kept
from balm.actions.member_table import read_members, written_members
from balm.actions.team.archive import unpack
from balm.registry.definition import FILE
from balm.registry.reading import read_registry, registry_tables
from balm.registry.roles import LEAD, ROLES
from balm.registry.tables import TABLE_BY_NAME
from balm.store.events.chain import HASHED, Actor, append_event, broken_links, lock_chain
from balm.store.events.models import SERVER, ChainHead, Event
from balm.store.identity.keys import key_of, put_key
from balm.store.identity.models import Erasure, Identity
from balm.store.registry.current import BETWEEN, registry_of
from balm.store.registry.models import (
    Clinic,
    ClinicMember,
    Definition,
    Entry,
    FollowUpLink,
    LinkUse,
    Sent,
    SessionCalculation,
)
from balm.vocabulary.problems import InputError, Problem

MEMBER_COLUMNS = ("code", "name", "role", "active")
#: Append-only tables of a clinic and their columns, in the order they come back.
KEPT: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("definitions", Definition, ("number", "text", "instruments", "code", "reason", "at")),
    ("entries", Entry, ("table", "key", "version", "participant", "cells", "code", "reason", "at")),
    ("sent", Sent, ("code", "submission")),
    ("links", FollowUpLink, ("participant", "course", "visit", "secret_hash", "code", "at", "expires")),
    (
        "calculations", SessionCalculation,
        ("session", "number", "participant", "figures", "guidance", "software", "digest", "code", "at"),
    ),
)  # fmt: skip
#: Tables that older archives lack.
LATER = ("calculations",)
IDENTITY, ERASED = ("participant", "version", "sealed", "at"), ("participant", "at")


def archive_clinic(acting: ClinicActing) -> bytes:
    """The registry as a zip, without the vault, for a lead. It stands in the server's trail, not in the clinic's."""
    acting.check("clinic take home")
    return _registry(acting.clinic, acting.actor)


def registry_by_operator(clinic: Clinic) -> bytes:
    """The same, for whoever runs the server."""
    return _registry(clinic, Actor("operator"))


def vault_by_operator(clinic: Clinic) -> bytes:
    """Who people are, sealed: useless without the keys."""
    with transaction.atomic():
        lock_chain(clinic.key)
        files = {**_vault_files(clinic), "clinic.json": _about_vault(clinic)}
        append_event(SERVER, Actor("operator"), "take vault home", "clinic", clinic.key)
    return zipped_with_sums(files)


def keys_by_operator(clinic: Clinic) -> bytes:
    """The keys of the people who are not erased. Keep them apart from the vault, or it is no vault."""
    people = Identity.objects.filter(clinic_key=clinic.key).values_list("participant", flat=True).distinct()
    with transaction.atomic():
        lock_chain(clinic.key)
        found = {who: key_of(clinic.key, who) for who in sorted(people)}
        append_event(SERVER, Actor("operator"), "take keys home", "clinic", clinic.key)
    files = {f"keys/{who}.key": key for who, key in found.items() if key is not None}
    return zipped_with_sums({**files, "clinic.json": _about_vault(clinic)})


def _registry(clinic: Clinic, actor: Actor) -> bytes:
    with transaction.atomic():
        lock_chain(clinic.key)  # nobody changes the registry between its first file and its last
        files = dict(_files(clinic))
        append_event(SERVER, actor, "take clinic home", "clinic", clinic.key)
    return zipped_with_sums(files)


def _files(clinic: Clinic) -> Iterator[tuple[str, bytes]]:
    about = {
        "key": clinic.key, "slug": clinic.slug, "title": clinic.title, "simulated": clinic.simulated,
        "created": _moment(clinic.created), "vault_sha256": _vault_digest(clinic),
    }  # fmt: skip
    yield "clinic.json", (json_line(about) + "\n").encode()
    members = ClinicMember.objects.filter(clinic=clinic).order_by("pk")
    rows = ([m.code, m.name, m.role, "yes" if m.active else "no"] for m in members)
    yield "members.csv", written_members(MEMBER_COLUMNS, rows)
    for name, model, columns in KEPT:
        rows = model.objects.filter(clinic=clinic).order_by("pk")
        yield f"{name}.jsonl", json_lines(_values(row, columns) for row in rows.iterator(2000))
    uses = LinkUse.objects.filter(link__clinic=clinic).select_related("link").order_by("pk")
    yield (
        "link_uses.jsonl",
        json_lines({"link": use.link.secret_hash, "unwanted": use.unwanted, "at": _moment(use.at)} for use in uses),
    )
    events = Event.objects.filter(chain=clinic.key).order_by("seq")
    yield "events.jsonl", json_lines({n: getattr(e, n) for n in (*HASHED, "hash")} for e in events.iterator(2000))
    kept = Definition.objects.filter(clinic=clinic).latest("number")
    readable = {FILE: kept.text, **kept.instruments, **registry_tables(registry_of(clinic))}
    for name, text in readable.items():
        yield f"registry/{name}", text if isinstance(text, bytes) else text.encode()


def _vault_files(clinic: Clinic) -> dict[str, bytes]:
    identities = Identity.objects.filter(clinic_key=clinic.key).order_by("pk")
    erasures = Erasure.objects.filter(clinic_key=clinic.key).order_by("pk")
    return {
        "identities.jsonl": json_lines(_values(row, IDENTITY) for row in identities.iterator(2000)),
        "erasures.jsonl": json_lines(_values(row, ERASED) for row in erasures),
    }


def _vault_digest(clinic: Clinic) -> str:
    files = _vault_files(clinic)
    return _digest(files)


def _digest(files: Mapping[str, bytes]) -> str:
    return hashlib.sha256(files["identities.jsonl"] + b"\n" + files["erasures.jsonl"]).hexdigest()


def _about_vault(clinic: Clinic) -> bytes:
    return (json_line({"key": clinic.key, "vault_sha256": _vault_digest(clinic)}) + "\n").encode()


def _values(row: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in columns}
    return {name: _moment(v) if isinstance(v, datetime) else v for name, v in found.items()}


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


@transaction.atomic
def bring_clinic(data: bytes, *, user: object, claim: str, vault: bytes = b"", keys: bytes = b"") -> Clinic:
    """Bring a clinic to this server; ``user`` takes the place of the member ``claim``, who must be a lead.

    Everything is checked before anything stays: the sums of each file, the audit trail, that each row is the one its
    event tells of, that the tables are a registry, and that vault and keys belong to it. Without the vault the
    pseudonyms stay without names; a later vault cannot be added, so that no name comes beside the trail.
    """
    files = check_sums(unpack(data))
    about = _about(files, "registry")
    sealed = check_sums(unpack(vault)) if vault else {}
    opened = check_sums(unpack(keys)) if keys else {}
    for name, other in (("vault", sealed), ("keys", opened)):
        if other and _about(other, name)["key"] != about["key"]:
            raise InputError(f"the {name} belong to another clinic; nothing was brought in")
    if sealed and _digest(sealed) != about["vault_sha256"]:
        raise InputError("the vault is not the one of this registry: its SHA-256 differs; take both home again")
    if opened and not sealed:
        raise InputError("keys without their vault open nothing; bring both")
    if Clinic.objects.filter(key=about["key"]).exists() or Clinic.objects.filter(slug=about["slug"]).exists():
        raise InputError(f"the clinic {about['slug']!r} is on this server already; nothing was brought in")
    _readable(files)
    clinic = Clinic.objects.create(
        key=about["key"], slug=about["slug"], title=about["title"], simulated=about["simulated"],
        created=datetime.fromisoformat(about["created"]),
    )  # fmt: skip
    _members(clinic, files, user, claim)
    for name, model, columns in KEPT:
        if name in LATER and f"{name}.jsonl" not in files:
            continue
        model.objects.bulk_create(
            [model(clinic=clinic, **_given(v, columns, name)) for v in read_lines(files, f"{name}.jsonl")],
            batch_size=500,
        )
    links = {link.secret_hash: link for link in FollowUpLink.objects.filter(clinic=clinic)}
    LinkUse.objects.bulk_create(
        [
            LinkUse(link=links[str(v["link"])], unwanted=v["unwanted"], at=datetime.fromisoformat(str(v["at"])))
            for v in read_lines(files, "link_uses.jsonl")
        ]
    )
    _events(clinic, files)
    _rows_as_told(clinic)
    _vault(clinic, sealed, opened)
    append_event(
        SERVER, Actor(claim, LEAD), "bring clinic back", "clinic", clinic.key,
        after={"sha256": hashlib.sha256(data).hexdigest(), "vault": bool(sealed), "keys": bool(opened)},
    )  # fmt: skip
    return clinic


def _about(files: Mapping[str, bytes], what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(files["clinic.json"])
        wanted = {"key", "vault_sha256"} | ({"slug", "title", "simulated", "created"} if what == "registry" else set())
        if not wanted <= set(found):
            raise KeyError(*sorted(wanted - set(found)))
    except (KeyError, ValueError, TypeError):
        raise InputError(Problem(f"does not say which clinic this {what} is of", "clinic.json")) from None
    return found


def _given(values: Mapping[str, Any], columns: tuple[str, ...], name: str) -> dict[str, Any]:
    if set(values) != set(columns):
        raise InputError(Problem(f"holds other columns than {', '.join(columns)}", f"{name}.jsonl"))
    return {n: datetime.fromisoformat(v) if n in ("at", "expires") else v for n, v in values.items()}


def _readable(files: Mapping[str, bytes]) -> None:
    """The tables are a registry, so that nothing that no page could show comes in."""
    tables = {n.removeprefix("registry/"): data for n, data in files.items() if n.startswith("registry/")}
    found, problems = read_registry(tables)
    if found is None:
        raise InputError(problems)


def _members(clinic: Clinic, files: Mapping[str, bytes], user: object, claim: str) -> None:
    if "members.csv" not in files:
        raise InputError(Problem("is missing from the archive", "members.csv"))
    made = {}
    for row in read_members(files["members.csv"], MEMBER_COLUMNS, "members.csv"):
        if row["role"] not in ROLES:
            raise InputError(Problem("is no role of a clinic", "members.csv", column="role", value=row["role"]))
        active = row.pop("active") == "yes"
        made[row["code"]] = ClinicMember.objects.create(clinic=clinic, active=active, **row)
    leads = sorted(code for code, m in made.items() if m.role == LEAD and m.active)
    claim = claim or (leads[0] if len(leads) == 1 else "")
    if claim not in leads:
        raise InputError(f"claim must be a clinic lead of the archive, one of {leads}; got {claim!r}")
    made[claim].user = user  # type: ignore[assignment]
    made[claim].save(update_fields=["user"])


def _events(clinic: Clinic, files: Mapping[str, bytes]) -> None:
    events = [Event(**values) for values in read_lines(files, "events.jsonl")]
    if any(event.chain != clinic.key for event in events):
        raise InputError(Problem("holds an event of another clinic", "events.jsonl"))
    Event.objects.bulk_create(events, batch_size=500)
    if events:
        ChainHead.objects.create(chain=clinic.key, seq=events[-1].seq, hash=events[-1].hash)
    if faults := list(broken_links(clinic.key)):
        raise InputError([Problem(fault, "events.jsonl") for fault in faults])


def _rows_as_told(clinic: Clinic) -> None:
    """Each row is the one that its event tells of: sums can be written anew, the chain of events cannot."""
    told: dict[tuple[str, str, int], Any] = {}
    simulated = definition = None
    digests: dict[str, str] = {}
    for e in Event.objects.filter(chain=clinic.key).order_by("seq").iterator(2000):
        if e.entity in TABLE_BY_NAME:
            told[e.entity, e.entity_id, e.entity_version] = e.after
        elif e.action == "import":
            for row in e.after["rows"]:
                table = TABLE_BY_NAME[row["table"]]
                told[row["table"], " ".join(row["cells"].get(n, "") for n in table.key), 1] = row["cells"]
        elif e.action in ("start clinic", "change definition"):
            definition = e.after["definition"]
        elif e.action == "bring in simulated registry":
            simulated = True
        elif e.action == "keep calculation":
            digests[e.entity_id] = e.after["digest"]
    wrong = []
    for entry in Entry.objects.filter(clinic=clinic).iterator(2000):
        place = (entry.table, entry.key.replace(BETWEEN, " "), entry.version)
        if simulated and place not in told:
            continue  # one event stands for a simulated registry as a whole
        if told.get(place) != entry.cells:
            wrong.append(Problem(f"{place[1]}, version {place[2]}, is not as the audit trail tells", f"{entry.table}"))
    for kept in SessionCalculation.objects.filter(clinic=clinic).iterator(2000):
        if digests.pop(f"{kept.session} {kept.number}", None) != kept.digest or not is_as_kept(kept):
            wrong.append(Problem(f"{kept} is not as the audit trail tells", "calculations.jsonl"))
    wrong += [Problem(f"lacks {name}, which the audit trail tells of", "calculations.jsonl") for name in digests]
    latest = Definition.objects.filter(clinic=clinic).latest("number")
    if latest.text != definition:
        wrong.append(Problem("is not as the audit trail tells", "definitions.jsonl"))
    if wrong:
        raise InputError(wrong[:50])


def _vault(clinic: Clinic, sealed: Mapping[str, bytes], opened: Mapping[str, bytes]) -> None:
    if not sealed:
        return
    made = [Identity(clinic_key=clinic.key, **_given(v, IDENTITY, "identities"))
            for v in read_lines(sealed, "identities.jsonl")]  # fmt: skip
    Identity.objects.bulk_create(made, batch_size=500)
    gone = [
        Erasure(clinic_key=clinic.key, **_given(v, ERASED, "erasures")) for v in read_lines(sealed, "erasures.jsonl")
    ]
    Erasure.objects.bulk_create(gone)
    erased = {e.participant for e in gone}
    for name, key in opened.items():
        who = name.removeprefix("keys/").removesuffix(".key")
        if name == "clinic.json":
            continue
        if who in erased:
            raise InputError(Problem("opens who was erased; take the keys home again", name))
        put_key(clinic.key, who, key)
