"""The seven tests of the balanced-sampler task. prompt.md states every rule that they check.

`solution` is the candidate's module, in a process of its own. `grading_random` draws the cases:
the same ones for every candidate that is graded under the same grading seed.
"""

from collections import Counter
from itertools import islice, pairwise
from reprlib import repr as shown

import numpy.random  # Each DataLoader worker seeds it, and would take 10 ms to import it.
from torch.utils.data import DataLoader, Dataset, Sampler

from pytest_balanced_sampler import failure_mode, import_beside, is_instance, take


class Case:
    """Constructor arguments, and what follows from them for every epoch.

    There is always a seed: without one a candidate would have other luck each time it is graded.
    """

    def __init__(self, labels, n, seed=2026):
        self.labels, self.n, self.seed = labels, n, seed
        self.sizes = Counter(labels)
        self.batches = -(-max(self.sizes.values()) // n)
        self.too_many = 2 * self.batches + 10

    def __repr__(self):
        labels = self.labels if len(self.labels) <= 50 else f"[... {len(self.labels)} ...]"
        sizes = dict(islice(self.sizes.items(), 10))
        return f"for labels={labels} (sizes {sizes}), n={self.n}, seed={self.seed}"

    def build(self, sampler_class):
        # A copy: what a candidate changes in its argument, it changes for the test as well.
        return sampler_class(list(self.labels), self.n, seed=self.seed)


def draw_case(random, sizes, n, names=None):
    """A case with classes of these sizes in mixed order, their labels 0, 1, ... or of `names`."""
    names = random.sample(names or range(len(sizes)), len(sizes))
    labels = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    random.shuffle(labels)
    return Case(labels, n, random.randrange(2**32))


@failure_mode("interface")
def read_epoch(sampler, case):
    """One whole epoch: a list of batches, each of them a list of indices into the labels."""
    batches = take(sampler, case.too_many)
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


@failure_mode("balance")
def check_balance(batches, case):
    expected = dict.fromkeys(case.sizes, case.n)
    for number, batch in enumerate(batches):
        counts = Counter(map(case.labels.__getitem__, batch))
        assert counts == expected, f"batch {number} has {dict(counts)} samples per class {case}"


def lacking(used, case):
    return list(islice((index for index in range(len(case.labels)) if index not in used), 10))


@failure_mode("coverage")
def check_coverage(batches, case, epoch="an epoch"):
    used = set().union(*batches)
    samples = len(case.labels)
    missing = samples - len(used)
    made = f"{epoch} of {len(batches)} batches ({case.batches} are due)"
    assert not missing, f"{made} lacks {missing} of {samples} samples: {lacking(used, case)} {case}"


@failure_mode("interface")
def check_length(sampler, batches, case):
    assert len(batches) == case.batches, (
        f"an epoch has {len(batches)} batches, not {case.batches}, {case}"
    )
    assert len(sampler) == case.batches, (
        f"len() is {len(sampler)} after an epoch, not {case.batches}, {case}"
    )


def check_epochs(sampler_class, case, epochs=1):
    """All that holds for every sampler, whatever its data."""
    sampler = case.build(sampler_class)
    for _ in range(epochs):
        batches = read_epoch(sampler, case)
        check_balance(batches, case)
        check_coverage(batches, case)
        check_length(sampler, batches, case)


@failure_mode("interface")
def test_basic_functionality(solution):
    case = Case([0, 0, 0, 0, 1, 1, 1, 1], n=2, seed=5)
    without_seed = solution.BalancedBatchSampler(labels=case.labels, n_samples_per_class=case.n)
    for sampler in (without_seed, case.build(solution.BalancedBatchSampler)):
        assert is_instance(sampler, Sampler), "not a subclass of torch.utils.data.Sampler"
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
        epoch = read_epoch(sampler, case)
        assert len(epoch) == case.batches, f"{len(epoch)} batches after a broken-off epoch, {case}"


@failure_mode("balance")
def test_batch_balance(solution, grading_random):
    sampler_class = solution.BalancedBatchSampler
    for n in (1, 2, 5):
        drawn = draw_case(grading_random, grading_random.sample(range(5, 30), 3), n)
        for case in (Case([0, 1] * 12, n), drawn):
            sampler = case.build(sampler_class)
            for _ in range(2):
                check_balance(read_epoch(sampler, case), case)


@failure_mode("coverage")
def test_all_samples_used(solution, grading_random):
    sampler_class = solution.BalancedBatchSampler
    for n in (1, 3, 4):
        drawn = draw_case(grading_random, grading_random.sample(range(4, 40), 3), n)
        for case in (drawn, Case([0] * 40 + [1] * 39, n)):
            sampler = case.build(sampler_class)
            check_coverage(read_epoch(sampler, case), case)
            take(sampler, 1)
            check_coverage(read_epoch(sampler, case), case, "after one broken off, an epoch")


@failure_mode("reproducibility")
def test_reproducibility(solution, grading_random):
    sampler_class = solution.BalancedBatchSampler
    reseed_global_state = [
        import_beside(solution, "random").seed,
        import_beside(solution, "numpy.random").seed,
        import_beside(solution, "torch").manual_seed,
    ]
    labels = draw_case(grading_random, [24, 15, 6], n=4).labels
    first_epochs = {}
    drawn = grading_random.randrange(2, 2**16)
    for seed in (2**31 + drawn, drawn, 2**16 + drawn, 2**32 - 1, 1, 0):
        case = Case(labels, 4, seed)
        one, same = case.build(sampler_class), case.build(sampler_class)
        epochs = [read_epoch(one, case) for _ in range(3 if seed in (drawn, 0) else 1)]
        for number, epoch in enumerate(epochs):
            for reseed in reseed_global_state:
                reseed(grading_random.randrange(2**32))
            repeated = read_epoch(same, case) == epoch
            assert repeated, f"two samplers built alike differ in epoch {number} {case}"
        first_epochs[seed] = epochs[0]
    in_turns = [iter(case.build(sampler_class)) for _ in range(2)]
    for number, batch in enumerate(first_epochs[case.seed]):
        for iterator in in_turns:
            repeated = next(iterator, None) == batch
            assert repeated, f"batch {number} differs when two samplers take turns {case}"
    # Not every pair: random.Random treats 0 and (2**32 - 1) * 2**32 alike.
    for one, other in pairwise(first_epochs):
        differ = first_epochs[one] != first_epochs[other]
        assert differ, f"seeds {one} and {other} give the same order {case}"


@failure_mode("interface")
def test_dataloader_compatibility(solution):
    class Indices(Dataset):
        def __len__(self):
            return len(case.labels)

        def __getitem__(self, index):
            return index

    case = Case([0] * 9 + [1] * 4 + [2] * 6, n=4)
    # A batch that cannot be pickled would be waited for, for a minute.
    read_epoch(case.build(solution.BalancedBatchSampler), case)
    for workers in (0, 1):
        sampler = case.build(solution.BalancedBatchSampler)
        loader = DataLoader(
            Indices(),
            batch_sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            # From Python 3.14 on the default is slower, and cannot take a class of this function's.
            multiprocessing_context="fork" if workers else None,
            timeout=60 * workers,
            collate_fn=list,
        )
        assert len(loader) == case.batches, f"len(DataLoader) is {len(loader)} {case}"
        for _ in range(2):
            batches = list(islice(loader, case.too_many))
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
    Case([-1, 5, -1, -2], n=2),
    Case([2**63 - 1, 2**63 - 2, -1, -(2**63), 0, -1, 10**6], n=2),
    Case(list(range(100)) * 1000, n=10),
    Case([7] * 100_000, n=1000),
)


@failure_mode("edge_case")
def test_edge_cases(solution):
    sampler_class = solution.BalancedBatchSampler
    for case in EXTREMES:
        check_epochs(sampler_class, case)


def test_different_class_sizes(solution, grading_random):
    sampler_class = solution.BalancedBatchSampler
    check_epochs(sampler_class, Case([0] * 3 + [1] * 17 + [2] * 50 + [3] * 8, n=4, seed=7))
    for n in (2, 5, 6):
        sizes = grading_random.choices(range(1, 25), k=grading_random.randrange(4, 9))
        check_epochs(sampler_class, draw_case(grading_random, sizes, n, range(-1000, 1000)), 2)
