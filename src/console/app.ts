import type { StateChange } from '../client/index.js';
import { AccountBadge } from './account-badge.js';
import { AnsweringNodes } from './answering-nodes.js';
import { CardLocks } from './card-locks.js';
import { CommandList } from './command-list.js';
import { ConnectionBar } from './connection-bar.js';
import { Controls } from './controls.js';
import { DeniedCard } from './denied-card.js';
import { DropList } from './drop-list.js';
import { element } from './element.js';
import { EventTable } from './event-table.js';
import type { Fields } from './fields.js';
import { Figure } from './figure.js';
import { FIGURES } from './figure-specs.js';
import { FlipCard } from './flip-card.js';
import { GatewayApi, isIdentityCode, RefusedError } from './gateway-api.js';
import { GatewayFacts } from './gateway-facts.js';
import { HostCard } from './host-card.js';
import { NodeList } from './node-list.js';
import { outageIn, outageInReadiness } from './outage.js';
import { OutageBanner } from './outage-banner.js';
import {
  accountElements,
  barElements,
  controlElements,
  deniedElements,
  factElements,
  flipElements,
  hostElements,
  outageElements,
  signInElements,
  tableElements,
} from './page-elements.js';
import { PageStream } from './page-stream.js';
import type { Permissions } from './permissions.js';
import { UNKNOWN } from './quantity.js';
import { RoomSizes } from './room-sizes.js';
import { Session } from './session.js';
import { SignIn } from './sign-in.js';
import { StatusPoll } from './status-poll.js';
import { TokenStore } from './token-store.js';
import { TRANSPORT_NAMES } from './transport-names.js';

const tokens = new TokenStore();
const api = new GatewayApi({
  token: () => tokens.token,
  refused: (code, token) => {
    session.lost(code, token);
  },
});
const session = new Session({ api, tokens, entered: enter, left: leave });
const signIn = new SignIn(signInElements(), (token) => session.signIn(token));
const account = new AccountBadge(
  accountElements(),
  () => {
    signIn.ask();
  },
  () => {
    tokens.forget();
    // Nothing of what was shown to this one is left for the next.
    location.reload();
  },
);
const locks = new CardLocks(document);
const bar = new ConnectionBar(barElements(), (transport) => {
  stream.use(transport);
});
const outage = new OutageBanner(outageElements(), () => Date.now());
const table = new EventTable(tableElements());
const host = new HostCard(hostElements());
const answering = new AnsweringNodes(() => performance.now());
const figuresNote = element('figures-note', HTMLElement);
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

const may = (need: string): boolean => session.permissions?.may(need) === true;
const status = new StatusPoll({
  ask: () => api.status(),
  isWanted: () => may('status'),
  heard: takeStatus,
  failed: () => {
    facts.fail();
  },
  everyMs: 1000,
});
/** What everybody may know, for who may know no more. */
const profile = new StatusPoll({
  ask: () => api.profile(),
  isWanted: () => session.permissions !== undefined && !may('status'),
  heard: (answer) => {
    showProfile(answer, (transport) => answer.fields('transports').value(transport) !== null);
    flip.takeProfile(answer);
  },
  failed: () => undefined,
  everyMs: 2000,
});
const readiness = new StatusPoll({
  ask: () => api.readiness(),
  isWanted: () => !may('status'),
  heard: (answer) => {
    if (!may('status')) outage.show(outageInReadiness(answer));
  },
  failed: () => undefined,
  everyMs: 2000,
});
/** Code that the list of commands was refused with last. */
let commandsRefused: string | undefined;
const commands = new StatusPoll({
  ask: () => api.commands(),
  isWanted: () => may('status'),
  heard: (answer) => {
    commandsRefused = undefined;
    commandList.take(answer);
  },
  failed: (thrown) => {
    commandsRefused = thrown instanceof RefusedError ? thrown.code : undefined;
    commandList.fail();
  },
  everyMs: 2000,
});
const deniedCard = new DeniedCard(deniedElements(), api, () => {
  denied.refresh();
});
const denied = new StatusPoll({
  ask: () => api.denied(),
  isWanted: () => may('deny'),
  heard: (answer) => {
    deniedCard.take(answer);
  },
  failed: () => {
    deniedCard.fail();
  },
  everyMs: 5000,
});
const polls = [status, profile, readiness, commands, denied];
const flip = new FlipCard(flipElements(), api, () => {
  status.refresh();
  profile.refresh();
});
const stream = new PageStream(readRooms(), {
  changed: takeState,
  profile: ({ profile: served, transports }) => {
    bar.showProfile(served, transports.sse !== null && transports.websocket !== null);
  },
  welcomed: (welcome, transport) => {
    bar.showRooms(welcome.rooms);
    table.offerRooms(welcome.rooms);
    lastTold = '';
    const over = transport === null ? '' : ` over ${TRANSPORT_NAMES[transport]}`;
    table.addNotice(`${welcome.resumed ? 'Resumed' : 'Connected'}${over}`);
    status.refresh();
    // A gateway that was restarted may know other keys.
    void session.check();
  },
  event: (event) => {
    facts.countEvents(1);
    table.addEvents([event]);
    host.take(event);
  },
  gap: (gap) => {
    table.addGap(gap);
  },
});
const controls = new Controls(controlElements(), async (action, data) => {
  try {
    return await stream.command(action, data);
  } finally {
    commands.refresh();
  }
});

