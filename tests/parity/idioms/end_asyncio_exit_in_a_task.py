import asyncio
import sys


async def main():
    print("before")
    sys.exit(3)


asyncio.run(main())
