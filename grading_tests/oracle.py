"""Whether a sampler keeps the contract: slow, obvious, and written without a look at the tests.

`scripts/verify_grader.py --search` compares its verdicts with those of the tests. It runs samplers
in its own process: they are trusted.
"""

import random
import re
from collections import Counter
from itertools import chain, combinations, count, islice, product

import numpy
import torch
from torch.utils.data import DataLoader, Sampler

LAST_SEED = 2**32 - 1
SEEDS = (None, 7, 0, LAST_SEED, 2**31 + 7, 2**16 + 7, 1, 42)
NAMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    (-3, 40, -5, 2, 700, 11, 90, -1, 6, 5, 80, 99, 10**6),
    (2**63 - 1, -(2**63), 0, 2**62, 5, -(2**40), 1, 2, 3, 4, 6, 7, 8),
)
DATALOADERS = "_next_data", "_next_index", "_reset", "_get_iterator"


class Violation(Exception):
    """What rule is broken, and on what data."""


def partitions(size):
    """All ways to divide so many samples into classes, as lists of class numbers."""
    found = [[0]]
    for _ in range(size - 1):
        found = [[*few, name] for few in found for name in range(max(few) + 2)]
    return found


def small_data():
    for number, (size, n) in enumerate(product(range(1, 5), range(1, 6))):
        for labels in partitions(size):
            names = NAMES[number % len(NAMES)]
            yield [names[label] for label in labels], n


def larger_data():
    chance = random.Random("oracle")
    shapes = [
        ([30, 30], 5), ([30, 30], 7), ([30, 29], 30), ([45, 44], 23), ([60], 7), ([60], 60),
        ([60], 61), ([40, 1], 41), ([40, 1], 44), ([200, 4], 9), ([100, 2], 10), ([25, 9, 3], 4),
        ([25, 9, 3], 1), ([24, 12, 12], 4), ([50, 24], 25), ([20] * 12, 3), ([3] * 11, 2),
        ([1200, 1], 600), ([33, 5, 5, 1], 6),
    ]  # fmt: skip
    shapes += [
        ([chance.randrange(1, 40) for _ in range(k)], chance.randrange(1, 12)) for k in (3, 5)
    ]
    for number, (sizes, n) in enumerate(shapes):
        names = NAMES[number % len(NAMES)]
        labels = [names[place] for place, size in enumerate(sizes) for _ in range(size)]
        if number % 2:
            chance.shuffle(labels)
        yield labels, n


