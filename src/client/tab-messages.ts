import type { StateChange } from './stream-state.js';
import type { Gap, GatewayEvent, ProfileDocument, Transport, Welcome } from './wire.js';

/** What a tab tells the worker: first `open`; `alive` answers each `heard`. */
export type FromTab =
  | {
      readonly name: 'open';
      readonly urls: readonly string[];
      /** undefined: the gateway's default rooms. */
      readonly rooms: readonly string[] | undefined;
      readonly cursor: string | null;
      readonly transport: Transport;
      /** true: it is to be asked for. */
      readonly token: string | boolean;
    }
  | { readonly name: 'alive' }
  | { readonly name: 'close' }
  | { readonly name: 'ask'; readonly id: number; readonly what: string; readonly value: unknown }
  | { readonly name: 'token'; readonly id: number; readonly token: string | undefined };

/** A refusal as it passes between tab and worker. */
export interface PostedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
}

/** What the worker tells a tab. */
export type FromWorker =
  | { readonly name: 'heard' }
  | { readonly name: 'welcome'; readonly value: Welcome }
  | { readonly name: 'events'; readonly value: readonly GatewayEvent[]; readonly cursor: string | null }
  | { readonly name: 'gap'; readonly value: Gap }
  | { readonly name: 'profile'; readonly value: ProfileDocument }
  | { readonly name: 'state'; readonly value: StateChange }
  | { readonly name: 'lost'; readonly error: PostedError }
  /** It has to have a stream of its own. */
  | { readonly name: 'unshared'; readonly reason: string }
  | { readonly name: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly name: 'token'; readonly id: number };
