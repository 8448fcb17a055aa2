import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AbstractConnector, Redis } from 'ioredis';
import { lasting } from '../../src/core/redis/lasting.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { waitUntil } from '../support/wait-until.js';

const { hostname, port } = new URL(testRedisUrl());

/** Lets the newest client find its server. */
let find: () => void = () => undefined;

/** Looks for its server, as one that asks Sentinels does, until the test lets it find it. */
class SlowConnector extends AbstractConnector {
  static found = Promise.resolve();

  constructor() {
    super(2000);
  }

  override async connect(): ReturnType<AbstractConnector['connect']> {
    this.connecting = true;
    await SlowConnector.found;
    if (!this.connecting) throw new Error('Connection is closed.');
    this.stream = connect(Number(port), hostname);
    return this.stream;
  }
}

async function answers(redis: Redis): Promise<void> {
  await waitUntil(() => redis.status === 'ready', 'the client to have its server');
  expect(await redis.ping()).toBe('PONG');
}

describe('a client that is disconnected while it looks for its server', () => {
  const clients: Redis[] = [];

  /** A client that looks for its server. */
  function looking(): Redis {
    SlowConnector.found = new Promise((resolve) => {
      find = resolve;
    });
    const redis = lasting(new Redis({ Connector: SlowConnector, maxRetriesPerRequest: null }));
    redis.on('error', () => undefined);
    clients.push(redis);
    return redis;
  }

  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });

  test('connects again, where it was to', async () => {
    const redis = looking();
    redis.disconnect(true);
    find();
    await answers(redis);
  });

  test('and so do its duplicates', async () => {
    const first = looking();
    find();
    const duplicate = first.duplicate();
    clients.push(duplicate);
    duplicate.on('error', () => undefined);
    duplicate.disconnect(true);
    await answers(duplicate);
  });

  test('ends, where it was told to', async () => {
    const redis = looking();
    let attempts = 0;
    redis.on('connecting', () => (attempts += 1));
    redis.disconnect();
    find();
    await waitUntil(() => redis.status === 'end', 'the client to end');
    // Longer than it would wait before the next attempt.
    const other = looking();
    other.disconnect(true);
    find();
    await answers(other);
    expect([redis.status, attempts]).toEqual(['end', 1]);
  });

  test('and one that quits stays ended', async () => {
    const redis = looking();
    find();
    await answers(redis);
    await redis.quit();
    await waitUntil(() => redis.status === 'end', 'the client to end');
    const other = looking();
    other.disconnect(true);
    find();
    await answers(other);
    expect(redis.status).toBe('end');
  });
});
