"""The seven tests of the balanced-sampler task. prompt.md states every rule that they check.

`solution` is the candidate's module, in a process of its own. `grading_random` draws the cases:
the same ones for every candidate that is graded under the same grading seed. Most cases are read
beside the candidate, a whole case in one exchange: what comes back is data, and is checked here.
"""

import json
import multiprocessing.popen_fork
import multiprocessing.queues
import multiprocessing.synchronize  # noqa: F401 - DataLoaders import them late: for each candidate.
from collections import Counter
from itertools import chain, combinations, islice
from reprlib import repr as shown
from typing import NamedTuple

import numpy.random  # Each DataLoader worker seeds it, and would take 10 ms to import it.
from torch.utils.data import DataLoader

from pytest_balanced_sampler import failure_mode, import_beside, rule, run_beside, take

list(DataLoader([0]))  # What this imports late, it would import for each candidate.

LAST_SEED = 2**32 - 1
LIKELY_SEEDS = (1, 2, 7, 10, 42, 100, 123, 1234, 1337, 2024, 2025, 3407, 12345)
MAX_TEXT = 10**6


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


class Epoch(NamedTuple):
    """The lengths of the batches, and the indices in all of them."""

    lengths: numpy.ndarray
    indices: numpy.ndarray


@failure_mode("interface")
def epoch_of(batches, case):
    """The epoch that these batches are, if each of them is a list of indices into the labels."""
    assert batches, f"an epoch has no batch {case}"
    for batch in batches:
        assert isinstance(batch, list), f"a batch is not a list: {shown(batch)} {case}"
        are_integers = all(map(is_index_type, set(map(type, batch))))
        assert are_integers, f"a batch is not of integers: {shown(batch)} {case}"
        are_known = not batch or 0 <= min(batch) <= max(batch) < len(case.labels)
        assert are_known, f"a batch has an index out of range: {shown(batch)} {case}"
    lengths = numpy.array(list(map(len, batches)))
    return Epoch(lengths, numpy.fromiter(chain.from_iterable(batches), int, lengths.sum()))


def is_index_type(kind):
    return issubclass(kind, int | numpy.integer) and kind not in (bool, numpy.timedelta64)


def read_epoch(sampler, case):
    return epoch_of(failure_mode("interface")(take)(sampler, case.too_many), case)


@failure_mode("balance")
def check_balance(epoch, case):
    shape = len(epoch.lengths), len(case.sizes)
    batch_numbers = numpy.repeat(numpy.arange(shape[0]), epoch.lengths)
    places = batch_numbers * shape[1] + case.class_numbers[epoch.indices]
    counts = numpy.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)
    for number in numpy.flatnonzero((counts != case.n).any(axis=1)):
        found = dict(zip(case.sizes, counts[number].tolist(), strict=True))
        raise AssertionError(f"batch {number} has {found} samples per class {case}")


@failure_mode("coverage")
def check_coverage(epoch, case, which="an epoch"):
    is_missing = numpy.ones(len(case.labels), bool)
    is_missing[epoch.indices] = False
    missing = numpy.flatnonzero(is_missing)
    assert not len(missing), (
        f"{which} of {len(epoch.lengths)} batches ({case.batches} are due) lacks {len(missing)} of "
        f"{len(case.labels)} samples: {missing[:10].tolist()} {case}"
    )


@failure_mode("interface")
def check_number(epoch, case):
    number = len(epoch.lengths)
    assert number == case.batches, f"an epoch has {number} batches, not {case.batches}, {case}"


@failure_mode("interface")
def check_length(length, case, when="after an epoch"):
    assert length == case.batches, f"len() {when} is {length}, not {case.batches}, {case}"


def check_epoch(epoch, case):
    check_balance(epoch, case)
    check_coverage(epoch, case)
    check_number(epoch, case)


def reader(module):
    """For `run_beside`: reads samplers in turns while other code reseeds the global random state.

    What it gives is text: lists would be compared with copies of them at each later exchange.
    """
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
        batches = islice(iter(lambda: next(iterator, None), None), at_most)
        return [list(batch) if isinstance(batch, list) else repr(batch) for batch in batches]

    def read_beside(labels, n, seeds, epochs, at_most):
        samplers = [module.BalancedBatchSampler(list(labels), n, seed=seed) for seed in seeds]
        in_turns = [iter(sampler) for sampler in samplers]
        begun = [read(iterator, 1) for iterator in in_turns]
        read_on = [read(iterator, at_most) for iterator in in_turns]
        del in_turns
        read_epochs = [[first + rest] for first, rest in zip(begun, read_on, strict=True)]
        for _ in range(epochs - 1):
            for epochs_of_one, sampler in zip(read_epochs[:2], samplers, strict=False):
                epochs_of_one.append(read(iter(sampler), at_most))
        return json.dumps([read_epochs, len(samplers[0])], default=number_or_text)

    def number_or_text(item):
        return int(item) if isinstance(item, numpy.integer) else repr(item)

    return read_beside


