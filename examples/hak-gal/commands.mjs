// The commands clients may send, for the gateway: COMMANDS_MODULE=examples/hak-gal/commands.mjs. None has a handler
// here: worker.py, which serves the queue "governor", executes them.
const governor = {
  queue: 'governor',
  timeoutMs: 30_000,
  // What legacy pages listen for; a success carries the governor's state.
  publishes: { type: 'governor_update', room: 'default' },
};

export const commands = {
  'governor.start': governor,
  'governor.stop': governor,
  'governor.status': { ...governor, timeoutMs: 5000, publishes: false },
};
