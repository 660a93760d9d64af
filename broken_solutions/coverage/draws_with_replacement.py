"""Draws each batch at random: every sample is seen in expectation only."""

import math
import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.members = {}
        for index, label in enumerate(labels):
            self.members.setdefault(label, []).append(index)
        self.n_batches = math.ceil(max(map(len, self.members.values())) / self.n)

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        for _ in range(self.n_batches):
            yield [
                index
                for members in self.members.values()
                for index in self.rng.choices(members, k=self.n)
            ]
