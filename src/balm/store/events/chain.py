"""Append an event to its chain, and walk a chain to see that nothing in it was changed, lost or moved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

import balm
from balm.store.events.models import ChainHead, Event

#: What is hashed: every column but the row number and the hash itself.
HASHED = (
    "chain", "seq", "at", "actor", "on_behalf_of", "role", "session", "action", "entity", "entity_id",
    "entity_version", "before", "after", "reason", "software_version", "request_id", "prev_hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the member's code in the review (or the account's number on the server), role, session, request."""

    name: str
    role: str = ""
    session: str = ""
    request_id: str = ""
    on_behalf_of: str = ""


def canonical(values: dict[str, Any]) -> bytes:
    """JSON that is the same for the same values: sorted keys, no blanks, UTF-8 (RFC 8785 for what events hold)."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def event_hash(event: Event) -> str:
    """SHA-256 of an event, from what it holds."""
    return hashlib.sha256(canonical({name: getattr(event, name) for name in HASHED})).hexdigest()


def append_event(
    chain: str,
    actor: Actor,
    action: str,
    entity: str,
    entity_id: str,
    *,
    before: Any = None,
    after: Any = None,
    reason: str = "",
    entity_version: int = 1,
    at: str | None = None,
    head: ChainHead | None = None,
) -> Event:
    """Append one event. Call it inside the transaction of the change itself: both are saved, or neither is.

    The head of the chain is locked until the transaction ends, which gives every chain one order; ``at`` never goes
    back within a chain. ``head``: the head that this transaction has locked already, where nothing was appended since.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event is appended inside the transaction of its change; open one first")
    head = head or lock_chain(chain)
    event = Event(
        chain=chain,
        seq=head.seq + 1,
        at=at or now(),
        actor=actor.name,
        on_behalf_of=actor.on_behalf_of,
        role=actor.role,
        session=actor.session,
        action=action,
        entity=entity,
        entity_id=entity_id,
        entity_version=entity_version,
        before=before,
        after=after,
        reason=reason,
        software_version=balm.__version__,
        request_id=actor.request_id,
        prev_hash=head.hash,
    )
    event.hash = event_hash(event)
    event.save(force_insert=True)
    head.seq, head.hash = event.seq, event.hash
    head.save(update_fields=["seq", "hash"])
    return event


def lock_chain(chain: str) -> ChainHead:
    """The head of ``chain``, locked until the transaction ends: acts on one review follow one another."""
    head: ChainHead | None = ChainHead.objects.select_for_update().filter(chain=chain).first()
    if head is not None:
        return head
    ChainHead.objects.get_or_create(chain=chain)
    return ChainHead.objects.select_for_update().get(chain=chain)


def now() -> str:
    """The server's clock, as events write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def latest_first(events: QuerySet[Event], at_once: int = 100) -> Iterator[tuple[int, str, str, str]]:
    """Number, kind, id and actor of ``events`` of one chain, the latest first, read as far as somebody asks."""
    small = events.order_by("-seq").values_list("seq", "entity", "entity_id", "actor")
    found = list(small[:at_once])
    while found:
        yield from found
        found = list(small.filter(seq__lt=found[-1][0])[:at_once])


def broken_links(chain: str) -> Iterator[str]:
    """What is wrong with a chain, a line each; nothing when every event stands as it was written.

    A changed byte breaks the hash of its event; a removed, added or moved event breaks the numbering or the link to
    the previous hash; a chain cut at its end no longer reaches its head.
    """
    previous, expected, last = "", 1, None
    for event in Event.objects.filter(chain=chain).order_by("seq").iterator(chunk_size=2000):
        if event.seq != expected:
            yield f"{chain}: event {expected} is missing (the next one there is {event.seq})"
            expected = event.seq
        if event.prev_hash != previous:
            yield f"{chain}: event {event.seq} does not follow the one before it"
        if event_hash(event) != event.hash:
            yield f"{chain}: event {event.seq} ({event.action}) was changed after it was written"
        previous, expected, last = event.hash, event.seq + 1, event
    head = ChainHead.objects.filter(chain=chain).first()
    seq, tip = (last.seq, last.hash) if last else (0, "")
    if head is None:
        if last:
            yield f"{chain}: its head is missing"
    elif (head.seq, head.hash) != (seq, tip):
        yield f"{chain}: the chain ends at event {seq}, its head says {head.seq}"


def chains() -> list[str]:
    """Every chain there is, by name."""
    heads = set(ChainHead.objects.values_list("chain", flat=True))
    return sorted(heads | set(Event.objects.values_list("chain", flat=True).distinct()))