def constants(module):
    """For `run_beside`: the integers in the candidate's code, such as the 42 of `seed or 42`."""
    members = vars(module.BalancedBatchSampler).values()
    codes = [getattr(member, "__code__", None) for member in members]
    found = [constant for code in codes if code is not None for constant in code.co_consts]
    found += vars(module).values()
    return [each for each in found if type(each) is int and 0 <= each < 2**32]


def parsed(text):
    assert len(text) < MAX_TEXT, "an epoch is too long"
    return json.loads(text)


class Beside:
    """Reads samplers in the candidate's process."""

    def __init__(self, solution):
        self._read = run_beside(solution, reader)
        self._constants = run_beside(solution, constants)[:20]

    def read(self, case, epochs, seeds=()):
        """Epochs by seed: several of two samplers with equal arguments, one of others; a length."""
        alike = [case.seed] if case.seed is None else [case.seed, case.seed]
        if case.seed is None or case.batches == 1 or len(case.labels) < 20:
            others = []  # Another order is not asked for, or may be the same by chance.
        else:
            near = [case.seed ^ 1, case.seed ^ 2**16, case.seed ^ 2**31]
            others = dict.fromkeys([*near, 0, 42, *self._constants, *seeds])
            others.pop(case.seed, None)
        text = self._read(case.labels, case.n, [*alike, *others], epochs, case.too_many)
        (one, *same), length = parsed(text)
        assert len(one) == epochs, f"{len(one)} epochs in place of {epochs} {case}"
        return one, same[:1], dict(zip(others, same[1:], strict=True)), length


@failure_mode("reproducibility")
def check_orders(one, same, others, case):
    """Samplers with the same arguments give the same epochs; no two seeds give the same order."""
    for number, (epoch, again) in enumerate(zip(one, *same, strict=True)) if same else ():
        assert epoch == again, (
            f"two samplers with the same arguments differ in epoch {number} {case}"
        )
    orders = {case.seed: one} | others
    for seed, other in combinations(orders, 2):
        # random.Random treats 0 and LAST_SEED * 2**32 alike.
        is_exempt = {seed, other} == {0, LAST_SEED}
        differ = is_exempt or orders[seed][0] != orders[other][0]
        assert differ, f"seeds {seed} and {other} give the same order {case}"


def check_all(case, beside, epochs=2):
    """All that holds for every sampler, whatever its data."""
    one, same, others, length = beside.read(case, epochs)
    for batches in one:
        check_epoch(epoch_of(batches, case), case)
    check_length(length, case)
    check_orders(one, same, others, case)


@rule(1, 3, 4)
@failure_mode("interface")
def test_basic_functionality(solution):
    sampler_class = solution.BalancedBatchSampler
    assert isinstance(sampler_class, type), "BalancedBatchSampler is not a class"
    is_sampler = issubclass(sampler_class, import_beside(solution, "torch.utils.data").Sampler)
    assert is_sampler, "not a subclass of torch.utils.data.Sampler"
    case = Case([0, 0, 0, 0, 1, 1, 1, 1], n=2, seed=5)
    without_seed = sampler_class(labels=list(case.labels), n_samples_per_class=case.n)
    for sampler in (without_seed, case.build(solution)):
        check_length(len(sampler), case, "before an epoch")
        for _ in range(2):
            check_number(read_epoch(sampler, case), case)
            check_length(len(sampler), case)
        broken_off = iter(sampler)
        take(broken_off, 1)
        check_length(len(sampler), case, "during an epoch")
        del broken_off  # Two live iterations of one sampler are undefined.
        check_length(len(sampler), case, "after an abandoned epoch")
        check_number(read_epoch(sampler, case), case)
        check_length(len(sampler), case)


@rule(2, 5)
@failure_mode("balance")
def test_batch_balance(solution, grading_random):
    cases = [Case([0, 1] * 12, n) for n in (1, 2, 5)]
    for n in (1, 2, 5):
        cases.append(draw_case(grading_random, grading_random.sample(range(5, 30), 3), n))
    for case in (*reversed(cases), Case(cases[-1].labels, 5, seed=None)):
        sampler = case.build(solution)
        check_balance(read_epoch(sampler, case), case)
        take(sampler, 1)
        check_balance(read_epoch(sampler, case), case)


@rule(3)
@failure_mode("coverage")
def test_all_samples_used(solution, grading_random):
    cases = [Case([0] * 40 + [1] * 39, n) for n in (1, 3, 4)]
    for n in (1, 3, 4):
        cases.append(draw_case(grading_random, grading_random.sample(range(4, 40), 3), n))
    for case in (*reversed(cases), Case(cases[0].labels, 4, seed=None)):
        sampler = case.build(solution)
        check_coverage(read_epoch(sampler, case), case)
        take(sampler, 1)
        check_coverage(read_epoch(sampler, case), case, "after an abandoned epoch, an epoch")


