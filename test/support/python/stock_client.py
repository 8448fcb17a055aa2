"""A stock python-socketio client, as its documentation has it: `stock_client.py URL TRANSPORT`.

It writes a line of JSON for whatever happens: ["connect"], ["disconnect"], ["fact_added", data].
"""

import json
import sys

import socketio


def tell(*what):
    print(json.dumps(what), flush=True)


url, transport = sys.argv[1:]
client = socketio.Client()
client.on("connect", lambda: tell("connect"))
client.on("disconnect", lambda *_reason: tell("disconnect"))
client.on("fact_added", lambda data: tell("fact_added", data))
client.connect(url, transports=[transport])
client.wait()
