import type { Shards } from './shards.js';

/** The key of a shard's stream: `<prefix>:{log}`, of several `<prefix>:{log:<shard>}`, so that a Cluster spreads them. */
export function streamKey(keyPrefix: string, shards: Shards, shard: number): string {
  return shards.count === 1 ? `${keyPrefix}:{log}` : `${keyPrefix}:{log:${String(shard)}}`;
}
