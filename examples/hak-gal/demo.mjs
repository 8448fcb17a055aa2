// node demo.mjs [http://127.0.0.1:5002]: starts and stops the governor, which takes seconds, and shows how quick the
// stream and other commands are meanwhile. The gateway must serve SSE (APP_PROFILE=SSE or HYBRID).
import process from 'node:process';

const gateway = process.argv[2] ?? 'http://127.0.0.1:5002';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(method, route, body) {
  const asked = performance.now();
  const response = await fetch(new URL(route, gateway), {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json(), ms: performance.now() - asked };
}

/** Calls `heard` with each event of the default room; resolves once the gateway has welcomed it. */
async function listen(heard) {
  const response = await fetch(new URL('/api/events/stream', gateway));
  if (!response.ok) throw new Error(await response.text());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let welcomed;
  const welcome = new Promise((resolve) => {
    welcomed = resolve;
  });
  const read = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const blocks = (text + part.value).split('\n\n');
      text = blocks.pop();
      for (const block of blocks) {
        if (block.includes('event: welcome')) welcomed();
        const data = /^data: (\[.*)$/m.exec(block)?.[1];
        if (data !== undefined && !block.includes('event: ')) JSON.parse(data).forEach(heard);
      }
    }
  };
  read().catch(() => undefined);
  await welcome;
  return () => reader.cancel();
}

/** Runs a command to its end; meanwhile publishes a tick every 100 ms and asks for the governor's status. */
async function watch(action, delays) {
  delays.length = 0;
  const begun = performance.now();
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);
  const command = { state: { status: 'queued' } };
  const run = async () => {
    const { status, body } = await ask('POST', '/api/control', { action });
    console.log(`${action}: answered ${status} "${body.status}" after ${seconds()} s`);
    command.state = body;
    while (command.state.status === 'queued') {
      await sleep(100);
      command.state = (await ask('GET', `/api/control/${body.id}`)).body;
    }
  };
  const ended = run();
  const asked = [];
  let seen = '';
  for (let tick = 0; command.state.status === 'queued'; tick += 1) {
    await ask('POST', '/api/events', { type: 'demo_tick', data: { tick } });
    if (tick % 4 === 1) {
      const { body, ms } = await ask('POST', '/api/control', { action: 'governor.status' });
      asked.push(ms);
      if (body.result?.status !== seen) console.log(`  governor.status: "${(seen = body.result?.status)}"`);
    }
    await sleep(100);
  }
  await ended;
  const { state } = command;
  console.log(
    `${action}: ${state.status} after ${seconds()} s: ${JSON.stringify(state.result ?? state.error)}`,
  );
  console.log(
    `  meanwhile: ${delays.length} ticks, the slowest here ${Math.max(...delays)} ms after its publication; ` +
      `${asked.length} other commands, the slowest done in ${Math.max(...asked).toFixed(0)} ms`,
  );
}

const delays = [];
const stopListening = await listen(({ id, type, data }) => {
  if (type === 'demo_tick') delays.push(Date.now() - Number(id.split('-')[0]));
  if (type === 'governor_update') console.log(`  event governor_update: "${data.status}"`);
});
await watch('governor.start', delays);
await watch('governor.stop', delays);
await stopListening();
