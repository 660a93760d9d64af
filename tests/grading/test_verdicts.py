"""From what pytest saw to a verdict: a pass is positive evidence, and nothing else is a pass."""

from textwrap import dedent

import pytest

from tests.conftest import BAD, GOOD, TEST

MORE = """\
def test_more(solution):
    pass
"""


def test_all_tests_passed(grade_source):
    """Every phase of every test passed: that, and only that, is a pass."""
    run = grade_source(GOOD, TEST)
    assert run.exit_status == 0
    assert (run.grade["outcome"], run.grade["score"]) == ("passed", 1)
    assert run.grade["tests"] == {"test_double": "passed"}
    assert run.grade["tampering"] == []


def test_failed(grade_source):
    """A failing assertion is a failure, its message is kept, the mode is the test's name."""
    run = grade_source(BAD, TEST.replace("== 4", "== 4, 'not twice'"))
    assert run.exit_status == 1
    assert (run.grade["outcome"], run.grade["score"]) == ("failed", 0)
    assert (run.grade["failure_mode"], run.grade["message"]) == ("test_double", "not twice")


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        (
            dedent("""\
                def test_more(solution):
                    pytest.skip('today')
            """),
            "skipped",
        ),
        (
            dedent("""\
                @pytest.mark.skip
                def test_more(solution):
                    pass
            """),
            "skipped",
        ),
        (
            dedent("""\
                @pytest.mark.xfail
                def test_more(solution):
                    assert False
            """),
            "xfailed",
        ),
        (
            dedent("""\
                @pytest.mark.xfail
                def test_more(solution):
                    pass
            """),
            "xpassed",
        ),
    ],
)
def test_whatever_did_not_simply_pass_is_incomplete(grade_source, more, outcome):
    """A skipped or expected failure is never a pass, and the exit status says so."""
    run = grade_source(GOOD, f"import pytest\n{TEST}{more}")
    assert run.exit_status == 1
    assert (run.grade["outcome"], run.grade["score"]) == ("incomplete", 0.5)
    assert run.grade["tests"] == {"test_double": "passed", "test_more": outcome}


def test_deselected_tests_make_a_grade_incomplete(grade_source):
    """Whoever selects tests gets no pass, but an exit status for the tests that he chose."""
    tests = TEST + MORE
    run = grade_source(GOOD, tests, "-k", "double")
    assert (run.grade["outcome"], run.exit_status) == ("incomplete", 0)
    assert run.grade["tests"] == {"test_double": "passed", "test_more": "deselected"}
    named = grade_source(GOOD, tests, "task/test_task.py::test_double")
    assert named.grade["outcome"] == "incomplete"


def test_interrupted_session(grade_source):
    """A test that was interrupted, which pytest-json-report lists as passed, did not run."""
    interrupted = dedent("""\
        def test_more(solution):
            raise KeyboardInterrupt
    """)
    run = grade_source(GOOD, TEST + interrupted)
    assert run.exit_status == 2
    assert run.grade["outcome"] == "incomplete"
    assert run.grade["tests"] == {"test_double": "passed", "test_more": "not_run"}


def test_stopped_at_the_first_failure(grade_source):
    """With -x the tests that follow are not run; the failure stands."""
    run = grade_source(BAD, TEST + MORE, "-x")
    assert run.grade["outcome"] == "failed"
    assert run.grade["tests"] == {"test_double": "failed", "test_more": "not_run"}


def test_a_fixture_of_the_authors_that_fails_is_the_harness(grade_source):
    """What breaks before the candidate was asked for anything is not the candidate's failure."""
    tests = dedent("""\
        import pytest
        @pytest.fixture
        def data():
            raise OSError('disk')
        def test_double(data, solution):
            assert solution.double(2) == 4
    """)
    run = grade_source(GOOD, tests)
    assert (run.grade["outcome"], run.exit_status) == ("harness_error", 3)
    assert run.grade["failure_mode"] == "harness_error"


