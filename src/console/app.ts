import { Backoff } from './backoff.js';
import { ConnectionBar } from './connection-bar.js';
import { Controls } from './controls.js';
import { element } from './element.js';
import { EventTable } from './event-table.js';
import type { Fields } from './fields.js';
import { HostCard } from './host-card.js';
import { fetchProfile, TRANSPORT_NAMES } from './profile.js';
import { openSocketIoConnection } from './socket-io-connection.js';
import { openSseConnection } from './sse-connection.js';
import { StatusCard } from './status-card.js';
import { EventStream, type StreamListener } from './stream.js';
import type { Notice } from './wire.js';

const NOTICE_TEXTS: Readonly<Record<Notice, string>> = {
  draining: 'The gateway is closing its connections',
  profile_changed: 'The profile changed',
  token_expired: 'The token expired',
};

const bar = new ConnectionBar(
  {
    profile: element('profile', HTMLElement),
    transport: element('transport', HTMLElement),
    state: element('state', HTMLElement),
    detail: element('state-detail', HTMLElement),
    rooms: element('rooms', HTMLElement),
    choice: element('transport-choice', HTMLElement),
    select: element('transport-select', HTMLSelectElement),
  },
  (transport) => {
    stream.prefer(transport);
  },
);

const table = new EventTable({
  list: element('events', HTMLOListElement),
  emptyNote: element('events-empty', HTMLElement),
  filter: element('filter', HTMLInputElement),
  pause: element('pause', HTMLButtonElement),
});

const host = new HostCard({
  card: element('host-card', HTMLElement),
  hostSelect: element('host-select', HTMLSelectElement),
  cpu: element('cpu', HTMLElement),
  cpuLine: element('cpu-line', HTMLElement),
  cores: element('cores', HTMLElement),
  memory: element('memory', HTMLElement),
  memoryDetail: element('memory-detail', HTMLElement),
  memoryBar: element('memory-bar', HTMLElement),
  load: element('load', HTMLElement),
  loadLine: element('load-line', HTMLElement),
  note: element('host-note', HTMLElement),
});

const controls = new Controls({
  start: element('monitor-start', HTMLButtonElement),
  stop: element('monitor-stop', HTMLButtonElement),
  intervalForm: element('interval-form', HTMLFormElement),
  interval: element('interval', HTMLInputElement),
  state: element('monitor-state', HTMLElement),
  outcome: element('command-outcome', HTMLElement),
  error: element('command-error', HTMLElement),
});

const status = new StatusCard(
  {
    websocketSessions: element('sessions-websocket', HTMLElement),
    sseSessions: element('sessions-sse', HTMLElement),
    rate: element('rate', HTMLElement),
    rateLine: element('rate-line', HTMLElement),
    uptime: element('uptime', HTMLElement),
    log: element('log', HTMLElement),
    held: element('held', HTMLElement),
    window: element('window', HTMLElement),
    counters: element('counters', HTMLDListElement),
    countersBox: element('counters-box', HTMLElement),
    note: element('status-note', HTMLElement),
  },
  learnStatus,
);

/** What the page last knew the profile to be; the status poll notices when it changed meanwhile. */
let profileName: string | undefined;
/** The transport of the last attempt, as people know it. */
let lastTransport = '';

const listener: StreamListener = {
  stateChanged: (state, detail) => {
    bar.showState(state, detail);
  },
  profileLearned: (profile) => {
    profileName = profile.name;
    bar.showProfile(profile);
    controls.setPath(profile.controlPath);
  },
  transportChanged: (transport) => {
    bar.showTransport(transport);
    if (transport !== undefined) lastTransport = TRANSPORT_NAMES[transport];
  },
  welcomed: (welcome) => {
    bar.showRooms(welcome.rooms);
    if (welcome.profile !== undefined && welcome.profile !== profileName) void stream.refreshProfile();
    status.refresh();
    table.addNotice(`${welcome.resumed ? 'Resumed' : 'Connected'} over ${lastTransport}`);
  },
  received: (events) => {
    status.countEvents(events.length);
    table.addEvents(events);
    for (const event of events) host.take(event);
  },
  gapped: (gap) => {
    table.addGap(gap);
  },
  noticed: (notice) => {
    table.addNotice(NOTICE_TEXTS[notice]);
    if (notice === 'profile_changed') void stream.refreshProfile();
  },
};

const stream = new EventStream({
  rooms: readRooms(),
  listener,
  openers: { sse: openSseConnection, websocket: openSocketIoConnection },
  discover: fetchProfile,
  backoff: new Backoff(Math.random),
});

stream.start();
status.start();
setInterval(() => {
  status.drawRate();
  host.checkAge();
}, 1000);

function learnStatus(fields: Fields): void {
  controls.observe(fields.fields('hostMonitor'));
  const name = fields.text('profile');
  if (name !== undefined && profileName !== undefined && name !== profileName) void stream.refreshProfile();
}

/** Rooms the page's address asks for, `/?rooms=a,b`; none means the gateway's default rooms. */
function readRooms(): string[] {
  const asked = new URLSearchParams(location.search).get('rooms') ?? '';
  return asked
    .split(',')
    .map((room) => room.trim())
    .filter((room) => room !== '');
}
