"""What calls that change something have in common: an id of their own, so that each counts once, and a short answer."""

from __future__ import annotations

from ninja import Schema
from pydantic import ConfigDict, Field

Submission = Field(..., min_length=8, max_length=64, pattern=r"^[!-~]+$", description="an id made once a decision")
Text = Field("", max_length=20_000)
Reason = Field("", max_length=2000, description="why; a change after the first save needs one")
#: Said in the schema and refused by the act, which has the better words for it.
NOT_EMPTY = {"minLength": 1}
Why = Field(..., max_length=2000, description="why", json_schema_extra=NOT_EMPTY)


class Body(Schema):
    """What a call brings: types as they are documented, and no name that is not, so that no misspelt field is lost."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Done(Schema):
    """What came of it."""

    done: str


class ReasonIn(Body):
    """An act with its reason."""

    reason: str = Reason
