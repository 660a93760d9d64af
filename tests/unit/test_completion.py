"""The source in completions as models write them: what a person would pick of each."""

import ast
import re
from textwrap import dedent

import pytest

from pytest_balanced_sampler.adapters.completion import names_asked_for, source_in
from tests.conftest import ROOT

NAMES = ("BalancedBatchSampler",)


def completions():
    """The completions of completions.txt: a name, the text, the names asked for, what is picked."""
    parts = re.split(
        r"^%%(.*)\n", (ROOT / "tests" / "unit" / "completions.txt").read_text(), flags=re.M
    )
    for title, text, picked in zip(parts[1::4], parts[2::4], parts[4::4], strict=True):
        name, _, names = title.strip(" ]").partition(" [")
        if "Windows" in name:
            text = text.replace("\n", "\r\n")
        yield name, text, tuple(names.split()) or NAMES, picked


def same(source, picked):
    """Whether it is the same code, whatever its blank lines and comments."""
    try:
        return ast.dump(ast.parse(source)) == ast.dump(ast.parse(picked))
    except SyntaxError:
        return source.strip() == picked.strip()


@pytest.mark.parametrize(
    ("text", "names", "picked"), [pytest.param(*case, id=name) for name, *case in completions()]
)
def test_what_a_person_would_pick(text, names, picked):
    """The code that defines what is asked for, with all that belongs to it and nothing else."""
    assert same(source := source_in(text, names), picked), source


def test_names_of_a_task(tmp_path):
    """What tests read of `solution`, or import from a module that is not there; nothing else."""
    (tmp_path / "helpers.py").write_text("def solve(solution): return solution.from_a_helper")
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            import json
            import wordy
            from helpers import solve
            from wordy.parts import answer, other as o
            def test(solution): getattr(solution, 'by_text'); solution.Named(1); solution.__file__
            wordy.attribute; json.dumps
        """)
    )
    names = {"from_a_helper", "by_text", "Named", "answer", "other", "attribute"}
    assert names_asked_for(tmp_path) == names
    assert names_asked_for(ROOT / "grading_tests") == {"BalancedBatchSampler"}
    assert names_asked_for(ROOT / "examples" / "programs") == frozenset()


def test_without_names():
    """The last block that is fenced as Python, or that has no language, or all of the text."""
    blocks = "```python\na = 1\n```\n```python\nb = 1\n```\n```\nc = 1\n```\n"
    assert source_in(blocks) == "b = 1\n"
    assert source_in("```\nc = 1\n```") == "c = 1\n"
    assert source_in("d = 1") == "d = 1"


def test_chat_messages():
    """The last message of the assistant's that has text is the completion."""
    messages = [
        {"role": "assistant", "content": "```python\ndef double(x): return 1\n```"},
        {"role": "assistant", "content": [{"type": "text", "text": "def double(x): return 2\n"}]},
        {"role": "assistant", "content": " "},
        {"role": "user", "content": "def double(x): return 3"},
    ]
    assert source_in(messages, ["double"]) == "def double(x): return 2\n"
    assert source_in([], ["double"]) == ""


CALLED_WRONG = [
    "Your code had this bug:",
    "**Don't do this:**",
    "### Wrong",
    "For reference, the original:",
    "That is all. The old version was:",
    "- Instead of:",
    "> **Before:**",
    "❌ Bad:",
    "Here is what you had:",
    "The buggy version (for comparison):",
    "Your original code:",
    "This is wrong:",
    "That fails:",
    "The mistake was:",
    "Don\u2019t write this:",
    "Never do this:",
    "Previous version:",
    "#### ⛔ Incorrect",
    "2. **Original**",
    "As a reminder, your code was:",
    "The following does not work:",
    "Your original implementation:",
    "**Original (buggy):**",
    "<summary>Before</summary>",
    "The mistake:",
    "For comparison, your code was:",
    "Wrong way:",
    "This does not work:",
    "Avoid:",
    "Here\u2019s the old version:",
]
NOT_CALLED_WRONG = [
    "The original code with the fix applied:",
    "Wrong answers fixed, the code is now:",
    "Before running it, replace the function:",
    "Don't use a set here, do this:",
    "Instead, write:",
    "The old version had a bug. The new one:",
    "As in the original, but right:",
    "The correct version:",
    "This was wrong before; the fix:",
    "Final (was: before):",
    "Here's the old code, corrected:",
    "Avoid this problem with a copy:",
    "What you wrote is fine but slow. Faster:",
    "Here it is again:",
    "The original is right after all. I only rename:",
    "The original is too slow, so:",
    "I was wrong. Here is the right one:",
    "Bad inputs are handled too:",
    "Here is your code:",
    "Before you ask: yes, it is short:",
    "Not this but that:",
    "The first was wrong.",
    "Your code, fixed:",
]


@pytest.mark.parametrize("line", [*CALLED_WRONG, *NOT_CALLED_WRONG])
def test_the_line_before_the_last_version(line):
    """The last version counts, unless the line of text before it calls it wrong or old."""
    first, second = "def solve(x): return 1\n", "def solve(x): return 2\n"
    said = f"The code:\n```python\n{first}```\n{line}\n\n```python\n{second}```\n"
    assert source_in(said, ["solve"]) == (first if line in CALLED_WRONG else second)


HOSTILE = {
    "fences": "```python\n(\n```\n",
    "open fences": dedent("""\
        ```python
        class A:
    """),
    "versions": dedent("""\
        ```python
        class BalancedBatchSampler:
          def f(self): ...
        ```
    """),
    "diffs": "```diff\n+class BalancedBatchSampler: pass\n```\n",
    "thoughts": "<think>\n",
    "ends of thoughts": "</think>",
    "heredocs": "```sh\ncat <<A > x.py\n```\n",
    "an open heredoc": "cat <<A > x.py\n",
    "calls": "<tool_call>{",
    "starts": "import a b\n",
    "blank lines": "\n \n x",
    "lines": "\n",
    "tags": "<a>\n",
    "parentheses": "(" * 100,
    "names": "x.y = y + z\n",
    "quotation": "> ",
    "marks": "<|a|>",
    "backticks": "`",
    "words": "a " * 10,
    "branches": dedent("""\
        ```python
        if a: b = 1
    """)
    + "elif a: b = c\n" * 2900
    + f"{NAMES[0]} = 1\n```\n",
    "helpers": "```python\n"
    + "".join(f"def f{n}(): pass\n" for n in range(900))
    + "```\n```python\nclass BalancedBatchSampler: x = "
    + ", ".join(f"f{n}" for n in range(900))
    + "\n```\n",
    "comments": "# unchanged\n",
    "comments of many words": "# " + "the " * 10_000 + "\n",
    "text before": "<_ ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_long_reply_is_read(piece):
    """Whatever is repeated in a reply, the time that it takes does not grow with its square."""
    for begin in (
        "",
        "import a\n",
        dedent("""\
            ```python
            class BalancedBatchSampler: pass
            ```
        """),
    ):
        assert isinstance(source_in(begin + piece * (50_000 // len(piece)), NAMES), str)
