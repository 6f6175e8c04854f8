import asyncio


async def handler(event, context):
    for number in range(event.get("count", 5)):
        yield {"number": number}
        await asyncio.sleep(event.get("pause", 0.2))
