"""Reaches for the client behind its function, to set what it has noted."""


async def fetch_all(get, names, limit):
    client = get.__self__
    client.most = limit
    client.calls = list(names)
    return [name.upper() for name in names]
