"""The next batch is dealt out while one is read, beside the answers: none is slower because nobody came so far."""

from __future__ import annotations

import logging
import threading

from django.db import connection, connections

from balm.actions.team.acting import Acting
from balm.actions.team.screening import Sitting, deal_ahead, sitting


def seated(acting: Acting, stage: str, *, after: int = 0) -> Sitting | None:
    """The member's sitting; meanwhile the batch behind it is dealt out."""
    sat = sitting(acting, stage, after=after)
    if sat is not None:
        deal_soon(acting, stage, sat.batch)
    return sat


def deal_soon(acting: Acting, stage: str, batch: int = 0) -> None:
    """Have the batch behind number ``batch`` dealt out; returns at once, and says nothing.

    Inside a transaction, as in tests, another thread would see nothing of it: then the batch is dealt out when
    somebody asks for it.
    """
    if not connection.in_atomic_block:
        threading.Thread(target=_deal_and_close, args=(acting, stage, batch), name="dealing", daemon=True).start()


def _deal_and_close(acting: Acting, stage: str, batch: int) -> None:
    try:
        deal_ahead(acting, stage, batch)
    except Exception:  # the batch is dealt out when somebody asks for it, who is told what stands against it
        logging.getLogger(__name__).exception("no batch was dealt out ahead")
    finally:
        connections.close_all()
