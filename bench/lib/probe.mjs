// Loaded into the gateway under measurement: lets the bench ask for a collected heap, and for the loop's lag and the
// longest garbage collections meanwhile, over IPC.
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import process from 'node:process';

const lag = monitorEventLoopDelay({ resolution: 1 });
let pauses = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) pauses.push(duration);
}).observe({ entryTypes: ['gc'] });

process.channel?.unref();
process.on('message', (message) => {
  if (message.gc === true) {
    globalThis.gc?.();
    process.send({ heap: process.memoryUsage().heapUsed });
  }
  if (message.lag !== undefined) {
    process.send({
      lagMs: {
        p50: lag.percentile(50) / 1e6,
        p99: lag.percentile(99) / 1e6,
        max: lag.max / 1e6,
        gcMax: Math.max(0, ...pauses),
      },
    });
    pauses = [];
    if (message.lag === 'start') lag.enable();
    lag.reset();
  }
});
process.channel?.unref();
