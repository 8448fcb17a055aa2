import { expect, test } from '@jest/globals';
import { PROFILES, servesNothing, transportsFor } from '../../../../src/core/config/profile.js';

const none = { websocket: undefined, sse: undefined, control: undefined };

test('each profile serves its transports, and control', () => {
  expect(PROFILES.map((profile) => transportsFor(profile, none))).toEqual([
    { websocket: true, sse: false, control: true },
    { websocket: false, sse: true, control: true },
    { websocket: true, sse: true, control: true },
  ]);
});

test('overrides win over every profile', () => {
  for (const profile of PROFILES) {
    for (const overrides of [
      { websocket: true, sse: true, control: true },
      { websocket: false, sse: false, control: false },
    ]) {
      expect(transportsFor(profile, overrides)).toEqual(overrides);
    }
  }
});

test('only all three off serve nothing', () => {
  expect(servesNothing({ websocket: false, sse: false, control: false })).toBe(true);
  expect(servesNothing({ websocket: true, sse: false, control: false })).toBe(false);
  expect(servesNothing({ websocket: false, sse: true, control: false })).toBe(false);
  expect(servesNothing({ websocket: false, sse: false, control: true })).toBe(false);
});
