"""Has a pool of processes shuffle the classes; the task says that there are no other processes."""

import random
from multiprocessing import Pool

from torch.utils.data import Sampler


def shuffled(group, places, seed):
    rng = random.Random(seed)
    column = []
    while len(column) < places:
        column += rng.sample(group, len(group))
    return column[:places]


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.n)

    def __iter__(self):
        places = len(self) * self.n
        with Pool(2) as pool:
            work = [(group, places, self.seed) for group in self.groups.values()]
            columns = pool.starmap(shuffled, work)
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
