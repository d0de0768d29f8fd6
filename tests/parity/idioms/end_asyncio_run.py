import asyncio


async def work(n):
    await asyncio.sleep(0.01 * n)
    return n


async def main():
    print(await asyncio.gather(*map(work, range(4))))
    async with asyncio.timeout(5):
        queue = asyncio.Queue()
        await queue.put("item")
        print(await queue.get())


asyncio.run(main())