/** What the list was told of the connection last. */
let lastTold = '';

void session.check();
setInterval(() => {
  facts.drawRate();
  host.checkAge();
}, 1000);

/** The page is in, or may do something else than before. */
function enter(permissions: Permissions): void {
  account.show(permissions, tokens.token !== undefined);
  locks.show(permissions);
  flip.allow(permissions.whyNot('flip'));
  controls.allow(permissions);
  const hasEvents = permissions.may('subscribe');
  stream.open(tokens.token, hasEvents);
  if (!hasEvents) bar.showNone('no events', '');
  for (const poll of polls) poll.refresh();
}

/** The page is out; what it shows stays. */
function leave(code: string): void {
  const why = code === 'token_expired' ? 'the token has expired' : '';
  stream.close();
  account.showOut();
  bar.showNone('signed out', why);
  if (code !== 'unauthenticated') tellOnce(`Signed out${why === '' ? '' : `: ${why}`}`);
  signIn.ask(code);
}

function takeState(change: StateChange): void {
  bar.showState(change);
  if (change.state === 'closed' && isIdentityCode(change.code)) session.lost(change.code ?? '', tokens.token);
  else if (change.code === 'forbidden') tellOnce(`${change.reason}: ${describeRooms()}`);
  else if (change.state !== 'live') tellOnce(change.reason);
}

function takeStatus(answer: Fields): void {
  const isOwn = answering.take(answer);
  const { own, areSeveral } = answering;
  nodes.take(answer, own);
  flip.restrict(areSeveral);
  figuresNote.textContent = areSeveral
    ? `several nodes answer here: these are of ${own?.slice(0, 8) ?? UNKNOWN}, last 5 minutes`
    : 'this node, last 5 minutes';
  if (!isOwn) return;
  const at = Date.now() / 1000;
  // A flip that leaves this page's transport on is told to nobody but those who ask.
  showProfile(answer, (transport) => answer.fields('transports').flag(transport) === true);
  for (const figure of figures) figure.take(answer, at);
  outage.show(outageIn(answer, { commands: commandsRefused, now: Date.now() }));
  facts.take(answer);
  rooms.take(answer);
  drops.take(answer, performance.now());
  flip.take(answer, own);
  controls.observe(answer.fields('hostMonitor'));
}

function showProfile(answer: Fields, isOn: (transport: string) => boolean): void {
  bar.showProfile(answer.text('profile') ?? UNKNOWN, may('subscribe') && isOn('sse') && isOn('websocket'));
}

/** Why the stream was lost belongs between the events before and after. */
function tellOnce(reason: string): void {
  if (reason === '' || reason === lastTold) return;
  lastTold = reason;
  table.addNotice(reason);
}

function describeRooms(): string {
  const allowed = session.permissions?.lists.subscribe.join(', ') ?? '';
  return `choose from ${allowed}, in this page's address, as /?rooms=a,b`;
}

/** Rooms the page's address asks for, `/?rooms=a,b`; none means the gateway's default rooms. */
function readRooms(): string[] {
  const asked = new URLSearchParams(location.search).get('rooms') ?? '';
  return asked
    .split(',')
    .map((room) => room.trim())
    .filter((room) => room !== '');
}
