"""The seven tests of the balanced-sampler task. prompt.md states every rule that they check.

`solution` is the candidate's module, in a process of its own. `grading_random` draws the cases:
the same ones for every candidate that is graded under the same grading seed.
"""

import json
import multiprocessing.queues  # noqa: F401 - A DataLoader imports it late, for each candidate anew.
from collections import Counter
from itertools import chain, combinations, islice
from reprlib import repr as shown

import numpy.random  # Each DataLoader worker seeds it, and would take 10 ms to import it.
from torch.utils.data import DataLoader

from pytest_balanced_sampler import failure_mode, import_beside, run_beside, take

LAST_SEED = 2**32 - 1


class Case:
    """Constructor arguments, and what follows from them for every epoch."""

    def __init__(self, labels, n, seed=2026):
        self.labels, self.n, self.seed = labels, n, seed
        self.sizes = Counter(labels)
        self.batches = -(-max(self.sizes.values()) // n)
        self.too_many = 2 * self.batches + 10
        numbers = dict(zip(self.sizes, range(len(self.sizes)), strict=True))
        self.class_numbers = numpy.array([numbers[label] for label in labels])

    def __repr__(self):
        labels = self.labels if len(self.labels) <= 50 else f"[... {len(self.labels)} ...]"
        sizes = dict(islice(self.sizes.items(), 10))
        return f"for labels={labels} (sizes {sizes}), n={self.n}, seed={self.seed}"

    def build(self, solution):
        # A copy: what a candidate changes in its argument, it changes for the test as well.
        return solution.BalancedBatchSampler(list(self.labels), self.n, seed=self.seed)


def draw_case(random, sizes, n, names=None):
    """A case with classes of these sizes in mixed order, their labels 0, 1, ... or of `names`."""
    names = random.sample(names or range(len(sizes)), len(sizes))
    labels = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    random.shuffle(labels)
    return Case(labels, n, random.randrange(2, LAST_SEED))


@failure_mode("interface")
def read_epoch(batches, case):
    """One whole epoch: a list of batches, each of them a list of indices into the labels."""
    batches = take(batches, case.too_many)
    assert batches, f"an epoch has no batch {case}"
    for batch in batches:
        assert type(batch) is list, f"a batch is not a list: {shown(batch)} {case}"
        are_integers = all(map(is_index_type, set(map(type, batch))))
        assert are_integers, f"a batch is not of integers: {shown(batch)} {case}"
        are_known = not batch or 0 <= min(batch) <= max(batch) < len(case.labels)
        assert are_known, f"a batch has an index out of range: {shown(batch)} {case}"
    return batches


def is_index_type(kind):
    return issubclass(kind, int | numpy.integer) and kind not in (bool, numpy.timedelta64)


def flat(batches):
    return numpy.fromiter(chain.from_iterable(batches), int)


@failure_mode("balance")
def check_balance(batches, case):
    batch_numbers = numpy.repeat(numpy.arange(len(batches)), list(map(len, batches)))
    places = batch_numbers * len(case.sizes) + case.class_numbers[flat(batches)]
    counts = numpy.bincount(places, minlength=len(batches) * len(case.sizes))
    wrong = numpy.flatnonzero(counts != case.n)
    if len(wrong):
        number = wrong[0] // len(case.sizes)
        found = dict(Counter(case.labels[index] for index in batches[number]))
        raise AssertionError(f"batch {number} has {found} samples per class {case}")


@failure_mode("coverage")
def check_coverage(batches, case, epoch="an epoch"):
    is_missing = numpy.ones(len(case.labels), bool)
    is_missing[flat(batches)] = False
    missing = numpy.flatnonzero(is_missing)
    assert not len(missing), (
        f"{epoch} of {len(batches)} batches ({case.batches} are due) lacks {len(missing)} of "
        f"{len(case.labels)} samples: {missing[:10].tolist()} {case}"
    )


@failure_mode("interface")
def check_length(sampler, batches, case):
    assert len(batches) == case.batches, (
        f"an epoch has {len(batches)} batches, not {case.batches}, {case}"
    )
    assert len(sampler) == case.batches, (
        f"len() is {len(sampler)} after an epoch, not {case.batches}, {case}"
    )


def check_epoch(sampler, case):
    batches = read_epoch(sampler, case)
    check_balance(batches, case)
    check_coverage(batches, case)
    check_length(sampler, batches, case)
    return batches


@failure_mode("reproducibility")
def check_repeats(epochs, case, read_beside):
    """The epochs come again, as often as they are drawn, and other ones with another seed."""
    other_seed = 1 if case.seed in (0, LAST_SEED) else 0  # See `check_seeds`.
    seeds = (case.seed, case.seed, other_seed)
    read = read_beside(case.labels, case.n, seeds, len(epochs), case.too_many)
    *twins, other = json.loads(read)
    for number, epoch in enumerate(epochs):
        are_same = twins[0][number] == twins[1][number] == epoch
        assert are_same, f"two samplers built alike differ in epoch {number} {case}"
    if case.batches > 1 and len(case.labels) >= 20:  # Else it may be a coincidence.
        assert other[0] != epochs[0], f"seed={other_seed} gives the same order {case}"


def reader(module):
    """For `run_beside`: reads samplers while other code reseeds the global random state."""
    import json
    import random
    from itertools import count, islice

    import numpy
    import torch

    number = count()

    def read(iterator, at_most):
        for reseed in (random.seed, numpy.random.seed, torch.default_generator.manual_seed):
            reseed(next(number))
        # Not from the iterator itself: a sampler that is its own iterator would start over.
        batches = iter(lambda: next(iterator, None), None)
        return [list(map(int, batch)) for batch in islice(batches, at_most)]

    def read_beside(labels, n, seeds, epochs, at_most):
        samplers = [module.BalancedBatchSampler(list(labels), n, seed=seed) for seed in seeds]
        in_turns = [iter(sampler) for sampler in samplers]
        begun = [read(iterator, 1) for iterator in in_turns]
        read_on = [read(iterator, at_most) for iterator in in_turns]
        del in_turns
        read_epochs = [
            [first + rest] + [read(iter(sampler), at_most) for _ in range(epochs - 1)]
            for first, rest, sampler in zip(begun, read_on, samplers, strict=True)
        ]
        return json.dumps(read_epochs)  # Lists would be compared with their copies at each call.

    return read_beside


def constants(module):
    """For `run_beside`: the integers in the candidate's code, such as the 42 of `seed or 42`."""
    members = vars(module.BalancedBatchSampler).values()
    codes = [getattr(member, "__code__", None) for member in members]
    found = [constant for code in codes if code is not None for constant in code.co_consts]
    found += vars(module).values()
    return [each for each in found if type(each) is int and 0 <= each < 2**32]


def check_all(solution, case, read_beside, epochs=2):
    """All that holds for every sampler, whatever its data."""
    sampler = case.build(solution)
    read = [check_epoch(sampler, case) for _ in range(epochs)]
    if case.seed is not None:
        check_repeats(read, case, read_beside)


@failure_mode("interface")
def test_basic_functionality(solution):
    sampler_class = solution.BalancedBatchSampler
    assert isinstance(sampler_class, type), "BalancedBatchSampler is not a class"
    is_sampler = issubclass(sampler_class, import_beside(solution, "torch.utils.data").Sampler)
    assert is_sampler, "not a subclass of torch.utils.data.Sampler"
    case = Case([0, 0, 0, 0, 1, 1, 1, 1], n=2, seed=5)
    without_seed = sampler_class(labels=case.labels, n_samples_per_class=case.n)
    for sampler in (without_seed, case.build(solution)):
        before = len(sampler)
        assert before == case.batches, f"len() before an epoch is {before}, {case}"
        for _ in range(2):
            check_length(sampler, read_epoch(sampler, case), case)
        broken_off = iter(sampler)
        take(broken_off, 1)
        during = len(sampler)
        assert during == case.batches, (
            f"len() after the first batch of an epoch is {during}, {case}"
        )
        del broken_off  # Two live iterations of one sampler are undefined.
        check_length(sampler, read_epoch(sampler, case), case)


@failure_mode("balance")
def test_batch_balance(solution, grading_random):
    for n in (1, 2, 5):
        drawn = draw_case(grading_random, grading_random.sample(range(5, 30), 3), n)
        for case in (Case([0, 1] * 12, n), drawn, Case(drawn.labels, n, seed=None)):
            sampler = case.build(solution)
            check_balance(read_epoch(sampler, case), case)
            take(sampler, 1)
            check_balance(read_epoch(sampler, case), case)


@failure_mode("coverage")
def test_all_samples_used(solution, grading_random):
    for n in (1, 3, 4):
        drawn = draw_case(grading_random, grading_random.sample(range(4, 40), 3), n)
        fixed = Case([0] * 40 + [1] * 39, n)
        for case in (drawn, fixed, Case(fixed.labels, n, seed=None)):
            sampler = case.build(solution)
            check_coverage(read_epoch(sampler, case), case)
            take(sampler, 1)
            check_coverage(read_epoch(sampler, case), case, "after one broken off, an epoch")


LIKELY_SEEDS = (1, 2, 7, 10, 42, 100, 123, 1234, 1337, 2024, 2025, 3407, 12345)


@failure_mode("reproducibility")
def check_seeds(solution, case, seeds, read_beside):
    """All these seeds give different orders, and the integers in the candidate's code do."""
    seeds += set(run_beside(solution, constants)[:50]).difference(seeds)
    orders = json.loads(read_beside(case.labels, case.n, seeds, 1, case.too_many))
    for (one, order), (other, same) in combinations(zip(seeds, orders, strict=True), 2):
        # random.Random treats 0 and LAST_SEED * 2**32 alike.
        is_exempt = (one, other) == (LAST_SEED, 0)
        assert is_exempt or order != same, f"seeds {one} and {other} give the same order {case}"


def test_reproducibility(solution, grading_random):
    read_beside = run_beside(solution, reader)
    drawn = grading_random.randrange(2, 2**16)
    seeds = [drawn, 2**16 + drawn, 2**31 + drawn, LAST_SEED, 0, *LIKELY_SEEDS]
    check_seeds(solution, draw_case(grading_random, [24, 15, 6], n=4), seeds, read_beside)
    for mode, sizes, n, seed in (
        ("reproducibility", [24, 15, 6], 4, drawn),
        ("reproducibility", [24, 15, 6], 4, 0),
        ("reproducibility", [24, 15, 6], 4, LAST_SEED),
        ("reproducibility", [24, 15, 6], 4, 2**31 + drawn),
        ("reproducibility", [24, 24], 4, drawn),
        ("edge_case", [24], 4, drawn),
        ("edge_case", [20, 3, 1], 5, drawn),
        ("edge_case", [6, 2], 9, drawn),
    ):
        case = Case(draw_case(grading_random, sizes, n).labels, n, seed)
        epochs = failure_mode(mode)(read_epochs)(solution, case)
        check_repeats(epochs, case, read_beside)


def read_epochs(solution, case):
    sampler = case.build(solution)
    return [read_epoch(sampler, case) for _ in range(3)]


def loader_beside(module, labels, n, seed, at_most):
    """For `run_beside`: epochs of a DataLoader in the candidate's process."""
    from itertools import islice

    from torch.utils.data import DataLoader

    sampler = module.BalancedBatchSampler(labels, n, seed=seed)
    loader = DataLoader(range(len(labels)), batch_sampler=sampler, collate_fn=list)
    return [list(islice(loader, at_most)) for _ in range(2)]


@failure_mode("interface")
def test_dataloader_compatibility(solution):
    case = Case([0] * 9 + [1] * 4 + [2] * 6, n=4)
    # A batch that cannot be pickled would be waited for, for a minute.
    read_epoch(case.build(solution), case)
    epochs = run_beside(solution, loader_beside, case.labels, case.n, case.seed, case.too_many)
    for workers in (0, 1):
        loader = DataLoader(
            range(len(case.labels)),
            batch_sampler=case.build(solution),
            num_workers=workers,
            persistent_workers=workers > 0,
            # From Python 3.14 on the default is slower.
            multiprocessing_context="fork" if workers else None,
            timeout=60 * workers,
            collate_fn=list,
        )
        assert len(loader) == case.batches, f"len(DataLoader) is {len(loader)} {case}"
        epochs += [list(islice(loader, case.too_many)) for _ in range(2)]
    for batches in epochs:
        assert len(batches) == case.batches, f"an epoch has {len(batches)} batches {case}"
        check_balance(batches, case)
        check_coverage(batches, case)


EXTREMES = (
    Case([0] * 100 + [1] * 2, n=10),
    Case([1] * 2 + [0] * 100, n=7),
    Case([5] * 7, n=3),
    Case([0], n=1),
    Case([0], n=4),
    Case([3, 1, 2], n=1),
    Case([0, 1, 1], n=8),
    # So many draws that they miss a sample if they are not made to reach each.
    Case([0] * 30 + [1], n=32),
    Case([4] * 30, n=31, seed=None),
    Case([0] * 100 + [1] * 59, n=60),
    Case([0] * 20 + [1] * 19 + [2] * 17, n=20, seed=None),
    Case([-1, 5, -1, -2], n=2),
    Case([2**63 - 1, 2**63 - 2, -1, -(2**63), 0, -1, 10**6], n=2),
    Case(list(range(100)) * 3, n=2),
)
LARGE = (
    # A class is filled 3,000 times over: too often for one call in another.
    Case([0] * 3000 + [1], n=1500),
    # What is quadratic in the number of labels, or of a class, takes seconds here already.
    Case([0, 1] * 25_000, n=10),
)


@failure_mode("edge_case")
def test_edge_cases(solution):
    read_beside = run_beside(solution, reader)
    for case in EXTREMES:
        check_all(solution, case, read_beside)
    for case in LARGE:
        check_epoch(case.build(solution), case)


def test_different_class_sizes(solution, grading_random):
    read_beside = run_beside(solution, reader)
    labels = [0] * 3 + [1] * 17 + [2] * 50 + [3] * 8
    for n, seed in ((4, 7), (2, 0), (9, LAST_SEED), (7, None)):
        check_all(solution, Case(labels, n, seed), read_beside, epochs=3)
    for n in (2, 5, 6):
        sizes = grading_random.choices(range(1, 25), k=grading_random.randrange(4, 9))
        case = draw_case(grading_random, sizes, n, range(-1000, 1000))
        check_all(solution, case, read_beside)
