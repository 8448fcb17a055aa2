/** The key of the stream that is the log: `<prefix>:{log}`. Keys that scripts use together with it share its hash tag. */
export function streamKey(keyPrefix: string): string {
  return `${keyPrefix}:{log}`;
}
