import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { DeniedPrincipals, type Denial, MAX_DENIALS } from '../../src/core/auth/denied-principals.js';
import { systemClock } from '../../src/core/clock.js';
import { ClusterDenials } from '../../src/core/cluster/cluster-denials.js';
import { DenialRecords } from '../../src/core/cluster/denial-records.js';
import { Refusal } from '../../src/core/errors.js';
import { connectRedis } from '../../src/core/redis/redis-connection.js';
import { OpenedLogs, testRedisUrl } from '../support/opened-logs.js';
import { silentLogger } from '../support/silent-logger.js';
import { waitUntil } from '../support/wait-until.js';

const opened = new OpenedLogs();
afterEach(() => opened.closeAll());

/** A node in this process. */
interface Node {
  readonly denials: ClusterDenials;
  readonly denied: DeniedPrincipals;
  /** How often it was told that principals were denied. */
  told(): number;
}

const newPrefix = (): string => `test-${randomUUID()}`;
const hashOf = (prefix: string): string => `${prefix}:{nodes}:denied`;

async function startNode(prefix: string): Promise<Node> {
  const redis = connectRedis(testRedisUrl(), 'write', silentLogger);
  const denied = new DeniedPrincipals(systemClock);
  const denials = new ClusterDenials({
    records: new DenialRecords(redis, prefix),
    denied,
    clock: systemClock,
  });
  let told = 0;
  denied.onDenied(() => {
    told += 1;
  });
  opened.add(() => {
    denials.close();
    redis.disconnect();
  });
  await denials.start();
  return { denials, denied, told: () => told };
}

function denialOf(principal: string, terms: Partial<Denial> = {}): Denial {
  return { until: null, principal, reason: null, by: 'key:op', at: Date.now(), ...terms };
}

const idsOf = ({ denied }: Node): string[] =>
  denied
    .newest()
    .map(({ principal }) => principal)
    .toSorted();

const knows = (node: Node, ...principals: string[]): Promise<void> =>
  waitUntil(() => idsOf(node).join() === principals.join(), `${principals.join()} to be all who are denied`);

describe('denials of several nodes', () => {
  test('a node that has yet to hear that one was lifted does not put it back', async () => {
    const prefix = newPrefix();
    const redis = connectRedis(testRedisUrl(), 'write', silentLogger);
    opened.add(() => {
      redis.disconnect();
    });
    await waitUntil(() => redis.status === 'ready', 'Redis');
    const records = new DenialRecords(redis, prefix);
    const denial = denialOf('key:a');
    expect(await records.put(denial)).toBeUndefined();
    expect([await records.lift('key:a', Date.now()), await records.lift('key:a', Date.now())]).toEqual([
      true,
      false,
    ]);
    await records.restore([denial, denialOf('key:b')]);
    await knows(await startNode(prefix), 'key:b');
    expect(await records.put(denial)).toBeUndefined();
    await knows(await startNode(prefix), 'key:a', 'key:b');
  });

  test('are known to all, as they were said, and to nodes that come later', async () => {
    const prefix = newPrefix();
    const [one, two] = [await startNode(prefix), await startNode(prefix)];
    const said = denialOf('user:Zoë/Müller', { reason: 'it left', until: Date.now() + 60_000 });
    expect(await one.denials.deny(said)).toBeUndefined();
    expect(one.denied.newest()).toEqual([said]);
    await knows(two, 'user:Zoë/Müller');
    expect(two.denied.newest()).toEqual([said]);
    expect([one.told(), two.told()]).toEqual([1, 1]);
    const three = await startNode(prefix);
    expect(three.denied.newest()).toEqual([said]);
    expect(await three.denials.lift(said.principal)).toBe(true);
    expect(await three.denials.lift(said.principal)).toBe(false);
    for (const node of [one, two, three]) await knows(node);
    expect([one.told(), two.told()]).toEqual([1, 1]);
  });

  test('come back from the nodes where Redis has lost them, and lifted ones do not', async () => {
    const prefix = newPrefix();
    const redis = opened.connect();
    const [one, two] = [await startNode(prefix), await startNode(prefix)];
    for (const principal of ['key:a', 'key:b', 'key:c']) await one.denials.deny(denialOf(principal));
    await one.denials.lift('key:b');
    await knows(two, 'key:a', 'key:c');
    await redis.del(hashOf(prefix));
    await waitUntil(async () => (await redis.hexists(hashOf(prefix), 'key:c')) === 1, 'the list to be back');
    await knows(await startNode(prefix), 'key:a', 'key:c');
    // A failover to a replica that had not got the last changes.
    await one.denials.deny(denialOf('key:d'));
    await knows(two, 'key:a', 'key:c', 'key:d');
    await redis.hdel(hashOf(prefix), 'key:d');
    await redis.hincrby(hashOf(prefix), 'version', -1);
    await waitUntil(
      async () => (await redis.hexists(hashOf(prefix), 'key:d')) === 1,
      'the last one to be back',
    );
    for (const node of [one, two]) await knows(node, 'key:a', 'key:c', 'key:d');
  });

  test('are bounded; those that are over make room', async () => {
    const prefix = newPrefix();
    const redis = opened.connect();
    const entries = Array.from({ length: MAX_DENIALS - 1 }, (_, n) => [
      `key:k${String(n)}`,
      JSON.stringify(denialOf(`key:k${String(n)}`)),
    ]);
    await redis.hset(hashOf(prefix), 'epoch', 'e', 'version', '1', ...entries.flat());
    const node = await startNode(prefix);
    const brief = denialOf('key:brief', { until: Date.now() + 100 });
    expect(await node.denials.deny(brief)).toBeUndefined();
    const refusal = await node.denials.deny(denialOf('key:more'));
    // On a busy machine the brief one may be over by then.
    if (refusal !== undefined) expect(refusal.code).toBe('too_many_denials');
    await waitUntil(() => node.denied.refusalFor({ id: 'key:brief' }) === undefined, 'one to be over');
    if (refusal !== undefined) expect(await node.denials.deny(denialOf('key:more'))).toBeUndefined();
    expect(node.denied.size).toBe(MAX_DENIALS);
    // Those that are denied can be denied anew.
    expect(await node.denials.deny(denialOf('key:k0', { reason: 'again' }))).toBeUndefined();
  });

  test('what makes no sense in Redis is passed over', async () => {
    const prefix = newPrefix();
    const redis = opened.connect();
    const bad = ['key:1', '{', 'key:2', '[]', 'key:3', '{"until":"x","at":1}', 'key:4', 'null'];
    const good = ['key:5', '{"until":null,"at":1,"reason":7,"by":7,"more":1}'];
    await redis.hset(hashOf(prefix), 'epoch', 'e', 'version', '1', ...bad, ...good);
    const node = await startNode(prefix);
    expect(node.denied.newest()).toEqual([
      { until: null, principal: 'key:5', reason: null, by: 'unknown', at: 1 },
    ]);
  });

  test('are refused, and change nothing, while Redis is away', async () => {
    const redis = connectRedis('redis://127.0.0.1:1', 'write', silentLogger);
    opened.add(() => {
      redis.disconnect();
    });
    const denied = new DeniedPrincipals(systemClock);
    const denials = new ClusterDenials({
      records: new DenialRecords(redis, 'x'),
      denied,
      clock: systemClock,
    });
    const answers = [await denials.deny(denialOf('key:a')), await denials.lift('key:a')];
    expect(answers.map((answer) => (answer instanceof Refusal ? answer.code : answer))).toEqual([
      'node_unavailable',
      'node_unavailable',
    ]);
    expect(denied.size).toBe(0);
  });
});
