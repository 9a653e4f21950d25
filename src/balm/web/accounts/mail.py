"""Mail about an account is sent while its answer is on the way: neither a slow mail server nor a broken one is seen.

An answer that waited for the mail would tell a stranger which addresses have an account here (a link to a new password
goes to those alone), and a mail server that cannot be reached would turn an act that was done into an error.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import copy_context

#: The name of such a thread, and the seconds after which it begins: the answer has left by then, and was not slowed.
THREAD, AFTER = "mail about an account", 0.2


def soon(send: Callable[[], None]) -> None:
    """Send on a thread of its own; what hinders it stands in the server's log."""
    later = threading.Timer(AFTER, copy_context().run, args=(_send, send))
    later.name = THREAD
    later.start()


def _send(send: Callable[[], None]) -> None:
    try:
        send()
    except OSError as error:
        logging.getLogger(__name__).error("a mail about an account was not sent (%s); look at BALM_EMAIL_URL", error)
    except Exception:
        logging.getLogger(__name__).exception("a mail about an account was not sent")
