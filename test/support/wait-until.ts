/** Resolves once `condition` holds; looks every 10 ms and gives up, loudly, after `timeoutMs` (default 15 s). */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
