/** What every TCP server of the test world needs: its port, an account of its connections, and an end. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

export interface TcpServer {
  readonly port: number;
  /** How many connections were opened so far, and how many of them still are. */
  readonly connections: () => { readonly opened: number; readonly open: number };
  /** Ends the connections too. */
  readonly close: () => Promise<void>;
}

/** @param port 0 for a free one */
export async function startTcpServer(server: Server, host: string, port: number): Promise<TcpServer> {
  const open = new Set<Socket>();
  let opened = 0;
  server.on('connection', (socket: Socket) => {
    opened++;
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy());
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server on a TCP port has an address');
  return {
    port: address.port,
    connections: () => ({ opened, open: open.size }),
    close: async () => {
      for (const socket of open) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
