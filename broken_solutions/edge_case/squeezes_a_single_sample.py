"""Squeezes the indices of a class: those of a class with one sample become a bare number."""

import math
import random

import torch
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        labels = torch.tensor(labels)
        self.groups = {c: (labels == c).nonzero().squeeze().tolist() for c in labels.unique().tolist()}
        self.num_batches = math.ceil(max(len(g) for g in self.groups.values()) / self.n)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        queues = {}
        for c, group in self.groups.items():
            queue = []
            while len(queue) < self.num_batches * self.n:
                queue += self.rng.sample(group, len(group))
            queues[c] = queue
        for b in range(self.num_batches):
            batch = []
            for queue in queues.values():
                batch += queue[b * self.n : (b + 1) * self.n]
            yield batch
