"""Publishes events over HTTP with nothing but the standard library, and waits out what passes.

    python http_publisher.py
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request

LONGEST_PAUSE = 5.0


class Refused(Exception):
    """The gateway said no, and would say so again: the event itself is at fault."""


def post(gateway: str, events: list[dict], patience: float = 60.0) -> list[str]:
    """Publishes all events or none; returns their ids once the log has them.

    What passes (503 while Redis is away, 429, a gateway that is restarting) is tried again for `patience` seconds,
    after the time the gateway names in Retry-After. An answer can be lost after the events were stored: then the
    retry stores them a second time. Where that matters, put an id of your own into the data.
    """
    request = urllib.request.Request(
        f"{gateway}/api/events",
        data=json.dumps(events).encode(),
        headers={"Content-Type": "application/json"},
    )
    give_up_at = time.monotonic() + patience
    pause = 0.2
    while True:
        try:
            with urllib.request.urlopen(request, timeout=15) as response:
                return json.load(response)["ids"]
        except urllib.error.HTTPError as error:
            reason = explain(error)
            if error.code not in (429, 502, 503, 504):
                raise Refused(reason) from None
            wait = float(error.headers.get("Retry-After") or pause)
        except OSError as error:
            reason, wait = str(error), pause
        if time.monotonic() + wait > give_up_at:
            raise TimeoutError(f"not published within {patience} s: {reason}")
        print(f"not yet ({reason}); again in {wait:.1f} s", file=sys.stderr, flush=True)
        time.sleep(wait)
        pause = min(pause * 2, LONGEST_PAUSE)


def explain(error: urllib.error.HTTPError) -> str:
    """What the gateway, or a proxy before it, said."""
    try:
        told = json.load(error)["error"]
        return f"{told['code']}: {told['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--gateway", default="http://127.0.0.1:5002")
    options.add_argument("--count", type=int, default=3)
    options.add_argument("--pause", type=float, default=1.0, help="seconds between two events")
    chosen = options.parse_args()

    for number in range(1, chosen.count + 1):
        event = {"type": "fact_added", "data": {"number": number, "via": "http"}, "timestamp": time.time()}
        [stored] = post(chosen.gateway, [event])
        print(f"fact {number}: stored as {stored}", flush=True)
        if number < chosen.count:
            time.sleep(chosen.pause)


if __name__ == "__main__":
    main()
