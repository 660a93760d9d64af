"""Draws a number whenever its length is asked for: the order depends on who has asked."""

import random

from torch.utils.data import Sampler


class Deck:
    """A class's indices, dealt without repetition until all have been out."""

    def __init__(self, indices, rng):
        self.indices = indices
        self.rng = rng
        self.left = []

    def deal(self):
        if not self.left:
            self.left = self.rng.sample(self.indices, len(self.indices))
        return self.left.pop()


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n_samples_per_class = n_samples_per_class
        self.rng = random.Random(seed)
        self.indices_by_class = {}
        for index, label in enumerate(labels):
            self.indices_by_class.setdefault(label, []).append(index)

    def __len__(self):
        self.rng.random()
        largest = max(map(len, self.indices_by_class.values()))
        return -(-largest // self.n_samples_per_class)

    def __iter__(self):
        decks = [Deck(indices, self.rng) for indices in self.indices_by_class.values()]
        for _ in range(len(self)):
            yield [deck.deal() for _ in range(self.n_samples_per_class) for deck in decks]
