"""Long work beside the answers: one thread a server process reads what was uploaded; nothing is lost when it stops.

What is to be done stands in the database. Whoever asks for the progress makes sure that somebody works on it, so that
a server that was stopped goes on as soon as a page is looked at again.
"""

from __future__ import annotations

import logging
import threading

from django.db import connection, connections

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.deduplication import look_for_duplicates, looked_at_all
from balm.actions.team.records import bring_in, next_upload, refuse
from balm.store.records.models import Upload
from balm.store.reviews.models import Review

_at_work: dict[int, threading.Thread] = {}
_starting = threading.Lock()


def go_on(acting: Acting) -> None:
    """Make sure that somebody works on the review's uploads, and then looks for duplicates; returns at once.

    Inside a transaction, as in tests, another thread would see nothing of it: then the work is done before returning.
    """
    if connection.in_atomic_block:
        work(acting)
        return
    review = acting.review
    with _starting:
        thread = _at_work.get(review.pk)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=_work_and_close, args=(acting,), name=f"records-{review.pk}", daemon=True)
            _at_work[review.pk] = thread
            thread.start()


def under_way(review: Review) -> bool:
    """Whether files wait or are being read."""
    states = (Upload.WAITING, Upload.READING, Upload.ADDING)
    return Upload.objects.filter(review=review, state__in=states).exists()


def work(acting: Acting) -> None:
    """Read every file that waits; then look for duplicates, where there are records among which nobody has looked."""
    while (upload := next_upload(acting.review)) is not None:
        try:
            bring_in(upload)
        except Refused as refused:
            refuse(upload, [f"{upload.name}: {refused}"])
        except Exception:
            logging.getLogger(__name__).exception("an upload could not be read")
            refuse(upload, [f"{upload.name}: could not be read; the server's log says why"])
    if not looked_at_all(acting.review) and acting.may("deduplicate"):
        look_for_duplicates(acting)


def _work_and_close(acting: Acting) -> None:
    try:
        work(acting)
    except Exception:
        logging.getLogger(__name__).exception("work on records stopped")
    finally:
        connections.close_all()
