"""Every call looks at every key."""


class TTLCache:
    def __init__(self, capacity, ttl):
        if capacity < 1 or ttl <= 0:
            raise ValueError("capacity and ttl must be positive")
        self.capacity, self.ttl, self.entries = capacity, ttl, {}

    def put(self, key, value, now):
        self.forget(now)
        self.entries.pop(key, None)
        if len(self.entries) == self.capacity:
            del self.entries[next(iter(self.entries))]
        self.entries[key] = value, now + self.ttl

    def get(self, key, now):
        self.forget(now)
        value = self.entries[key][0]
        self.entries[key] = self.entries.pop(key)
        return value

    def size(self, now):
        self.forget(now)
        return len(self.entries)

    def forget(self, now):
        self.entries = {k: (value, end) for k, (value, end) in self.entries.items() if now < end}
