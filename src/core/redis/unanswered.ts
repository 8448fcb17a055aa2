/** What ioredis says of a command that it did not send. */
const NOT_SENT = /Stream isn't writeable|Cluster isn't ready|Failed to refresh slots cache/;

/** True when Redis may have done what it was told, although this error came instead of an answer. */
export function isUnanswered(error: unknown): boolean {
  const wasSent = !NOT_SENT.test(String(error));
  return wasSent && !(error instanceof Error && error.name === 'ReplyError');
}
