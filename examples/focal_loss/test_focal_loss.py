"""The tests of the focal loss's task: each rule of prompt.md, and nothing else."""

import numpy
import pytest
import torch

from pytest_balanced_sampler import failure_mode, rule, run_beside

DTYPES = [torch.float32, torch.float64]

# The first comparison imports 500 modules: do it once, not in the process of each candidate.
torch.testing.assert_close(torch.zeros(1), torch.zeros(1))


def expected(logits, targets, gamma):
    """Loss and gradient in double precision; log(1 - p) and log(p) are computed with logsigmoid."""
    x = logits.detach().to(torch.float64).requires_grad_()
    sign = 1 - 2 * targets.to(torch.float64)
    wrong = torch.nn.functional.logsigmoid(sign * x)  # log of the probability of the other class
    weight = torch.exp(gamma * wrong)
    loss = (weight * torch.nn.functional.softplus(sign * x)).mean()
    (gradient,) = torch.autograd.grad(loss, x)
    return loss.detach(), gradient


@pytest.fixture
def draw(grading_random):
    def draw(*shape, dtype=torch.float32, scale=4.0):
        numbers = numpy.random.default_rng(grading_random.randrange(2**32))
        logits = torch.from_numpy(numbers.normal(0, scale, shape)).to(dtype)
        return logits, torch.from_numpy(numbers.integers(0, 2, shape))

    return draw


def check_value(solution, logits, targets, gamma):
    wanted, _ = expected(logits, targets, gamma)  # Before the candidate can change the arguments.
    loss = solution.focal_loss(logits, targets, gamma)
    assert isinstance(loss, torch.Tensor), f"not a tensor: {loss!r:.100}"
    assert (loss.shape, loss.dtype) == ((), logits.dtype), f"{loss.dtype} {tuple(loss.shape)}"
    torch.testing.assert_close(loss.detach().double(), wanted, rtol=1e-4, atol=1e-6)


def check_gradient(solution, logits, targets, gamma):
    _, wanted = expected(logits, targets, gamma)
    gradient = solution.gradient(logits, targets, gamma)
    assert isinstance(gradient, torch.Tensor), f"not a tensor: {gradient!r:.100}"
    assert gradient.shape == logits.shape, f"a gradient of shape {tuple(gradient.shape)}"
    assert not gradient.requires_grad, "the gradient requires a gradient"
    torch.testing.assert_close(gradient.double(), wanted, rtol=1e-3, atol=1e-6)


@rule(1)
@failure_mode("value")
@pytest.mark.parametrize("gamma", [0, 0.5, 2.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_value(solution, draw, dtype, gamma):
    for shape in ((7,), (3, 5), (2, 1, 4)):
        check_value(solution, *draw(*shape, dtype=dtype), gamma)


@rule(1)
@failure_mode("value")
def test_gamma_is_two_by_default(solution, draw):
    logits, targets = draw(6)
    wanted, _ = expected(logits, targets, 2.0)
    loss = solution.focal_loss(logits, targets)
    torch.testing.assert_close(loss.detach().double(), wanted, rtol=1e-4, atol=1e-6)
    by_name = solution.gradient(logits, targets, gamma=2.0)
    torch.testing.assert_close(solution.gradient(logits, targets), by_name)


@rule(1)
@failure_mode("value")
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float64])
def test_targets_of_any_dtype(solution, draw, dtype):
    logits, targets = draw(9)
    check_value(solution, logits, targets.to(dtype), 1.5)


@rule(2)
@failure_mode("gradient")
@pytest.mark.parametrize("gamma", [0, 0.5, 2.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient(solution, draw, dtype, gamma):
    for shape in ((7,), (3, 5)):
        check_gradient(solution, *draw(*shape, dtype=dtype), gamma)


@rule(2)
@failure_mode("gradient")
def test_loss_can_be_differentiated(solution, draw):
    logits, targets = draw(5)
    assert solution.focal_loss(logits.requires_grad_(), targets).requires_grad


@rule(3)
@failure_mode("stability")
@pytest.mark.parametrize("size", [20.0, 100.0, 10_000.0])
@pytest.mark.parametrize("gamma", [0, 0.5, 2.0])
def test_extreme_logits(solution, gamma, size):
    logits = torch.tensor([size, -size, size, -size, 0.0])
    targets = torch.tensor([1, 1, 0, 0, 1])
    check_value(solution, logits, targets, gamma)
    check_gradient(solution, logits, targets, gamma)


@rule(4)
@failure_mode("arguments")
def test_refuses(solution):
    with pytest.raises(ValueError):
        solution.focal_loss(torch.zeros(3), torch.zeros(1))
    with pytest.raises(ValueError):
        solution.focal_loss(torch.zeros(1), torch.zeros(3))
    with pytest.raises(ValueError):
        solution.focal_loss(torch.zeros(3), torch.zeros(3), gamma=-0.1)


def arguments_after(module):
    import torch

    logits, targets = torch.linspace(-3, 3, 7), torch.tensor([0, 1, 0, 1, 1, 0, 0])
    module.gradient(logits, targets)
    module.focal_loss(logits, targets)
    return logits, targets, logits.requires_grad


@rule(2)
@failure_mode("arguments")
@pytest.mark.solution_timeout(10)
def test_arguments_stay_as_they_are(solution):
    # Sent from here, the logits would be copies, so this check runs in the candidate's process.
    logits, targets, requires_grad = run_beside(solution, arguments_after)
    assert torch.equal(logits, torch.linspace(-3, 3, 7))
    assert targets.tolist() == [0, 1, 0, 1, 1, 0, 0]
    assert not requires_grad, "the logits require a gradient now"
