import asyncio


async def fetch_all(get, names, limit):
    found = [None] * len(names)
    left = iter(enumerate(names))

    async def work():
        for place, name in left:
            for tries in (1, 2, 3):
                try:
                    found[place] = await get(name)
                    break
                except ConnectionError:
                    if tries == 3:
                        raise

    workers = [asyncio.ensure_future(work()) for _ in range(limit)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return found
