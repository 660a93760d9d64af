"""Modules of the standard library as they were before any test ran.

Tests share their process with this side, and patch what they find in modules: `monkeypatch`,
freezegun and pyfakefs would stop a candidate's clock or hide what it wrote. These are copies, in
which none of them looks. `judge/` and `session/` take `time` from here, and `judge/` takes `os`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os as os
    import time as time
else:
    import os as _os
    import time as _time
    from types import SimpleNamespace

    os, time = SimpleNamespace(**vars(_os)), SimpleNamespace(**vars(_time))

open_file = open
