import { FlipgateClient, type StateChange } from '../client/index.js';
import { CommandList } from './command-list.js';
import { ConnectionBar } from './connection-bar.js';
import { Controls } from './controls.js';
import { DropList } from './drop-list.js';
import { element } from './element.js';
import { EventTable } from './event-table.js';
import type { Fields } from './fields.js';
import { Figure } from './figure.js';
import { FIGURES } from './figure-specs.js';
import { FlipCard } from './flip-card.js';
import { fetchCommands, fetchStatus } from './gateway-api.js';
import { GatewayFacts } from './gateway-facts.js';
import { HostCard } from './host-card.js';
import { NodeList } from './node-list.js';
import {
  barElements,
  controlElements,
  factElements,
  flipElements,
  hostElements,
  tableElements,
} from './page-elements.js';
import { UNKNOWN } from './quantity.js';
import { RoomSizes } from './room-sizes.js';
import { StatusPoll } from './status-poll.js';
import { TRANSPORT_NAMES } from './transport-names.js';

/** ms a command may take before the page gives up waiting for its outcome. */
const COMMAND_MS = 15_000;

const client = new FlipgateClient(location.origin, { rooms: readRooms() });
const bar = new ConnectionBar(barElements(), (transport) => {
  client.use(transport);
});
const table = new EventTable(tableElements());
const host = new HostCard(hostElements());
const facts = new GatewayFacts(factElements());
const figures = FIGURES.map((spec) => new Figure(element('figures', HTMLElement), spec));
const rooms = new RoomSizes({
  body: element('rooms-body', HTMLElement),
  count: element('rooms-count', HTMLElement),
});
const nodes = new NodeList({
  card: element('nodes-card', HTMLElement),
  body: element('nodes-body', HTMLElement),
  note: element('nodes-note', HTMLElement),
});
const drops = new DropList({
  body: element('drops-body', HTMLElement),
  none: element('drops-none', HTMLElement),
});
const commandList = new CommandList({
  body: element('commands-body', HTMLElement),
  none: element('commands-none', HTMLElement),
});

const status = new StatusPoll({
  ask: fetchStatus,
  heard: takeStatus,
  failed: () => {
    facts.fail();
  },
  everyMs: 1000,
});
const commands = new StatusPoll({
  ask: fetchCommands,
  heard: (answer) => {
    commandList.take(answer);
  },
  failed: () => {
    commandList.fail();
  },
  everyMs: 2000,
});
const flip = new FlipCard(flipElements(), () => {
  status.refresh();
});
const controls = new Controls(controlElements(), async (action, data) => {
  try {
    return await client.control(action, data, { timeoutMs: COMMAND_MS });
  } finally {
    commands.refresh();
  }
});

/** What the list was told of the connection last. */
let lastTold = '';

client.onState((change) => {
  bar.showState(change);
  if (change.state !== 'live') tellOnce(change);
});
client.onProfile(({ profile, transports }) => {
  bar.showProfile(profile, transports.sse !== null && transports.websocket !== null);
});
client.onWelcome((welcome) => {
  bar.showRooms(welcome.rooms);
  table.offerRooms(welcome.rooms);
  const transport = client.transport === null ? '' : ` over ${TRANSPORT_NAMES[client.transport]}`;
  lastTold = '';
  table.addNotice(`${welcome.resumed ? 'Resumed' : 'Connected'}${transport}`);
  status.refresh();
});
client.on('*', (event) => {
  facts.countEvents(1);
  table.addEvents([event]);
  host.take(event);
});
client.onGap((gap) => {
  table.addGap(gap);
});

status.refresh();
commands.refresh();
setInterval(() => {
  facts.drawRate();
  host.checkAge();
}, 1000);

function takeStatus(answer: Fields): void {
  const at = Date.now() / 1000;
  const transports = answer.fields('transports');
  // A flip that leaves this page's transport on is told to nobody but those who ask.
  bar.showProfile(
    answer.text('profile') ?? UNKNOWN,
    transports.flag('sse') === true && transports.flag('websocket') === true,
  );
  for (const figure of figures) figure.take(answer, at);
  facts.take(answer);
  rooms.take(answer);
  nodes.take(answer);
  drops.take(answer, performance.now());
  flip.take(answer);
  controls.observe(answer.fields('hostMonitor'));
}

/** Why the stream was lost belongs between the events before and after. */
function tellOnce({ reason }: StateChange): void {
  if (reason === '' || reason === lastTold) return;
  lastTold = reason;
  table.addNotice(reason);
}

/** Rooms the page's address asks for, `/?rooms=a,b`; none means the gateway's default rooms. */
function readRooms(): string[] {
  const asked = new URLSearchParams(location.search).get('rooms') ?? '';
  return asked
    .split(',')
    .map((room) => room.trim())
    .filter((room) => room !== '');
}
