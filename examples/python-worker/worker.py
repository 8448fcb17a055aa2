"""The smallest worker: executes the commands of the queue "greeter".

    python worker.py
"""

import asyncio
import os

from bullmq import Job, Worker


async def process(job: Job, _token: str) -> dict:
    """`job.name` is the action, `job.data` is {"action", "data", "principal": {"id"}, "timeoutMs"}.

    What is returned is the command's result; what is raised is the message it fails with.
    """
    name = (job.data["data"] or {}).get("name")
    if not name:
        raise ValueError("nobody to greet")
    return {"greeting": f"Hello, {name}"}


async def main() -> None:
    prefix = os.environ.get("REDIS_KEY_PREFIX", "flipgate")
    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    worker = Worker("greeter", process, {"connection": url, "prefix": f"{{{prefix}}}"})
    print(f"waiting for commands of {worker.name}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
