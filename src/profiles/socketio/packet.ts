/**
 * A Socket.IO packet of type EVENT for the default namespace, from JSON text that is there already.
 * Source: https://socket.io/docs/v4/socket-io-protocol/#event (`2` followed by a JSON array).
 */
export function eventPacket(name: string, ...argumentsJson: readonly string[]): string {
  return `2[${[JSON.stringify(name), ...argumentsJson].join(',')}]`;
}
