"""The asynchronous SDK: the same words as the synchronous one, to be awaited.

async with twin.aio.local() as client:
    part = await client.upload("bracket.step")
    run = await client.simulate(part, study)
    async for update in run.watch(): ...
    result = await run.result()
    displacement = await result.field("displacement")
"""

from twin.sdk.aio.client import AsyncClient, connect, local
from twin.sdk.aio.result import AsyncResult
from twin.sdk.aio.run import AsyncRun

__all__ = ["AsyncClient", "AsyncResult", "AsyncRun", "connect", "local"]
