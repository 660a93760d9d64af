"""Pool-based: one pool per class, refilled and shuffled by NumPy; a batch takes from each."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self._n = n_samples_per_class
        self._rng = np.random.default_rng(seed)
        labels = np.asarray(labels, dtype=np.int64)
        order = np.argsort(labels, kind="stable")
        _, starts = np.unique(labels[order], return_index=True)
        self._members = np.split(order, starts[1:])
        self._length = math.ceil(max(len(members) for members in self._members) / self._n)

    def __len__(self):
        return self._length

    def __iter__(self):
        pools = [np.empty(0, dtype=np.int64) for _ in self._members]
        for _ in range(self._length):
            batch = []
            for number, members in enumerate(self._members):
                while len(pools[number]) < self._n:
                    pools[number] = np.concatenate([pools[number], self._rng.permutation(members)])
                batch.extend(pools[number][: self._n].tolist())
                pools[number] = pools[number][self._n :]
            yield batch
