/** Version 2 of the stock client, which brings no types. */
declare module 'socket.io-client-v2' {
  const io: (url: string, options: object) => unknown;
  export default io;
}
