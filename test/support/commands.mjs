// A commands module as an operator would write one; what the tests let workers execute.
import { appendFileSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{id: string, action: string, principal: {id: string}, signal: AbortSignal}} Context */

/** @param {unknown} data @param {string} field @param {number} fallback @returns {number} */
function numberIn(data, field, fallback) {
  const value = /** @type {Record<string, unknown>} */ (data ?? {})[field];
  return typeof value === 'number' ? value : fallback;
}

/** @param {boolean} running */
const governor = (running) => ({
  handler: () => ({ running, since: Date.now() / 1000 }),
  publishes: { type: 'governor_update' },
});

export default {
  'governor.start': governor(true),
  'governor.stop': governor(false),

  // Returns its data.
  'test.echo': { handler: (/** @type {unknown} */ data) => data },

  // Returns what the handler is told besides the data.
  'test.context': {
    handler: (/** @type {unknown} */ _data, /** @type {Context} */ { id, action, principal, signal }) => ({
      id,
      action,
      principal,
      aborted: signal.aborted,
    }),
    role: 'tester',
    publishes: { type: 'test_context', room: 'tests' },
  },

  // Throws.
  'test.fail': {
    handler: () => {
      throw new Error('it failed as it should');
    },
  },

  // Burns CPU for `ms`, deaf to its signal.
  'test.spin': {
    handler: (/** @type {unknown} */ data) => {
      const ms = numberIn(data, 'ms', 100);
      const endMs = performance.now() + ms;
      while (performance.now() < endMs);
      return { spunMs: ms };
    },
  },

  // Ends its thread, or its process, with `code`.
  'test.exit': {
    handler: (/** @type {unknown} */ data) => {
      process.exit(numberIn(data, 'code', 0));
    },
  },

  // Waits for `ms`; gives up when its signal is aborted, unless `deaf`. Publishes nothing.
  'test.sleep': {
    handler: async (/** @type {unknown} */ data, /** @type {Context} */ { signal }) => {
      const ms = numberIn(data, 'ms', 100);
      await sleep(ms, undefined, numberIn(data, 'deaf', 0) > 0 ? {} : { signal });
      return { sleptMs: ms };
    },
    timeoutMs: 10_000,
    publishes: false,
  },

  // As test.sleep, and may take a quarter of a second.
  'test.brief': {
    handler: (/** @type {unknown} */ data, /** @type {Context} */ { signal }) =>
      sleep(numberIn(data, 'ms', 100), null, { signal }),
    timeoutMs: 250,
    publishes: false,
  },

  // Writes its id and its process into `file`, a line, then takes `ms`; fails as long as there are `failures` lines or fewer.
  'test.record': {
    handler: async (/** @type {unknown} */ data, /** @type {Context} */ { id }) => {
      const { file } = /** @type {{file: string}} */ (data);
      appendFileSync(file, `${id} ${String(process.pid)}\n`);
      await sleep(numberIn(data, 'ms', 0));
      const begun = readFileSync(file, 'utf8').split('\n').length - 1;
      if (begun <= numberIn(data, 'failures', 0)) throw new Error(`failed at ${String(begun)}`);
      return { begun };
    },
    attempts: 3,
    backoffMs: 50,
  },

  // What JSON cannot carry.
  'test.bigint': { handler: () => ({ count: 1n }) },
  'test.function': { handler: () => ({ run: governor }) },
  'test.cycle': {
    handler: () => {
      const loop = { self: {} };
      loop.self = loop;
      return loop;
    },
  },

  // Returns a text of `bytes`.
  'test.big': { handler: (/** @type {unknown} */ data) => 'x'.repeat(numberIn(data, 'bytes', 1)) },
};
