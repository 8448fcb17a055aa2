/**
 * Errors that only a replica answers, or a master that becomes one. Redis 6.2 wraps those of commands in a script ("ERR Error
 * running script …: -READONLY …").
 */
const OF_REPLICA = /(?:^|[\s-])(?:READONLY|UNBLOCKED|MASTERDOWN)\s|^ERR WAIT cannot be used with replica/;
/** Redis 6.2 and 7.0 give no code when a command in a script is refused. */
const OF_PERMISSION = /(?:^|[\s-])NOPERM\s|The user executing the script can't/;

/** True for an error which tells that the server is not the master. */
export function isOfReplica(error: Error): boolean {
  return OF_REPLICA.test(error.message);
}

/** True for an error which tells that the Redis user lacks a permission. */
export function isRefusedPermission(error: unknown): boolean {
  return error instanceof Error && OF_PERMISSION.test(error.message);
}
