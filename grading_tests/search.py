"""Defects and the conditions under which they show: what `verify_grader.py --search` composes.

Each candidate is a reference with a subclass around it, whose instances have a defect while a
condition holds. `oracle.violation` says which of them break the contract; a defect may well break
nothing under its condition.
"""

from collections.abc import Iterator

import oracle

SHELL = '''

import random as _random
from collections import Counter as _Counter
from itertools import chain as _chain, cycle as _cycle

import numpy as _numpy
import torch as _torch

_Reference = BalancedBatchSampler


class BalancedBatchSampler(_Reference):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self._labels, self._size, self._seed = labels, n_samples_per_class, seed
        self._sizes = _Counter(labels)
        self._epoch, self._left, self._is_broken_off = -1, 0, False
        super().__init__(labels, n_samples_per_class, seed={seed})

    def _holds(self):
        labels, n, seed, sizes = self._labels, self._size, self._seed, self._sizes
        largest, smallest = max(sizes.values()), min(sizes.values())
        return {condition}

    def _members(self):
        members = {{}}
        for index, label in enumerate(self._labels):
            members.setdefault(label, []).append(index)
        return members

    def _columns(self, draw):
        """An epoch in which each class's places are filled by `draw(members, places)`."""
        length = super().__len__()
        columns = [draw(group, length * self._size) for group in self._members().values()]
        cuts = [slice(b * self._size, (b + 1) * self._size) for b in range(length)]
        return [[index for column in columns for index in column[cut]] for cut in cuts]

    def _replaced(self, batches, found, wanted):
        return [[wanted if index == found else index for index in batch] for batch in batches]

    def _batches(self):
        batches = list(super().__iter__())
        first, last = batches[0], batches[-1]
        of_class = self._members()[self._labels[0]]
        rng = _random.Random(self._seed)
{batches}
        return batches

    def __iter__(self):
        self._is_broken_off = self._left > 0
        self._epoch += 1
        self._left = super().__len__()
        return self._yield()

    def _yield(self):
        {before}
        for batch in self._batches() if self._holds() else super().__iter__():
            self._left -= 1
            {each}
            yield batch

    def __len__(self):
        length = super().__len__()
        return {length}
'''

CONDITIONS = {
    "always": "True",
    "n exceeds a class": "n > smallest",
    "n exceeds the dataset": "n > len(labels)",
    "one class": "len(sizes) == 1",
    "two classes": "len(sizes) == 2",
    "many classes": "len(sizes) >= 10",
    "equal classes": "largest == smallest",
    "unequal classes": "largest != smallest",
    "a class of one sample": "smallest == 1",
    "one sample": "len(labels) == 1",
    "100 samples and more": "len(labels) >= 100",
    "50 to 1": "largest >= 50 * smallest",
    "one batch": "largest <= n",
    "20 batches and more": "largest > 19 * n",
    "n is 1": "n == 1",
    "a full last batch": "largest % n == 0",
    "a partial last batch": "largest % n != 0",
    "negative labels": "min(labels) < 0",
    "gaps between labels": "max(labels) - min(labels) >= len(sizes)",
    "labels beyond 32 bits": "max(labels) >= 2 ** 31",
    "sorted labels": "labels == sorted(labels)",
    "unsorted labels": "labels != sorted(labels)",
    "no seed": "seed is None",
    "seed 0": "seed == 0",
    "the largest seed": "seed == 4294967295",
    "seeds from 2**31 on": "seed is not None and seed >= 2147483648",
    "from the second epoch on": "self._epoch > 0",
    "from the third epoch on": "self._epoch > 1",
    "after an abandoned epoch": "self._is_broken_off",
}

