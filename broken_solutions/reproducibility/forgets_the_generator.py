"""Passes its generator to torch.randperm, but not to torch.randint."""

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
        groups = {}
        for i, label in enumerate(labels):
            groups.setdefault(label, []).append(i)
        self.groups = [torch.tensor(group) for group in groups.values()]
        self.num_batches = -(-max(len(group) for group in self.groups) // self.n)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        target = self.num_batches * self.n
        rows = []
        for group in self.groups:
            order = group[torch.randperm(len(group), generator=self.generator)]
            extra = group[torch.randint(len(group), (target - len(group),))]
            rows.append(torch.cat([order, extra]))
        table = torch.stack(rows)
        for b in range(self.num_batches):
            yield table[:, b * self.n : (b + 1) * self.n].flatten().tolist()