def test_a_fixture_that_fails_on_what_the_candidate_gave_is_the_candidates(grade_source):
    """A candidate cannot buy a harness error by breaking a fixture with odd values."""
    tests = dedent("""\
        import pytest
        @pytest.fixture
        def doubled(solution):
            return solution.double(2)[0]
        def test_double(doubled):
            assert doubled == 4
    """)
    run = grade_source(GOOD, tests)
    assert (run.grade["outcome"], run.exit_status) == ("failed", 1)


def test_a_failure_outweighs_a_fault_of_the_harness(grade_source):
    """Who has failed a test has failed, whatever happens to the machine in another one."""
    broken = dedent("""\
        import pytest
        @pytest.fixture
        def data():
            raise OSError('disk')
        def test_more(data, solution):
            pass
    """)
    assert grade_source(BAD, TEST + broken).grade["outcome"] == "failed"


def test_swallowed_fault(grade_source):
    """A test that catches everything does not turn a candidate's exit into a pass."""
    tests = dedent("""\
        def test_double(solution):
            try:
                solution.double(2)
            except BaseException:
                pass
    """)
    run = grade_source(
        dedent("""\
            import os
            def double(x):
                os._exit(0)
        """),
        tests,
    )
    assert (run.grade["outcome"], run.grade["failure_mode"]) == ("failed", "crash")
    assert run.grade["tampering"] == ["the worker exited inside a call"]


def test_exit_is_no_exception(grade_sources):
    """`pytest.raises(Exception)` is not satisfied by a candidate that leaves."""
    tests = dedent("""\
        import pytest
        def test_double(solution):
            with pytest.raises(Exception):
                solution.double(2)
    """)
    exits = ("raise SystemExit(0)", "import os; os._exit(0)", "raise KeyboardInterrupt")
    source = dedent("""\
        def double(x):
            {how}
    """)
    sources = {f"{n}.py": source.format(how=how) for n, how in enumerate(exits)}
    run = grade_sources(sources, tests)
    assert len(run.grades) == len(exits)
    for grade in run.grades:
        assert grade["failure_mode"] == "crash", run.output
        assert grade["tampering"]


def test_the_first_failing_test_names_the_cause(grade_source):
    """The failure mode is the first failing test's; inside it the outermost declaration wins."""
    tests = dedent("""\
        from pytest_balanced_sampler import failure_mode
        @failure_mode('inner')
        def check(value):
            assert value == 4
        def test_a(solution):
            solution.double(1)
        def test_b(solution):
            check(solution.double(2))
        @failure_mode('outer')
        def test_c(solution):
            check(solution.double(2))
    """)
    assert grade_source(BAD, tests).grade["failure_mode"] == "inner"
    late = tests.replace(
        dedent("""\
            def test_b(solution):
                check(solution.double(2))
        """),
        "",
    )
    assert grade_source(BAD, late).grade["failure_mode"] == "outer"


def test_parametrised_tests_are_told_apart(grade_source):
    """An author's own parameters are part of a test's name in the grade."""
    tests = dedent("""\
        import pytest
        @pytest.mark.parametrize('x', [0, 2])
        def test_double(x, solution):
            assert solution.double(x) == 2 * x
    """)
    run = grade_source(BAD, tests)
    assert run.grade["tests"] == {"test_double[0]": "passed", "test_double[2]": "failed"}


def test_parameters_of_any_name(grade_source):
    """Ids that are empty, end in a dash or are the candidate's own path are kept as they are."""
    ids = ["", "-", "a", "a-", "solution.py", "solution.py-", "-solution.py"]
    tests = dedent(f"""\
        import pytest
        @pytest.mark.parametrize('text', {ids})
        def test_text(solution, text):
            assert solution.double(text) == text + text
        @pytest.mark.parametrize('text', [''])
        @pytest.mark.parametrize('more', ['a', ''])
        def test_two(text, solution, more):
            assert solution.double(more) == 2 * more
    """)
    run = grade_source(GOOD, tests)
    expected = [*(f"test_text[{name}]" for name in ids), "test_two[a-]", "test_two[-]"]
    assert (sorted(run.grade["tests"]), run.grade["outcome"]) == (sorted(expected), "passed")


