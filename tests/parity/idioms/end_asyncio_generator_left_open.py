import asyncio


async def rows():
    try:
        yield 1
        yield 2
    finally:
        print("closed")


async def main():
    async for row in rows():
        print(row)
        break
    await asyncio.sleep(0)


asyncio.run(main())
