"""Executes the gateway's commands by what the backend has anyway: its HTTP.

A BullMQ worker for the queue "governor". The backend's requests block for seconds, so each runs in a thread; the
worker's loop stays free for renewing the locks of its jobs and for commands that are quick.

    python worker.py
"""

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request

from bullmq import Job, Worker

BACKEND_URL = os.environ.get("BACKEND_URL", "http://127.0.0.1:5001")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
REDIS_KEY_PREFIX = os.environ.get("REDIS_KEY_PREFIX", "flipgate")

ROUTES = {
    "governor.start": ("POST", "/api/governor/start"),
    "governor.stop": ("POST", "/api/governor/stop"),
    "governor.status": ("GET", "/api/governor"),
}


def call_backend(action: str, timeout: float) -> dict:
    """One blocking request. What is raised becomes the message of the failed command; a code may stand before it."""
    if action not in ROUTES:
        raise LookupError(f"[unknown_action] this worker does not know {action}")
    method, route = ROUTES[action]
    try:
        with urllib.request.urlopen(
            urllib.request.Request(BACKEND_URL + route, method=method), timeout=timeout
        ) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"the backend answered {error.code}") from None
    except TimeoutError:
        raise RuntimeError(f"[command_timeout] {action} was not done within {timeout:g} s") from None
    except OSError as error:
        raise RuntimeError(f"the backend can not be reached: {error}") from None


async def process(job: Job, _token: str) -> dict:
    """One command: `job.name` is the action, `job.id` the command's id; what is returned is its result."""
    principal = job.data.get("principal", {}).get("id", "somebody")
    print(f"{job.name} for {principal} ({job.id})", flush=True)
    # A command that is tried again, since the worker that had it died, finds a backend that has done it already: start
    # and stop are safe to repeat.
    return await asyncio.to_thread(call_backend, job.name, job.data.get("timeoutMs", 30_000) / 1000)


async def main() -> None:
    worker = Worker(
        "governor",
        process,
        {
            "connection": REDIS_URL,
            "prefix": f"{{{REDIS_KEY_PREFIX}}}",
            "concurrency": 8,
            # A worker that died is noticed, and its commands are given to another, after at most their sum, ms.
            "lockDuration": 10_000,
            "stalledInterval": 5_000,
        },
    )
    worker.on("failed", lambda job, error: print(f"{job.name} failed: {error}", flush=True))
    worker.on("error", lambda error, *_: print(f"worker: {error}", flush=True))
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    print("waiting for commands", flush=True)
    await ended.wait()
    # Lets what runs come to its end first.
    await worker.close()


if __name__ == "__main__":
    asyncio.run(main())
