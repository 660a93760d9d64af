"""What Python 3.15 adds: a `frozendict`, and lazy imports."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 15), reason="needs Python 3.15")


def test_a_frozendict_arrives_as_one(grade_sources):
    """Wherever a value can be: also as a key and in a set, where no dict can be."""
    candidate = dedent("""\
        class Own(frozendict): pass
        def same(item): return item
        def kind(item): return type(item).__name__
        def makes(): return [frozendict(a=1), {frozendict(b=2): 3}, (frozendict(),)]
        def members(): return {frozendict(a=1), frozendict(a=frozendict(b=2))}
        def unhashable(): return frozendict(a=[1])
        def own(): return Own(a=1)
    """)
    tests = dedent("""\
        import pytest

        F = frozendict

        VALUES = [F(), F(a=1), F({(1, 2): b"x"}), F(a=F(b=bytearray(b"y")))]

        @pytest.mark.parametrize("value", VALUES)
        def test_there_and_back(solution, value):
            back = solution.same([value, {"key": value}, (value,)])
            assert back == [value, {"key": value}, (value,)]
            assert {type(back[0]), type(back[1]["key"]), type(back[2][0])} == {F}
            assert solution.kind(value) == "frozendict"

        def test_a_key(solution):
            assert solution.same({F(a=1): 2}) == {F(a=1): 2}

        def test_a_member(solution):
            members = solution.members()
            assert members == {F(a=1), F(a=F(b=2))}
            assert {type(member) for member in members} == {F}

        def test_made_there(solution):
            first, second, (third,) = solution.makes()
            assert (type(first), type(third)) == (F, F)
            assert list(second.values()) == [3]

        def test_a_dict_stays_one(solution):
            assert type(solution.same({"a": {"b": 1}})["a"]) is dict

        def test_unhashable(solution):
            with pytest.raises(TypeError):
                hash(solution.unhashable())

        def test_a_derived_one(solution):
            assert solution.own()["a"] == 1
    """)
    run = grade_sources({"solution.py": candidate}, tests)
    assert run.grade["outcome"] == "passed", run.output


def test_lazy_imports_of_preloaded_libraries_are_carried_out_once(tmp_path):
    """Otherwise every worker would repeat them; one of a module that is absent is left."""
    (tmp_path / "preloaded_library.py").write_text(
        dedent("""\
            lazy import colorsys
            lazy import absent_library
        """)
    )
    program = dedent("""\
        import sys
        from pytest_balanced_sampler.worker.preloading import preload
        preload(["preloaded_library"])
        print("colorsys" in sys.modules)
    """)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, env=environment, text=True) == "True\n"
