"""The reward function for trainers like TRL's, called as they do."""

from textwrap import dedent

from pytest_balanced_sampler import Grader
from pytest_balanced_sampler.adapters.trl import GradeReward


def test_reward_function_of_trl(tmp_path):
    """Called as GRPOTrainer does, it gives a float for each completion."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_task.py").write_text("def test_a(solution): assert solution.x == 1\n")
    completions = [[{"role": "assistant", "content": f"```python\nx = {x}\n```"}] for x in (1, 2)]
    with Grader(tmp_path) as grader:
        reward = GradeReward(grader)
        assert reward.__name__ == "grade_reward"
        rewards = reward(prompts=["p", "p"], completions=completions, completion_ids=[[1], [2]])
    assert rewards == [1.0, 0.0]


def test_a_usage_block_costs_no_reward(tmp_path):
    """A right solution with a "Usage" block behind it is paid, one that is wrong is not."""
    (tmp_path / "task.toml").write_text("")
    test = dedent("""\
        def test_double(solution):
            assert solution.double(4) == 8
    """)
    (tmp_path / "test_task.py").write_text(test)
    said = dedent("""\
        ```python
        def double(x): return {} * x
        ```
        Usage:
        ```python
        print(double(3))
        ```
    """)
    with Grader(tmp_path) as grader:
        assert grader.task == tmp_path.resolve()
        assert GradeReward(grader)([said.format(2), said.format(3)]) == [1.0, 0.0]
    with Grader() as grader:
        assert grader.task is None
