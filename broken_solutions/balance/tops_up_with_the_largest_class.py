"""Pads to the largest class and tops the last batch up with that class alone."""

import random
from collections import defaultdict

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.by_class = defaultdict(list)
        for i, y in enumerate(labels):
            self.by_class[y].append(i)
        self.largest = max(self.by_class.values(), key=len)

    def __len__(self):
        return -(-len(self.largest) // self.n)

    def __iter__(self):
        queues = []
        for members in self.by_class.values():
            queue = self.rng.sample(members, len(members))
            while len(queue) < len(self.largest):
                queue.append(self.rng.choice(members))
            queues.append(queue)
        batch_size = self.n * len(queues)
        for start in range(0, len(self.largest), self.n):
            batch = [i for queue in queues for i in queue[start : start + self.n]]
            while len(batch) < batch_size:
                batch.append(self.rng.choice(self.largest))
            yield batch