OF_AN_EPOCH = {
    "drops the last batch": "batches = batches[:-1]",
    "repeats a batch": "batches = batches + [first]",
    "cuts the last batch": "batches[-1] = last[:-1]",
    "lengthens the first batch": "batches[0] = first + first[:1]",
    "takes one of another class": "batches[-1] = [0] + last[1:]",
    "takes one from another batch": "batches[0] = [last[-1]] + first[1:]",
    "loses the first sample": "batches = self._replaced(batches, 0, of_class[-1])",
    "loses the last sample": (
        "index = len(self._labels) - 1\n"
        "batches = self._replaced(batches, index, self._members()[self._labels[-1]][0])"
    ),
    "an index too high": "batches = self._replaced(batches, 0, len(self._labels))",
    "a negative index": "batches = self._replaced(batches, 0, -len(self._labels))",
    "draws with replacement": "batches = self._columns(lambda group, k: rng.choices(group, k=k))",
    "shuffles nothing": "batches = self._columns(lambda group, k: (group * k)[:k])",
    "shuffles unseeded": "_random.Random().shuffle(batches[0])",
    "orders unseeded": "_random.SystemRandom().shuffle(batches)",
    "shuffles by random's state": "_random.shuffle(batches[-1])",
    "shuffles by NumPy's state": "_numpy.random.shuffle(batches[0])",
    "shuffles by PyTorch's state": (
        "batches[0] = _torch.tensor(first)[_torch.randperm(len(first))].tolist()"
    ),
    "gives tuples": "batches = list(map(tuple, batches))",
    "gives one tuple": "batches[-1] = tuple(last)",
    "gives an array": "batches[-1] = _numpy.array(last)",
    "gives floats": "batches[0] = list(map(float, first))",
    "gives NumPy integers": "batches = [list(_numpy.array(batch)) for batch in batches]",
    "gives a subclass of list": "batches = list(map(type('Batch', (list,), {}), batches))",
    "raises": "raise ValueError('not this')",
    "gives nothing": "batches = []",
    "never ends": "batches = _cycle(batches)",
    "reverses": "batches = batches[::-1]",
}

OF_THE_SEED = {
    "seed or 42": "seed or 42",
    "seed or 987654": "seed or 987654",
    "16 bits of the seed": "seed and seed & 65535",
    "31 bits of the seed": "seed and seed & 2147483647",
    "half the seed": "seed and seed // 2",
    "one seed for all": "seed and 5",
    "no seed": "None",
}

OF_THE_LENGTH = {
    "one too many": "length + 1",
    "one too few": "length - 1",
    "counts down": "self._left if self._epoch >= 0 else length",
    "as float": "float(length)",
}


def violation(module, source):
    return oracle.violation(module.BalancedBatchSampler, source)


def shell(condition="True", **parts):
    filled = {"seed": "seed", "batches": "", "before": "pass", "each": "pass", "length": "length"}
    filled |= parts
    filled["batches"] = filled["batches"].replace("\n", "\n        ")
    filled["batches"] = " " * 8 + filled["batches"] if filled["batches"] else ""
    return SHELL.format(condition=condition, **filled)


def shells() -> Iterator[tuple[str, str]]:
    """What is put around a reference: its name, and its source."""
    for when, condition in CONDITIONS.items():
        for defect, code in OF_AN_EPOCH.items():
            yield f"{defect}, {when}", shell(condition, batches=code)
        for defect, code in OF_THE_LENGTH.items():
            yield (
                f"len {defect}, {when}",
                shell(condition, length=f"{code} if self._holds() else length"),
            )
        if "self._epoch" not in condition and "self._is_broken_off" not in condition:
            for defect, code in OF_THE_SEED.items():
                yield (
                    f"{defect}, {when}",
                    shell(condition, seed=f"({code}) if self._holds() else seed"),
                )
        reseeds = "if self._holds() and self._seed is not None: _random.seed(self._seed)"
        draws = "if self._holds() and self._seed is not None: _random.shuffle(batch)"
        yield f"reseeds and draws lazily, {when}", shell(condition, before=reseeds, each=draws)
