/**
 * Our verified handshake behind HTTP, as an exporter has it: the same question as blackbox_exporter's tcp prober with TLS
 * gets, and the same answer. The handshake proves the key; chain and name are judged by core/x509, once for each chain
 * that was sent, since the same bytes lead to the same verdict until one of them expires.
 *
 *   node bench/probe-server.ts PORT ROOT
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pemBlocks } from '../src/core/bytes/pem.ts';
import { type Instant, instantFromMs, instantFromSeconds } from '../src/core/time/instant.ts';
import { parseCertificate } from '../src/core/x509/certificate.ts';
import { verifyChain } from '../src/core/x509/verification.ts';
import { handshake } from '../src/edge/probe/service-handshake.ts';

interface Verdict {
  readonly ok: boolean;
  readonly earliestExpiry: Instant;
  readonly fingerprint: string;
  readonly serial: string;
}

const [port = '', root = ''] = process.argv.slice(2);
const anchors = pemBlocks(readFileSync(root, 'utf8')).flatMap(({ der }) => (der ? [parseCertificate(der)] : []));
const verdicts = new Map<string, Verdict>();

function judged(sent: readonly Uint8Array[], name: string): Verdict | null {
  const hash = createHash('sha256').update(name);
  for (const der of sent) hash.update(der);
  const key = hash.digest('base64');
  const known = verdicts.get(key);
  const now = instantFromMs(Date.now());
  if (known && known.earliestExpiry >= now) return known;
  const [leaf, ...others] = sent.map((der) => parseCertificate(der));
  if (!leaf) return null;
  const chain = [leaf, ...others] as const;
  const { ok } = verifyChain({ chain, intermediates: [], known: [], anchors, now, purpose: 'server', name, key: null });
  const verdict = {
    ok,
    earliestExpiry: instantFromSeconds(Math.min(...chain.map(({ validity }) => validity.notAfter))),
    fingerprint: leaf.fingerprint,
    serial: leaf.serial,
  };
  verdicts.set(key, verdict);
  return verdict;
}

createServer((request, response) => {
  const target = /[?&]target=([^&]*)/.exec(request.url ?? '')?.[1] ?? '';
  const [host = '', targetPort] = target.split(':');
  void handshake({
    protocol: 'tls',
    address: { host, port: Number(targetPort) },
    serverName: host,
    anchors: null,
    exchange: false,
    chain: true,
    // As blackbox_exporter's Go offers them: the newest is no part of the question.
    groups: 'X25519:P-256:P-384:P-521',
    timeoutMs: 5000,
  }).then((result) => {
    const verdict = result.kind === 'established' ? judged(result.chain ?? [], host) : null;
    response.end(
      `probe_success ${verdict?.ok ? 1 : 0}\nprobe_ssl_earliest_cert_expiry ${verdict?.earliestExpiry ?? 0}\nprobe_ssl_last_chain_info{fingerprint_sha256="${verdict?.fingerprint}",serialnumber="${verdict?.serial}"} 1\n`,
    );
  });
}).listen(Number(port), '127.0.0.1');
