"""The code stands in a Markdown fence."""

```python
import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.rng = random.Random(seed)
```
