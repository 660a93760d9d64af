import asyncio

TRIES = 2


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

    tasks = [asyncio.ensure_future(fetch(name)) for name in names]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
