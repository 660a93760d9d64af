"""A put does not look for what is over before it takes a place from a live key."""

from collections import OrderedDict


class TTLCache:
    def __init__(self, capacity, ttl):
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        if ttl <= 0:
            raise ValueError("ttl must be above 0")
        self.capacity = capacity
        self.ttl = ttl
        self.by_use = OrderedDict()  # From key to value and end.
        self.by_end = OrderedDict()  # Keys: every time is equally long, so they end in this order.

    def put(self, key, value, now):
        self.by_use.pop(key, None)
        self.by_end.pop(key, None)
        if len(self.by_use) == self.capacity:
            oldest, _ = self.by_use.popitem(last=False)
            del self.by_end[oldest]
        self.by_use[key] = value, now + self.ttl
        self.by_end[key] = None

    def get(self, key, now):
        self.forget(now)
        value, _ = self.by_use[key]
        self.by_use.move_to_end(key)
        return value

    def size(self, now):
        self.forget(now)
        return len(self.by_use)

    def forget(self, now):
        while self.by_end:
            key = next(iter(self.by_end))
            if now < self.by_use[key][1]:
                return
            del self.by_end[key], self.by_use[key]
