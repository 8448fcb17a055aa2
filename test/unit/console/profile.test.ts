import { describe, expect, it } from '@jest/globals';
import { readProfile } from '../../../src/console/profile.js';
import { profileDocument } from '../../../src/profiles/http/profile-document.js';

describe('readProfile', () => {
  it.each([
    ['HYBRID', true, true],
    ['SSE', false, true],
    ['WEBSOCKET', true, false],
  ] as const)('reads what the gateway says under %s', (profile, websocket, sse) => {
    const transports = { websocket, sse, control: true };
    expect(readProfile(profileDocument({ profile, transports, reconnectJitterMs: 3000 }))).toEqual({
      name: profile,
      paths: { ...(websocket && { websocket: '/socket.io' }), ...(sse && { sse: '/api/events/stream' }) },
      controlPath: '/api/control',
      reconnect: { minMs: 1000, maxMs: 30_000 },
    });
  });

  it('knows when no commands are taken', () => {
    expect(readProfile({ profile: 'SSE', control: null }).controlPath).toBeUndefined();
  });

  it.each([null, 'a proxy says hello', { transports: 7 }])('makes do with %j', (value) => {
    expect(readProfile(value)).toEqual({
      name: 'unknown',
      paths: {},
      controlPath: undefined,
      reconnect: { minMs: 1000, maxMs: 30_000 },
    });
  });
});