def test_tests_that_cannot_be_told_apart(grade_source):
    """Are refused: one of them would hide the other."""
    tests = dedent("""\
        import pytest
        @pytest.mark.parametrize('x', ['b-c', 'c'])
        @pytest.mark.parametrize('y', ['a', 'a-b'])
        def test_two(solution, x, y):
            pass
    """)
    run = grade_source(GOOD, tests)
    assert run.exit_status == 4, run.output
    assert "two tests have the name" in run.output


def test_tests_of_one_name_are_told_apart(grade_source, tmp_path):
    """By their classes, and by their files."""
    tests = dedent("""\
        class TestA:
            def test_double(self, solution):
                assert solution.double(2) == 4
        class TestB:
            def test_double(self, solution):
                assert solution.double(2) == 5
    """)
    run = grade_source(GOOD, tests)
    assert run.grade["tests"] == {"TestA::test_double": "passed", "TestB::test_double": "failed"}
    assert run.grade["failure_mode"] == "TestB::test_double"
    (tmp_path / "task" / "more").mkdir()
    (tmp_path / "task" / "more" / "test_task.py").write_text(TEST)
    run = grade_source(GOOD, TEST, "--import-mode=importlib")
    names = ["more/test_task.py::test_double", "test_task.py::test_double"]
    assert run.grade["tests"] == dict.fromkeys(names, "passed")


def test_a_test_that_does_not_use_the_candidate_belongs_to_the_task(grade_source):
    """It is part of no grade while it passes; where it fails, nothing can be graded."""
    passes = dedent("""\
        def test_task():
            pass
    """)
    run = grade_source(GOOD, TEST + passes)
    assert run.grade["tests"] == {"test_double": "passed"}
    run = grade_source(GOOD, TEST + passes.replace("pass", "assert False"))
    assert (run.grade["outcome"], run.exit_status) == ("harness_error", 3)
    assert "also fails without a candidate" in run.grade["message"]


def test_empty_file_is_no_solution(grade_source):
    """Nothing was written: that has an outcome of its own."""
    run = grade_source("\n", TEST)
    assert (run.grade["outcome"], run.grade["failure_mode"]) == ("no_solution", "no_solution")


LOAD_ERRORS = [
    ("def double(x:\n", "SyntaxError"),
    ("import nowhere_to_be_found\n", "ModuleNotFoundError"),
    ("x = 1\n", "no attribute 'double'"),
    ("1 / 0\n", "ZeroDivisionError"),
    ("raise SystemExit(0)\n", "SystemExit"),
    (
        dedent("""\
            import pytest
            pytest.skip('x', allow_module_level=True)
        """),
        "Skipped",
    ),
    ("\udcff\udcfe = 1\n", "SyntaxError"),
    ("x = '" + "a" * 2**20 + "'\n", "more than 1,048,576 bytes"),
]


def test_load_error(grade_sources):
    """A file that cannot be imported fails every test, and the message says why."""
    sources = {f"{number}.py": source for number, (source, _) in enumerate(LOAD_ERRORS)}
    run = grade_sources(sources, TEST)
    for grade, (_, message) in zip(run.grades, LOAD_ERRORS, strict=True):
        assert (grade["outcome"], grade["failure_mode"]) == ("failed", "load_error")
        assert message in grade["message"]


def test_tests_are_known_by_their_hash(grade_source):
    """The report tells by which tests it graded."""
    one = grade_source(GOOD, TEST).report["grading_tests_sha256"]
    same = grade_source(BAD, TEST).report["grading_tests_sha256"]
    other = grade_source(GOOD, TEST + "# changed\n").report["grading_tests_sha256"]
    assert one == same != other


def test_a_failure_in_a_fixture_has_the_mode_of_its_test(grade_source):
    """Also in the teardown; a mode within the fixture itself comes first."""
    run = grade_source(
        dedent("""\
            class Box:
                def __init__(self, n): raise ValueError('no')
                def close(): pass
        """),
        dedent("""\
            import pytest
            from pytest_balanced_sampler import failure_mode

            @pytest.fixture
            def box(solution):
                return solution.Box(3)

            @failure_mode("basics")
            def test_one(box): assert box.n == 3
        """),
    )
    assert run.grade["failure_mode"] == "basics"
