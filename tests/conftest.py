"""Property tests draw new examples at every run here, and the same ones in the merge run: that is no lottery."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("merge", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("merge" if os.environ.get("CI") else "here")
