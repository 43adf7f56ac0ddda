/** An HTTPS server that reads its pair when it starts and at SIGHUP: what `kind: files` is for. Arguments: certificate, key, port. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [certificate = '', key = '', port = ''] = process.argv.slice(2);
/** The policy "intermediate": Node.js alone offers more. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305',
].join(':');
const pair = () => ({ cert: readFileSync(certificate), key: readFileSync(key), ciphers });
const server = createServer(pair(), (_request, response) => response.end('ok'));
process.on('SIGHUP', () => server.setSecureContext(pair()));
server.listen(Number(port), '127.0.0.1');
