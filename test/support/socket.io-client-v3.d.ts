/** Version 3 of the stock client, whose package hides its types from module resolution. */
declare module 'socket.io-client-v3' {
  export function io(url: string, options: object): unknown;
}
