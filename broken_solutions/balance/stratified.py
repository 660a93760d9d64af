"""Takes from each class in proportion to its size: stratified, not balanced."""

import math

import torch
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.generator = torch.Generator()
        if seed is not None:
            self.generator.manual_seed(seed)
        else:
            self.generator.seed()
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)
        self.num_batches = math.ceil(max(map(len, self.groups.values())) / self.n)
        self.batch_size = self.n * len(self.groups)
        self.total = len(labels)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        order = {}
        for label, group in self.groups.items():
            shuffled = []
            while len(shuffled) < self.num_batches * self.batch_size:
                perm = torch.randperm(len(group), generator=self.generator).tolist()
                shuffled.extend(group[p] for p in perm)
            order[label] = iter(shuffled)
        for _ in range(self.num_batches):
            batch = []
            for label, group in self.groups.items():
                share = max(1, round(self.batch_size * len(group) / self.total))
                batch.extend(next(order[label]) for _ in range(share))
            yield batch
