"""Reshuffles a class as soon as fewer than n are left, so that the rest is not seen."""

import math
import random

from torch.utils.data import Sampler


class ClassPool:
    def __init__(self, indices, rng):
        self.indices = list(indices)
        self.rng = rng
        self.rng.shuffle(self.indices)
        self.pos = 0

    def take(self, n):
        out = []
        if self.pos + n > len(self.indices) and self.pos > 0:
            self.rng.shuffle(self.indices)
            self.pos = 0
        while len(out) < n:
            if self.pos == len(self.indices):
                self.rng.shuffle(self.indices)
                self.pos = 0
            out.append(self.indices[self.pos])
            self.pos += 1
        return out


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.groups = {}
        for index, label in enumerate(labels):
            self.groups.setdefault(label, []).append(index)

    def __len__(self):
        return math.ceil(max(len(g) for g in self.groups.values()) / self.n)

    def __iter__(self):
        pools = [ClassPool(group, self.rng) for group in self.groups.values()]
        for _ in range(len(self)):
            batch = []
            for pool in pools:
                batch += pool.take(self.n)
            yield batch
