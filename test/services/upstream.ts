/** What a proxy has behind it in tests: says what it was asked, serves a slow download, echoes over WebSocket. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Upstream extends AsyncDisposable {
  readonly url: string;
}

export async function startUpstream(): Promise<Upstream> {
  const server = createServer((request, response) => {
    if (request.url !== '/slow')
      return void response.end(JSON.stringify({ url: request.url, headers: request.headers }));
    // Twenty pieces over a second: a reload comes in between.
    let pieces = 0;
    const timer = setInterval(() => {
      response.write('piece\n');
      if (++pieces < 20) return;
      clearInterval(timer);
      response.end();
    }, 50);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    // Frames come back as they are but for the mask: enough to see that bytes pass both ways.
    socket.on('data', (data) => socket.write(data));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      // Also those that have become WebSockets.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
