"""What calls that change something have in common: an id of their own, so that each counts once, and a short answer."""

from __future__ import annotations

from ninja import Schema
from pydantic import Field

Submission = Field(..., min_length=8, max_length=64, pattern=r"^[!-~]+$", description="an id made once a decision")
Text = Field("", max_length=20_000)
Reason = Field("", max_length=2000, description="why; a change after the first save needs one")


class Done(Schema):
    """What came of it."""

    done: str


class ReasonIn(Schema):
    """An act with its reason."""

    reason: str = Reason
