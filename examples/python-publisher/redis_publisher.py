"""Publishes events over Redis, both ways flipgate knows.

    python redis_publisher.py publish   what existing backends do: PUBLISH events '{"type", "data", "timestamp"}'
    python redis_publisher.py append    the durable way: XADD to the stream that is flipgate's log
"""

import argparse
import json
import time

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry


def connect(url: str) -> Redis:
    """A connection that tries again for some seconds before it raises.

    An answer can be lost after Redis did what it was told: then the retry does it a second time. Where that matters,
    put an id of your own into the data.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=2,
        socket_timeout=5,
        retry=Retry(ExponentialBackoff(base=0.1, cap=2), retries=8),
        retry_on_error=[ConnectionError, TimeoutError],
    )


def publish(redis: Redis, event: dict, channel: str = "events") -> int:
    """Publishes on a channel; returns how many listened. 0 means that nobody did: the event is gone."""
    return redis.publish(channel, json.dumps(event))


def append(redis: Redis, event: dict, prefix: str = "flipgate") -> str:
    """Appends to the log; returns the event's id. Redis keeps it, whether a gateway is running or not."""
    fields = {
        "type": event["type"],
        "data": json.dumps(event["data"]),
        "timestamp": event["timestamp"],
    }
    for optional in ("room", "key"):
        if event.get(optional):
            fields[optional] = event[optional]
    return redis.xadd(f"{prefix}:{{log}}", fields)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("way", choices=["publish", "append"])
    options.add_argument("--redis", default="redis://127.0.0.1:6379")
    options.add_argument("--channel", default="events", help="one of the gateway's REDIS_CHANNELS")
    options.add_argument("--prefix", default="flipgate", help="the gateway's REDIS_KEY_PREFIX")
    options.add_argument("--count", type=int, default=3)
    options.add_argument("--pause", type=float, default=1.0, help="seconds between two events")
    chosen = options.parse_args()

    redis = connect(chosen.redis)
    for number in range(1, chosen.count + 1):
        event = {"type": "fact_added", "data": {"number": number, "via": chosen.way}, "timestamp": time.time()}
        if chosen.way == "publish":
            print(f"fact {number}: heard by {publish(redis, event, chosen.channel)}", flush=True)
        else:
            event |= {"room": "default"}
            print(f"fact {number}: stored as {append(redis, event, chosen.prefix)}", flush=True)
        if number < chosen.count:
            time.sleep(chosen.pause)


if __name__ == "__main__":
    main()
