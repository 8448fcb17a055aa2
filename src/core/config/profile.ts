/** The values of `APP_PROFILE`: Socket.IO, Server-Sent Events, or both. */
export const PROFILES = ['WEBSOCKET', 'SSE', 'HYBRID'] as const;

/** A profile of {@link PROFILES}. */
export type ProfileName = (typeof PROFILES)[number];

/** What a process serves. */
export interface Transports {
  /** Socket.IO. */
  readonly websocket: boolean;
  /** Server-Sent Events. */
  readonly sse: boolean;
  /** Commands over HTTP. */
  readonly control: boolean;
}

/** What `ENABLE_WS`, `ENABLE_SSE` and `ENABLE_CONTROL_HTTP` say; undefined leaves it to the profile. */
export type TransportOverrides = { readonly [K in keyof Transports]: boolean | undefined };

/** What is served under a profile, at the start as after a flip. */
export function transportsFor(profile: ProfileName, overrides: TransportOverrides): Transports {
  return {
    websocket: overrides.websocket ?? profile !== 'SSE',
    sse: overrides.sse ?? profile !== 'WEBSOCKET',
    control: overrides.control ?? true,
  };
}

/** True when everything is off: no process may start so, nor be flipped there. */
export function servesNothing(transports: Transports): boolean {
  return !transports.websocket && !transports.sse && !transports.control;
}
