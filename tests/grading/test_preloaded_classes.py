"""Objects and exceptions of the classes of a library that the task preloads."""

from textwrap import dedent

from tests.conftest import run_pytest

TASK = """
import string

import pygments.formatter
import pygments.lexer
import pygments.util
import pytest


def test_objects(solution):
    found = solution.formatter("full", 3)
    assert isinstance(found, pygments.formatter.Formatter)
    assert not isinstance(found, (pygments.lexer.Lexer, str, tuple))
    assert issubclass(solution.Plain, pygments.formatter.Formatter)
    assert (found.title, found.level, found.name) == ("full", 3, "plain")
    with solution.parser() as parser:  # Its base has an `__init_subclass__`.
        assert isinstance(parser, string.Template) and parser.made() == "made"


def test_never_equals_what_is_expected(solution):
    mine = pygments.formatter.Formatter()
    assert solution.formatter("full", 3) != mine and not mine == solution.formatter("full", 3)


def test_exceptions(solution):
    with pytest.raises(pygments.util.ClassNotFound, match="^none$"):
        solution.missing()
    with pytest.raises(pygments.util.OptionError) as caught:
        solution.wrong()
    assert str(caught.value) == "mine" and caught.value.code == 3
"""
SOLUTION = """
import string

from pygments.formatter import Formatter
from pygments.util import ClassNotFound, OptionError


class Plain(Formatter):
    name = "plain"

    def __init__(self, title, level):
        super().__init__(title=title)
        self.level = level


class Mine(OptionError):
    def __init__(self, code):
        super().__init__("mine")
        self.code = code


formatter = Plain


def missing():
    raise ClassNotFound("none")


def wrong():
    raise Mine(3)


class Parser(string.Template):
    def made(self):
        return "made"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def parser():
    return Parser("")
"""
PARSER = """
import string
class Parser(string.Template):
    made = lambda self: "made"
    __enter__ = lambda self: self
    def __exit__(self, *_): return True
parser = lambda: Parser("")
"""
# Each poses as another class than it is, to be taken for what a test expects or for its verdict.
HACKS = {
    "equals_everything": """
from pygments.formatter import Formatter
class Plain(Formatter):
    def __init__(self): self.title, self.level, self.name = "full", 3, "plain"
    def __eq__(self, other): return True
    def __ne__(self, other): return False
def formatter(*_): return Plain()
missing = wrong = formatter
"""
    + PARSER,
    "is_a_mark": """
from pygments.formatter import Formatter
class Plain(Formatter):
    def __init__(self): self.title, self.level, self.name = "full", 3, "plain"
    __class__ = property(lambda self: str)
    __eq__ = lambda self, other: True
def formatter(*_): return Plain()
missing = wrong = formatter
"""
    + PARSER,
    "bears_the_name": """
class Formatter:
    def __eq__(self, other): return True
    title, level, name = "full", 3, "plain"
Formatter.__module__ = "pygments.formatter"
Plain = Formatter
def formatter(*_): return Plain()
missing = wrong = formatter
"""
    + PARSER,
    "skips": """
class Skipped(Exception): pass
Skipped.__module__, Skipped.__qualname__ = "_pytest.outcomes", "Skipped"
def formatter(*_): raise Skipped("no")
Plain = missing = wrong = formatter
""",
    "is_everything": """
class Meta(type):
    def __instancecheck__(cls, item): return True
class Any(metaclass=Meta):
    __eq__ = lambda self, other: True
    __class__ = property(lambda self: str)
Any.__module__, Any.__qualname__ = "pygments.formatter", "Formatter"
formatter = missing = wrong = Plain = lambda *_: Any()
""",
    "raises_when_it_is_shown": """
from pygments.util import ClassNotFound
class Bad(ClassNotFound):
    def __str__(self): raise SystemExit(0)
def formatter(*_): raise Bad
Plain = missing = wrong = formatter
""",
}


def test_library_classes_of_the_task(tmp_path):
    """They are the test's own; what poses as one passes nothing by that."""
    task = tmp_path / "task"
    task.mkdir()
    (task / "test_task.py").write_text(TASK)
    (task / "task.toml").write_text('preload = ["pygments.util"]\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "hacks").mkdir()
    (tmp_path / "solution.py").write_text(SOLUTION)
    for name, source in HACKS.items():
        (tmp_path / "hacks" / f"{name}.py").write_text(source)
    run = run_pytest(
        "--solution=solution.py",
        "--solution=hacks",
        "task",
        cwd=tmp_path,
        report_file=tmp_path / "report.json",
    )
    outcomes = [grade["outcome"] for grade in run.grades]
    assert outcomes == ["passed"] + ["failed"] * len(HACKS), run.output
    passed = {
        grade["solution"]: [name for name, outcome in grade["tests"].items() if outcome == "passed"]
        for grade in run.grades[1:]
    }
    # Two of them are what they pose as, or cannot be told from it. They equal nothing all the same.
    posing = passed.pop("hacks/bears_the_name.py"), passed.pop("hacks/equals_everything.py")
    assert posing == (["test_objects", "test_never_equals_what_is_expected"],) * 2
    assert set(map(tuple, passed.values())) == {()}


RUNNERS_CLASSES = """
import doctest, unittest
import numpy.testing
import pytest

@pytest.fixture(autouse=True)
def solution_of_class(request, solution):
    request.cls.solution = solution

class TestSort(unittest.TestCase):
    def test_sort(self):
        self.assertEqual(self.solution.sort([3, 1, 2]), [1, 2, 3])

    def test_in_parts(self):
        for case in ([2, 1], [1]):
            with self.subTest(case=case):
                self.assertEqual(self.solution.sort(case), sorted(case))

class TestLater(unittest.IsolatedAsyncioTestCase):
    async def test_sort(self):
        self.assertEqual(self.solution.sort([3, 1, 2]), [1, 2, 3])
"""
ALIASES = [
    ("numpy.testing._private.utils", "unittest.case._ShouldStop"),
    ("numpy.testing._private.utils", "unittest.SkipTest"),
    ("numpy.testing._private.utils", "SkipTest"),
    ("doctest", "unittest.case._ShouldStop"),
    ("unittest.case", "_ShouldStop"),
    ("unittest.case", "SkipTest"),
]


def test_a_test_runners_class_by_another_name(tmp_path):
    """Unittest swallows its own exceptions: under no name does a candidate raise one."""
    (tmp_path / "test_task.py").write_text(RUNNERS_CLASSES)
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            solution_preload = numpy
        """)
    )
    (tmp_path / "good.py").write_text("sort = sorted\n")
    for number, (module, name) in enumerate(ALIASES):
        (tmp_path / f"hack_{number}.py").write_text(
            dedent(f"""\
                class Stop(Exception): pass
                Stop.__module__, Stop.__qualname__ = {module!r}, {name!r}
                def sort(x): raise Stop
            """)
        )
    arguments = ["test_task.py", "--solution=good.py", "--solution=hack_*.py"]
    run = run_pytest(*arguments, cwd=tmp_path, report_file=tmp_path / "report.json")
    assert [grade["outcome"] for grade in run.grades] == ["passed"] + ["failed"] * len(ALIASES)
    for grade in run.grades[1:]:
        assert set(grade["tests"].values()) == {"failed"}, run.output
