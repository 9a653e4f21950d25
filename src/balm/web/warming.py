"""What a server process works out before anybody asks: pages' templates, and the results that its pages show.

A process that has just started knows nothing: whoever comes first would wait for libraries to load, templates to be
read and analyses to be carried out. :func:`post_worker_init` is gunicorn's name for a function of its settings
(``--config python:balm.web.warming``): each process begins on a thread of its own and answers requests meanwhile. What
it works out is kept as any page keeps it, by the state of the data: once these change it is worked out again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

#: Reviews and clinics made ready: those of the latest events.
MOST = 6
#: Events looked at to find them.
LATEST = 2000
#: Seconds of computing after which nothing more is begun: the rest is worked out when somebody asks.
LONGEST = 20.0
#: What pages load when they first need it.
LIBRARIES = ("scipy.special",)


def post_worker_init(worker: Any = None) -> None:
    """Begin to warm this process, on a thread of its own."""
    threading.Thread(target=_warm_and_close, name="warming", daemon=True).start()


def _warm_and_close() -> None:
    from django.db import connection

    try:
        warm()
    finally:
        connection.close()


def warm() -> None:
    """Make this process ready. What cannot be worked out is left for its page, which says why."""
    from balm.vocabulary.problems import InputError

    begun = time.thread_time()
    try:
        for step in _steps():
            try:
                step()
            except InputError:
                continue
            if time.thread_time() - begun > LONGEST:
                break
    except Exception:  # a server that is slow at first still serves
        logging.getLogger(__name__).exception("not everything could be worked out beforehand")


def _steps() -> Iterator[Callable[[], object]]:
    from django.template import loader

    from balm.actions.clinic.reports import shown_today
    from balm.actions.team.certainty import current_to_rate
    from balm.actions.team.publishing import report_of
    from balm.actions.team.synthesis import current_synthesis
    from balm.store.registry.models import Clinic
    from balm.store.reviews.models import Review

    templates = Path(__file__).parent / "templates"
    for path in sorted(templates.rglob("*.html")):
        yield partial(loader.get_template, path.relative_to(templates).as_posix())
    for name in LIBRARIES:
        yield partial(import_module, name)
    chains = _latest_chains()
    for review in sorted(Review.objects.filter(key__in=chains), key=lambda r: chains.index(r.key))[:MOST]:
        for work in (current_synthesis, current_to_rate, report_of, _guidance):
            yield partial(work, review)
    for clinic in sorted(Clinic.objects.filter(key__in=chains), key=lambda c: chains.index(c.key))[:MOST]:
        yield partial(shown_today, clinic)


def _latest_chains() -> list[str]:
    """The chains of the latest events: what people work on."""
    from balm.store.events.models import Event

    return list(dict.fromkeys(Event.objects.order_by("-pk").values_list("chain", flat=True)[:LATEST]))


def _guidance(review: Any) -> None:
    """The first view of the guidance: the question that asks nothing in particular."""
    from balm.actions.guidance import ask
    from balm.actions.guidance_answer import plain_answer
    from balm.actions.team.guidance import current_guidance
    from balm.actions.team.synthesis import current_synthesis
    from balm.report.guidance.page import answer_html

    if (found := current_guidance(review)) is not None:
        answer_html(plain_answer(ask(found, current_synthesis(review))), None)