class Data:
    """A sampler class, the arguments for it, and the rules for each epoch."""

    def __init__(self, sampler_class, labels, n):
        self.sampler_class, self.labels, self.n = sampler_class, labels, n
        self.batches = -(-max(Counter(labels).values()) // n)
        self.tick = count()

    def build(self, seed):
        return self.sampler_class(list(self.labels), self.n, seed=seed)

    def disturb(self):
        """What other code may do to the global random state at any time."""
        random.seed(next(self.tick))
        numpy.random.seed(next(self.tick))
        torch.default_generator.manual_seed(next(self.tick))

    def demand(self, holds, rule, seed):
        if not holds:
            raise Violation(f"{rule}: labels={self.labels[:30]}, n={self.n}, seed={seed}")

    def read(self, iterable):
        """Copies of the batches, one at a time."""
        return self.read_on(iter(iterable), self.batches + 2)

    def read_on(self, iterator, at_most):
        # Not by islice: it asks for an iterator again, and a sampler may be its own.
        read = []
        for _ in range(at_most):
            try:
                batch = next(iterator)
            except StopIteration:
                break
            self.demand(isinstance(batch, list), "a batch is a list", None)
            are_integers = all(
                isinstance(index, int | numpy.integer) and not isinstance(index, bool)
                for index in batch
            )
            self.demand(are_integers, "integers", None)
            read.append([int(index) for index in batch])
        return read

    def check(self, batches, seed):
        self.demand(len(batches) == self.batches, "C5 number of batches", seed)
        for batch in batches:
            known = all(0 <= index < len(self.labels) for index in batch)
            self.demand(known, "C2 dataset indices", seed)
            drawn = Counter(self.labels[index] for index in batch)
            is_balanced = drawn == dict.fromkeys(self.labels, self.n)
            self.demand(is_balanced, "C3 balance", seed)
        used = set(chain.from_iterable(batches))
        self.demand(used == set(range(len(self.labels))), "C4 coverage", seed)

    def check_length(self, sampler, seed):
        self.demand(len(sampler) == self.batches, "C5 len", seed)

    def whole_epochs(self, seed, epochs=3):
        sampler, read = self.build(seed), []
        self.check_length(sampler, seed)
        for _ in range(epochs):
            self.disturb()
            read.append(self.read(sampler))
            self.check(read[-1], seed)
            self.check_length(sampler, seed)
        return read

    def check_broken_off(self, seed):
        sampler = self.build(seed)
        for after in (1, max(1, self.batches - 1)):
            iterator = iter(sampler)
            self.read_on(iterator, after)
            self.check_length(sampler, seed)
            del iterator
            self.check(self.read(sampler), seed)
            self.check_length(sampler, seed)

    def check_in_turns(self, seed, first):
        iterators = [iter(self.build(seed)) for _ in range(2)]
        read = [[], []]
        for _ in range(self.batches + 1):
            for batches, iterator in zip(read, iterators, strict=True):
                self.disturb()
                batches += self.read_on(iterator, 1)
        self.demand(read == [first, first], "C7 in turns", seed)

    def check_seed(self, seed):
        """All rules for one seed. Gives the first epoch."""
        epochs = self.whole_epochs(seed)
        self.check_broken_off(seed)
        if seed is not None:
            self.demand(self.whole_epochs(seed) == epochs, "C7 the same arguments", seed)
            self.check_in_turns(seed, epochs[0])
        return epochs[0]

    def check_loader(self, seed):
        """C9, beside the sampler and without other processes."""
        loader = DataLoader(self.labels, batch_sampler=self.build(seed), collate_fn=list)
        self.demand(len(loader) == self.batches, "C9 len of a DataLoader", seed)
        for _ in range(2):
            of_batches = [Counter(batch) for batch in islice(loader, self.batches + 2)]
            due = [dict.fromkeys(self.labels, self.n)] * self.batches
            self.demand(of_batches == due, "C9 epoch of a DataLoader", seed)


def check_seeds_differ(data, seeds):
    """C7, on data where a coincidence is out of the question."""
    first = {seed: data.read(data.build(seed)) for seed in seeds}
    for one, other in combinations(first, 2):
        if {one, other} != {0, LAST_SEED}:  # Alike to random.Random, for the seeds that some make.
            data.demand(first[one] != first[other], "C7 seeds differ", (one, other))


def violation(sampler_class, source):
    """The rule that this sampler breaks, with an example; "" if none."""
    if not (isinstance(sampler_class, type) and issubclass(sampler_class, Sampler)):
        return "C1: not a subclass of Sampler"
    literals = {int(each) for each in re.findall(r"\b\d+\b", source)}
    seeds = [seed for seed in SEEDS if seed is not None]
    seeds += [6, 2**31 + 6, LAST_SEED - 1, LAST_SEED // 2]
    seeds += sorted(each for each in literals if each not in seeds and each < LAST_SEED)
    try:
        for number, (labels, n) in enumerate(small_data()):
            data = Data(sampler_class, labels, n)
            data.check_seed(SEEDS[number % len(SEEDS)])
        for number, (labels, n) in enumerate(larger_data()):
            data = Data(sampler_class, labels, n)
            for place in (0, number, number + 3):
                data.check_seed(SEEDS[place % len(SEEDS)])
            if data.batches > 1:
                check_seeds_differ(data, seeds)
            data.check_loader(None)
            data.check_loader(7)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
