"""Makes text that was born in a candidate safe to show; used wherever such text is kept."""

from __future__ import annotations

_ESCAPED = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
} | {
    code: f"\\u{code:04x}"
    for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def printable(text: str, limit: int = 4000) -> str:
    """The text without control characters, lone surrogates or overlong middles.

    At most `limit` characters, and a note, are left: the beginning and the end are kept.
    """
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8").translate(_ESCAPED)


def printable_line(text: str, limit: int = 500) -> str:
    """The text on one line, as `printable` makes it."""
    return printable(text, limit).replace("\n", "\\n").replace("\t", "\\t")
