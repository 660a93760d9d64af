"""Exceptions of the candidate's, in words."""

from __future__ import annotations

import builtins
import os
import traceback
from collections.abc import Callable

from ..wire import tags

_MAX_MESSAGE = 20_000
_MAX_TRACEBACK_FRAMES = 10
_OWN_FOLDER = os.path.dirname(__file__) + os.sep


def describe_exception(error: BaseException | None) -> tags.RemoteException:
    """An exception, described in text."""
    assert error is not None
    kind = type(error)
    builtin = next(base for base in kind.__mro__ if base.__module__ == builtins.__name__)
    return tags.RemoteException(
        type_name=kind.__qualname__,
        builtin_name=builtin.__name__,
        message=_text_of(lambda: str(error)),
        traceback=_text_of(lambda: "".join(format_traceback(error))),
    )


def format_traceback(error: BaseException) -> list[str]:
    """The traceback without the frames of this package that stand before the candidate's."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        frame = frame.tb_next
    return traceback.format_exception(
        type(error), error, frame, limit=-_MAX_TRACEBACK_FRAMES, chain=True
    )


def _text_of(make: Callable[[], str]) -> str:
    try:
        text = make()
        return text[:_MAX_MESSAGE] if type(text) is str else "<not a text>"
    except BaseException:
        return "<it cannot be shown: showing it raises>"
