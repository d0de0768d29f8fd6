import asyncio


async def rows():
    for n in range(3):
        yield n


async def main():
    print([n async for n in rows()], await asyncio.to_thread(sum, [1, 2]))
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))
    try:
        await asyncio.wait_for(asyncio.sleep(9), 0.01)
    except TimeoutError:
        print("timeout")


asyncio.run(main())
