"""A backend as they are out there: a knowledge base, and a governor that takes its time.

It tells the world what happens by publishing {"type", "data", "timestamp"} to Redis, and lets itself be controlled over
HTTP by requests that block until they are done. It knows nothing of who listens, or over what.

    python backend.py
"""

import json
import os
import threading
import time
from itertools import count

from flask import Flask, jsonify, request, send_from_directory
from redis import Redis
from redis.exceptions import RedisError

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
EVENTS_CHANNEL = os.environ.get("EVENTS_CHANNEL", "events")
UPDATES_CHANNEL = os.environ.get("UPDATES_CHANNEL", "updates")
PORT = int(os.environ.get("BACKEND_PORT", "5001"))
GOVERNOR_START_SECONDS = float(os.environ.get("GOVERNOR_START_SECONDS", "4"))
GOVERNOR_STOP_SECONDS = float(os.environ.get("GOVERNOR_STOP_SECONDS", "2"))

app = Flask(__name__)
redis = Redis.from_url(REDIS_URL)


def publish(channel, event_type, data):
    message = {"type": event_type, "data": data, "timestamp": time.time()}
    try:
        redis.publish(channel, json.dumps(message))
    except RedisError as error:
        print(f"not published: {error}", flush=True)


# --- the knowledge base ------------------------------------------------------------------------------------------------

facts = ["IsA(Socrates, Human)", "IsMortal(Human)"]
facts_lock = threading.Lock()


@app.get("/api/facts")
def list_facts():
    with facts_lock:
        return jsonify(facts=facts, count=len(facts))


@app.post("/api/facts")
def add_fact():
    statement = (request.get_json(silent=True) or {}).get("statement")
    if not isinstance(statement, str) or not statement:
        return jsonify(error="a fact needs a statement"), 400
    with facts_lock:
        facts.append(statement)
        known = len(facts)
    publish(EVENTS_CHANNEL, "fact_added", {"statement": statement})
    publish(UPDATES_CHANNEL, "kb_update", {"metrics": {"fact_count": known}})
    return jsonify(statement=statement, count=known), 201


# --- the governor ------------------------------------------------------------------------------------------------------

governor = {"running": False, "status": "stopped", "decisions": 0}
governor_lock = threading.Lock()
governor_ends = threading.Event()


def govern():
    """What a running governor does: decides, twice a second."""
    for number in count(1):
        if governor_ends.wait(0.5):
            return
        governor["decisions"] = number
        publish(EVENTS_CHANNEL, "governor_decision", {"number": number, "engine": "aethelred"})


def start_governor():
    """Starts it; blocks while models are loaded. Starting one that runs changes nothing."""
    with governor_lock:
        if not governor["running"]:
            governor.update(status="starting")
            publish(UPDATES_CHANNEL, "governor_update", dict(governor))
            time.sleep(GOVERNOR_START_SECONDS)
            governor_ends.clear()
            governor.update(running=True, status="running", decisions=0)
            threading.Thread(target=govern, daemon=True).start()
        return dict(governor)


def stop_governor():
    """Stops it; blocks until its work is saved. Stopping one that stands still changes nothing."""
    with governor_lock:
        if governor["running"]:
            governor.update(status="stopping")
            publish(UPDATES_CHANNEL, "governor_update", dict(governor))
            governor_ends.set()
            time.sleep(GOVERNOR_STOP_SECONDS)
            governor.update(running=False, status="stopped")
        return dict(governor)


@app.post("/api/governor/start")
def governor_start():
    return jsonify(start_governor())


@app.post("/api/governor/stop")
def governor_stop():
    return jsonify(stop_governor())


@app.get("/api/governor")
def governor_status():
    return jsonify(governor)


# --- the rest ----------------------------------------------------------------------------------------------------------


@app.get("/")
def page():
    return send_from_directory(os.path.dirname(os.path.abspath(__file__)), "page.html")


def tell_load():
    while True:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        publish(UPDATES_CHANNEL, "system_load_update", {"load": load, "cores": os.cpu_count()})
        time.sleep(1)


if __name__ == "__main__":
    threading.Thread(target=tell_load, daemon=True).start()
    app.run(port=PORT, threaded=True)
