"""RevMan 4's MetaView export is recognised, so that the error can say what it is."""

from __future__ import annotations


def is_metaview(start: str) -> bool:
    """Whether a text starts like a MetaView file."""
    return start.startswith("METAVIEW:") or "\nSTART DATA" in start[:2000]