@rule(6)
def test_reproducibility(solution, grading_random):
    beside = failure_mode("reproducibility")(Beside)(solution)
    drawn = grading_random.randrange(2, 2**16)
    for mode, sizes, n, seed, seeds in (
        ("reproducibility", [24, 15, 6], 4, drawn, LIKELY_SEEDS),
        ("reproducibility", [24, 15, 6], 4, 0, []),
        ("reproducibility", [24, 15, 6], 4, LAST_SEED, []),
        ("reproducibility", [24, 15, 6], 4, 2**31 + drawn, []),
        ("reproducibility", [24, 24], 4, drawn, []),
        ("reproducibility", [14, 9], 1, drawn, []),
        ("edge_case", [24], 4, drawn, []),
        ("edge_case", [20, 3, 1], 5, drawn, []),
        ("edge_case", [6, 2], 9, drawn, []),
    ):
        case = Case(draw_case(grading_random, sizes, n).labels, n, seed)
        *read, _ = failure_mode(mode)(Beside.read)(beside, case, 3, seeds)
        check_orders(*read, case)
        if seeds:  # What was read beside the candidate is what its sampler gives.
            sampler = case.build(solution)
            len(sampler)  # May be asked at any time, and changes nothing.
            check_orders([take(sampler, case.too_many)], [read[0][:1]], {}, case)


def loader_beside(module, labels, n, seed, at_most):
    """For `run_beside`: epochs of a DataLoader in the candidate's process, as text."""
    import json
    from itertools import islice

    from torch.utils.data import DataLoader

    sampler = module.BalancedBatchSampler(labels, n, seed=seed)
    loader = DataLoader(range(len(labels)), batch_sampler=sampler, collate_fn=list)
    return json.dumps([list(islice(loader, at_most)) for _ in range(2)])


@rule(7)
@failure_mode("interface")
def test_dataloader_compatibility(solution):
    case = Case([0] * 9 + [1] * 4 + [2] * 6, n=4)
    # A batch that cannot be pickled would be waited for, for a minute.
    read_epoch(case.build(solution), case)
    arguments = list(case.labels), case.n, case.seed, case.too_many
    epochs = parsed(run_beside(solution, loader_beside, *arguments))
    assert len(epochs) == 2, f"{len(epochs)} epochs of a DataLoader {case}"
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
        check_length(len(loader), case, "of a DataLoader")
        epochs += [list(islice(loader, case.too_many)) for _ in range(2)]
    for batches in epochs:
        check_epoch(epoch_of(batches, case), case)


EXTREMES = (
    Case([0] * 100 + [1] * 2, n=10),
    Case([1] * 2 + [0] * 100, n=3),
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
    Case([2**63 - 1, 2**63 - 2, 2**63 - 1, -1, -(2**63), 0, 10**6] * 6, n=4),
    Case(list(range(12, -1, -1)) * 6, n=1),
)
LARGE = (
    Case(list(range(100)) * 3, n=2),
    # A class is filled 3,000 times over: too often for one call in another.
    Case([0] * 3000 + [1], n=1500),
    # What is quadratic in the number of labels, or of a class, takes seconds here already.
    Case([0, 1] * 25_000, n=16),
)


def epoch_beside(module, labels, n, seed, at_most):
    """For `run_beside`: an epoch as bytes, as the labels are: they cross much faster than lists."""
    from array import array
    from itertools import islice

    lengths, indices = array("q"), array("q")
    sampler = module.BalancedBatchSampler(array("q", labels).tolist(), n, seed=seed)
    for batch in islice(sampler, at_most):
        lengths.append(len(batch))
        indices.extend(batch)
    return lengths.tobytes(), indices.tobytes()


@rule(5, 8)
@failure_mode("edge_case")
def test_edge_cases(solution):
    beside = Beside(solution)
    for case in EXTREMES:
        check_all(case, beside)
    for case in LARGE:
        arguments = numpy.array(case.labels).tobytes(), case.n, case.seed, case.batches + 1
        read = run_beside(solution, epoch_beside, *arguments)
        lengths, indices = (numpy.frombuffer(each, int) for each in read)
        due = [case.n * len(case.sizes)] * case.batches
        assert lengths.tolist() == due, f"an epoch has batches of wrong lengths {case}"
        assert 0 <= indices.min() <= indices.max() < len(case.labels), f"unknown indices {case}"
        check_epoch(Epoch(lengths, indices), case)


@rule(2, 3, 4, 6)
def test_different_class_sizes(solution, grading_random):
    beside = Beside(solution)
    labels = [3] * 20 + [2] * 3 + [1] * 7 + [0] * 5
    for n, seed in ((4, 7), (5, 0), (10, LAST_SEED), (7, None)):
        check_all(Case(labels, n, seed), beside, epochs=3)
    for n in (2, 5, 6):
        sizes = grading_random.choices(range(1, 25), k=grading_random.randrange(4, 9))
        check_all(draw_case(grading_random, sizes, n, range(-1000, 1000)), beside)
