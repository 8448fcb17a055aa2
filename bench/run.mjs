// npm run bench [-- --quick] [-- --only fan-out,…]: measures, prints tables of ratios with the targets beside them,
// and writes bench/results.json.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { coalescing } from './scenarios/coalescing.mjs';
import { fanOut } from './scenarios/fan-out.mjs';
import { hostile } from './scenarios/hostile.mjs';
import { idleMemory } from './scenarios/idle-memory.mjs';
import { ingest } from './scenarios/ingest.mjs';
import { latency, stalledReaders } from './scenarios/latency.mjs';
import { redisIngest, redisTail } from './scenarios/redis.mjs';
import { responsiveness } from './scenarios/responsiveness.mjs';

const SCENARIOS = new Map([
  ['fan-out', fanOut],
  ['idle-memory', idleMemory],
  ['coalescing', coalescing],
  ['ingest', ingest],
  ['redis-ingest', redisIngest],
  ['redis-tail', redisTail],
  ['responsiveness', responsiveness],
  ['latency', latency],
  ['stalled-readers', stalledReaders],
  ['hostile', hostile],
]);

const quick = process.argv.includes('--quick');
const only = process.argv[process.argv.indexOf('--only') + 1]?.split(',');
const names = process.argv.includes('--only') ? only : [...SCENARIOS.keys()];

const results = {
  at: new Date().toISOString(),
  node: process.version,
  cpu: os.cpus()[0]?.model,
  cores: os.cpus().length,
  quick,
  scenarios: {},
};
for (const name of names) {
  const scenario = SCENARIOS.get(name);
  if (scenario === undefined) {
    console.error(`no scenario ${name}; there are: ${[...SCENARIOS.keys()].join(', ')}`);
    process.exit(2);
  }
  console.log(`\n${name}`);
  const rows = await scenario({ quick });
  console.table(rows);
  results.scenarios[name] = rows;
}
writeFileSync(new URL('./results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
