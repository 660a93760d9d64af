"""Generator-based: an endless stream of indices per class, and a batch is a slice of each."""

from itertools import chain, count, islice
from random import Random

from torch.utils.data import Sampler


def endless(indices, random):
    """The indices in ever new orders, each order complete before the next one begins."""
    while True:
        order = list(indices)
        random.shuffle(order)
        yield from order


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.classes = sorted(set(labels))
        positions = {label: [] for label in self.classes}
        for index, label in enumerate(labels):
            positions[label].append(index)
        self.positions = positions
        self.n = n_samples_per_class
        self.seed = Random().getrandbits(32) if seed is None else seed
        self.epochs = count()

    def __len__(self):
        return -(-max(len(indices) for indices in self.positions.values()) // self.n)

    def __iter__(self):
        epoch = next(self.epochs)
        streams = [
            endless(self.positions[label], Random(f"{self.seed} {epoch} {label}"))
            for label in self.classes
        ]
        for _ in range(len(self)):
            yield list(chain.from_iterable(islice(stream, self.n) for stream in streams))
