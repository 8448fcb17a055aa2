export { ControlClient, type ControlOptions } from './control-client.js';
export { EventStream, type EventStreamOptions } from './event-stream.js';
export { type ClientOptions, FlipgateClient } from './flipgate-client.js';
export { GatewayError } from './gateway-error.js';
export type { TokenSource } from './http.js';
export type { ClientState, StateChange } from './stream-state.js';
export type { Gap, GatewayEvent, NewEvent, ProfileDocument, Transport, Welcome } from './wire.js';
