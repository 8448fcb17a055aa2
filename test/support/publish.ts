/** Publishes one event, or an array of them, at the gateway at `url`; resolves with the ids. Throws when it is refused. */
export async function publish(url: string, events: unknown): Promise<string[]> {
  const response = await fetch(`${url}/api/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(events),
  });
  if (response.status !== 202) throw new Error(`${String(response.status)}: ${await response.text()}`);
  const { ids } = (await response.json()) as { ids: string[] };
  return ids;
}
