"""What a person decided on the whole: the level, its symbols, and whether it is still fresh."""

from __future__ import annotations

from typing import Protocol

from balm.review.certainty.words import NOT_RATED, SYMBOLS


class Decision(Protocol):
    """A judgement as it stands in its table."""

    @property
    def rating(self) -> str: ...

    @property
    def basis(self) -> str | None: ...


class Decided:
    """The certainty of an analysis or of a comparison: ``overall`` the decision, ``basis`` what one now rests on."""

    __slots__ = ()
    overall: Decision | None
    basis: str

    @property
    def certainty(self) -> str:
        """The level decided, or ``not rated``."""
        return self.overall.rating if self.overall else NOT_RATED

    @property
    def symbols(self) -> str:
        """``⊕⊕◯◯`` and its like; empty where nothing is rated."""
        return SYMBOLS.get(self.certainty, "")

    @property
    def stale(self) -> bool:
        """Whether data or judgements have changed since the decision. One that keeps no basis cannot be known stale."""
        if self.overall is None or self.overall.basis is None:
            return False
        return self.overall.basis not in (self.basis, *self.earlier)

    @property
    def earlier(self) -> tuple[str, ...]:
        """The same basis, as decisions kept it before it held all that it holds now."""
        return ()
