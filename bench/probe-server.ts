/**
 * Our verified handshake behind HTTP, as an exporter has it: the same question as blackbox_exporter's tcp prober with TLS
 * gets, and the same answer.
 *
 *   node bench/probe-server.ts PORT ROOT
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseCertificate } from '../src/core/x509/certificate.ts';
import { handshake } from '../src/edge/probe/service-handshake.ts';

const [port = '', root = ''] = process.argv.slice(2);
const anchors = [readFileSync(root, 'utf8')];

createServer((request, response) => {
  const target = new URL(request.url ?? '/', 'http://localhost').searchParams.get('target') ?? '';
  const [host = '', targetPort] = target.split(':');
  void handshake({
    protocol: 'tls',
    address: { host, port: Number(targetPort) },
    serverName: host,
    anchors,
    exchange: false,
    chain: true,
    // As blackbox_exporter's Go offers them: the newest is no part of the question.
    groups: 'X25519:P-256:P-384:P-521',
    timeoutMs: 5000,
  }).then((result) => {
    const sent = result.kind === 'established' ? (result.chain ?? []) : [];
    const chain = sent.map((der) => parseCertificate(der));
    const earliest = Math.min(...chain.map(({ validity }) => validity.notAfter)) / 1000;
    const [leaf] = chain;
    response.end(
      `probe_success ${result.kind === 'established' ? 1 : 0}\nprobe_ssl_earliest_cert_expiry ${earliest}\nprobe_ssl_last_chain_info{fingerprint_sha256="${leaf?.fingerprint}",serialnumber="${leaf?.serial}"} 1\n`,
    );
  });
}).listen(Number(port), '127.0.0.1');
