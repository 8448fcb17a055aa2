// Loaded into the gateway under measurement: lets the bench ask for a collected heap and the loop's lag over IPC.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

const lag = monitorEventLoopDelay({ resolution: 1 });
process.channel?.unref();
process.on('message', (message) => {
  if (message.gc === true) {
    globalThis.gc?.();
    process.send({ heap: process.memoryUsage().heapUsed });
  }
  if (message.lag !== undefined) {
    process.send({
      lagMs: { p50: lag.percentile(50) / 1e6, p99: lag.percentile(99) / 1e6, max: lag.max / 1e6 },
    });
    if (message.lag === 'start') lag.enable();
    lag.reset();
  }
});
process.channel?.unref();
