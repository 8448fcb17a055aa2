// COMMANDS_MODULE of the gateway: an action without a handler is for whoever serves its queue.
export const commands = {
  'greeter.greet': { queue: 'greeter', timeoutMs: 10_000 },
};
