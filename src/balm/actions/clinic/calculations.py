"""What a signature says in figures is kept with it: append-only, with inputs, arithmetic, versions and a hash."""

from __future__ import annotations

from dataclasses import asdict

import balm
from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.reports import reviews_beside
from balm.actions.registry_evidence import limits_of_guidance
from balm.actions.team.guidance import current_guidance
from balm.registry.calculations import digest_of, session_figures
from balm.registry.doses import Limit
from balm.store.events.chain import append_event
from balm.store.registry.current import registry_of
from balm.store.registry.models import SessionCalculation
from balm.vocabulary.problems import InputError

NO_GUIDANCE = "no guidance with limits for this drug was at hand: no limit was compared"


def keep_figures(acting: ClinicActing, participant: str, session: str) -> SessionCalculation:
    """Work out the figures of a session as it is signed, and keep them. Call it in the transaction of the signature.

    Limits are those of the guidance that the signer may read: of their own reviews, and of the public ones. A guidance
    that cannot be read hinders no signature; it is said to be missing.
    """
    registry = registry_of(acting.clinic, participant=participant)
    limits, guidance = _limits(acting, registry.definition.drug)
    figures = session_figures(registry, session, limits)
    number = SessionCalculation.objects.filter(clinic=acting.clinic, session=session).count() + 1
    kept = SessionCalculation(
        clinic=acting.clinic, session=session, number=number, participant=participant,
        figures=[asdict(f) for f in figures], guidance=guidance, software=balm.__version__, code=acting.code,
    )  # fmt: skip
    kept.digest = _digest(kept)
    kept.save(force_insert=True)
    append_event(
        acting.clinic.key, acting.actor, "keep calculation", "calculation", f"{session} {number}",
        after={"digest": kept.digest, "figures": len(figures), "guidance": guidance, "software": balm.__version__},
    )  # fmt: skip
    return kept


def calculations_of(acting: ClinicActing, session: str) -> list[SessionCalculation]:
    """The figures of every signature of a session, the latest first."""
    acting.check("clinic view")
    return list(SessionCalculation.objects.filter(clinic=acting.clinic, session=session).order_by("-number"))


def is_as_kept(kept: SessionCalculation) -> bool:
    """Whether the figures are those that the hash was made of."""
    return _digest(kept) == kept.digest


def _digest(kept: SessionCalculation) -> str:
    about = {"session": kept.session, "number": str(kept.number), "guidance": kept.guidance, "software": kept.software}
    return digest_of(kept.figures, **about)


def _limits(acting: ClinicActing, drug: str) -> tuple[list[Limit], str]:
    found: list[Limit] = []
    said = []
    for review in reviews_beside(acting.member.user) if acting.member else ():
        try:
            guidance = current_guidance(review)
        except InputError:
            said.append(f"{review.slug}: could not be read")
            continue
        if guidance is None or drug.casefold() not in {d.casefold() for d in guidance.therapy.drugs}:
            continue
        own = limits_of_guidance(guidance)
        if own:
            meta = guidance.package.meta
            said.append(f"{meta.id} {meta.version} ({meta.date})")
            found += own
    return found, "; ".join(said) or NO_GUIDANCE
