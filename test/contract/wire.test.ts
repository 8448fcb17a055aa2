import { afterAll, beforeAll } from '@jest/globals';
import { bundleWire } from '../support/bundle-wire.js';
import { eventSourceWire } from '../support/event-source-wire.js';
import { killLaunched, type LaunchedGateway, launchGateway } from '../support/launched-gateway.js';
import { rawStreamWire } from '../support/raw-stream-wire.js';
import { wireContract } from './wire.js';

const settings = {
  APP_PROFILE: 'HYBRID',
  DEFAULT_ROOMS: 'default,everyone',
  PING_INTERVAL: '0.5',
};

let usual: LaunchedGateway;
let forgetful: LaunchedGateway;

beforeAll(async () => {
  usual = await launchGateway(settings);
  forgetful = await launchGateway({ ...settings, LOG_MAX_EVENTS: '10' });
});

afterAll(killLaunched);

for (const wire of [eventSourceWire, rawStreamWire, bundleWire('websocket'), bundleWire('polling')]) {
  wireContract(wire, {
    usual: () => usual,
    forgetful: () => forgetful,
    launch: () => launchGateway(settings),
  });
}
