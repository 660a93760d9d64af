"""Makes text that was born in a candidate safe to show; used wherever such text is kept."""

from __future__ import annotations

# Controls, and what is not seen or changes the direction of what is.
_INVISIBLE = (
    *range(0x80, 0xA0),
    0xAD,
    0x61C,
    *range(0x115F, 0x1161),
    0x17B4,
    0x17B5,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0x3164,
    *range(0xFE00, 0xFE10),
    0xFEFF,
    0xFFA0,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE01F0),
)
_CONTROLS = (*(code for code in range(0x20) if chr(code) not in "\n\t"), 0x7F)
_ESCAPED = {code: f"\\x{code:02x}" for code in _CONTROLS} | {
    code: f"\\u{code:04x}" for code in _INVISIBLE
}


def printable(text: str, limit: int = 4000) -> str:
    """The text without control characters, lone surrogates or an overlong middle.

    Of a text over `limit` characters the beginning and the end are kept, and a note between them.
    """
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"
    return _escaped(text)


def printable_line(text: str, limit: int = 200) -> str:
    """The beginning of the text, made printable, on one line."""
    return one_line(text if len(text) <= limit else f"{text[: limit - 3]}...")


def printable_name(name: str, limit: int = 200) -> str:
    """As `printable_line`, but an overlong name loses its middle: the end of a path says most."""
    half = (limit - 3) // 2
    return one_line(name if len(name) <= limit else f"{name[:half]}...{name[-half:]}")


def one_line(text: str) -> str:
    """The whole text, made printable, on one line."""
    return _escaped(text).replace("\n", "\\n").replace("\t", "\\t")


def without_surrogates(text: str) -> str:
    """The text with a question mark for each lone surrogate, which UTF-8 cannot say."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8").translate(_ESCAPED)
