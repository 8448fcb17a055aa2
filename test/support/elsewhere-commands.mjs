// A commands module of which one action is executed by workers of another kind, which serve the queue `governor`.
export default {
  'governor.start': { queue: 'governor', timeoutMs: 5000, publishes: { type: 'governor_update', room: 'a' } },
  'test.echo': { handler: (/** @type {unknown} */ data) => data },
};
