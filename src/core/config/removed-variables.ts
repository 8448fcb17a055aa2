/** A variable that earlier versions had. */
export interface RemovedVariable {
  /** The value that asks for what is done anyway: it is told, and the process starts. */
  readonly harmless: string;
  /** Says what became of the variable, and what to do. */
  readonly text: string;
}

/** Removed variables by name. Any other value than the harmless one keeps the process from starting. */
export const REMOVED_VARIABLES: ReadonlyMap<string, RemovedVariable> = new Map([
  [
    'LOG_SHARDS',
    {
      harmless: '1',
      text: 'LOG_SHARDS is no longer a variable: the log is one stream, <prefix>:{log}. Remove it; publishers that XADD to <prefix>:{log:N} must use <prefix>:{log}.',
    },
  ],
]);
