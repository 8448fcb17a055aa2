import type { AccountBadgeParts } from './account-badge.js';
import type { ConnectionBarParts } from './connection-bar.js';
import type { ControlsParts } from './controls.js';
import type { DeniedCardParts } from './denied-card.js';
import { element } from './element.js';
import type { EventTableParts } from './event-table.js';
import type { FlipCardParts } from './flip-card.js';
import type { GatewayFactsParts } from './gateway-facts.js';
import type { HostCardParts } from './host-card.js';
import type { OutageBannerParts } from './outage-banner.js';
import type { SignInParts } from './sign-in.js';

const html = (id: string): HTMLElement => element(id, HTMLElement);

/** The elements of the connection bar. */
export const barElements = (): ConnectionBarParts => ({
  profile: html('profile'),
  transport: html('transport'),
  state: html('state'),
  detail: html('state-detail'),
  rooms: html('rooms'),
  choice: html('transport-choice'),
  select: element('transport-select', HTMLSelectElement),
});

/** The elements that say what does not work. */
export const outageElements = (): OutageBannerParts => ({
  box: html('outage'),
  what: html('outage-what'),
  since: html('outage-since'),
  why: html('outage-why'),
  effects: html('outage-effects'),
  state: html('state'),
});

/** The elements that say who this page is. */
export const accountElements = (): AccountBadgeParts => ({
  box: element('account', HTMLDetailsElement),
  id: html('account-id'),
  rights: element('account-rights', HTMLDListElement),
  signIn: element('sign-in-open', HTMLButtonElement),
  signOut: element('sign-out', HTMLButtonElement),
});

/** The elements of the sign-in. */
export const signInElements = (): SignInParts => ({
  dialog: element('sign-in', HTMLDialogElement),
  form: element('sign-in-form', HTMLFormElement),
  why: html('sign-in-why'),
  token: element('token', HTMLInputElement),
  error: html('sign-in-error'),
  submit: element('sign-in-submit', HTMLButtonElement),
  cancel: element('sign-in-cancel', HTMLButtonElement),
});

/** The elements of the card of denied principals. */
export const deniedElements = (): DeniedCardParts => ({
  form: element('deny-form', HTMLFormElement),
  principal: element('deny-principal', HTMLInputElement),
  reason: element('deny-reason', HTMLInputElement),
  duration: element('deny-duration', HTMLSelectElement),
  submit: element('deny-submit', HTMLButtonElement),
  outcome: html('deny-outcome'),
  error: html('deny-error'),
  body: html('denied-body'),
  none: html('denied-none'),
  note: html('denied-note'),
});

/** The elements of the flip. */
export const flipElements = (): FlipCardParts => ({
  form: element('flip-form', HTMLFormElement),
  scope: html('flip-scope'),
  allLabel: html('flip-all-label'),
  node: element('flip-node', HTMLInputElement),
  all: element('flip-all', HTMLInputElement),
  scopeNote: html('flip-scope-note'),
  clients: html('flip-clients'),
  open: element('flip-open', HTMLButtonElement),
  dialog: element('flip-dialog', HTMLDialogElement),
  question: html('flip-question'),
  consequences: html('flip-consequences'),
  cancel: element('flip-cancel', HTMLButtonElement),
  confirm: element('flip-confirm', HTMLButtonElement),
  progress: {
    box: html('flip-progress'),
    text: html('flip-text'),
    bar: element('flip-bar', HTMLProgressElement),
    note: html('flip-note'),
    kinds: html('flip-kinds'),
    kindsBody: html('flip-kinds-body'),
    nodes: html('flip-nodes'),
    nodesBody: html('flip-nodes-body'),
    live: html('flip-live'),
    error: html('flip-error'),
  },
});

/** The elements of the list of events. */
export const tableElements = (): EventTableParts => ({
  list: element('events', HTMLOListElement),
  emptyNote: html('events-empty'),
  filter: {
    text: element('filter', HTMLInputElement),
    room: element('filter-room', HTMLSelectElement),
    type: element('filter-type', HTMLSelectElement),
  },
  pause: element('pause', HTMLButtonElement),
});

/** The elements of the host's card. */
export const hostElements = (): HostCardParts => ({
  card: html('host-card'),
  hostSelect: element('host-select', HTMLSelectElement),
  cpu: html('cpu'),
  cpuLine: html('cpu-line'),
  cores: html('cores'),
  memory: html('memory'),
  memoryDetail: html('memory-detail'),
  memoryBar: html('memory-bar'),
  load: html('load'),
  loadLine: html('load-line'),
  note: html('host-note'),
});

/** The elements that steer the host monitor. */
export const controlElements = (): ControlsParts => ({
  start: element('monitor-start', HTMLButtonElement),
  stop: element('monitor-stop', HTMLButtonElement),
  intervalForm: element('interval-form', HTMLFormElement),
  interval: element('interval', HTMLInputElement),
  apply: element('monitor-apply', HTMLButtonElement),
  state: html('monitor-state'),
  outcome: html('command-outcome'),
  error: html('command-error'),
});

/** The elements of the gateway's facts. */
export const factElements = (): GatewayFactsParts => ({
  rate: html('rate'),
  rateLine: html('rate-line'),
  uptime: html('uptime'),
  log: html('log'),
  held: html('held'),
  window: html('window'),
  counters: element('counters', HTMLDListElement),
  countersBox: html('counters-box'),
  note: html('status-note'),
});
