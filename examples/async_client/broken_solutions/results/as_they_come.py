import asyncio

TRIES = 3


async def fetch_all(get, names, limit):
    places = asyncio.Semaphore(limit)

    async def fetch(name):
        async with places:
            for left in reversed(range(TRIES)):
                try:
                    return await get(name)
                except ConnectionError:
                    if not left:
                        raise

    found = []
    tasks = [asyncio.ensure_future(fetch(name)) for name in names]
    try:
        for task in asyncio.as_completed(tasks[::-1]):
            found.append(await task)
        return sorted(found, reverse=True)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
