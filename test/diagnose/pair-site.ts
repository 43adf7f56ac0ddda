/** A pair on disk to be broken, judged as `diagnose` does, and by nginx, which is asked whether it would start with it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pemFromDer } from '../../src/core/bytes/pem.ts';
import type { Finding } from '../../src/core/diagnosis/finding.ts';
import { judgePair, type PairContext } from '../../src/core/diagnosis/judge-pair.ts';
import { instantFromMs } from '../../src/core/time/instant.ts';
import type { Certificate } from '../../src/core/x509/certificate.ts';
import { readPairFacts } from '../../src/edge/files/pair-facts.ts';
import { scratch } from '../ca/command-line.ts';
import { pathOf } from '../servers/available.ts';
import { run } from '../servers/process.ts';
import {
  type CertificateParts,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  type TestKey,
  validityDer,
} from '../vectors/made-certificate.ts';

export const DAY = 86_400_000;

export function validFor(fromMs: number, untilMs: number): Uint8Array {
  const text = (ms: number): string => new Date(Date.now() + ms).toISOString().replace(/\.\d+/, '');
  return validityDer(text(fromMs), text(untilMs));
}

export class PairSite {
  readonly directory: string;
  readonly root: MadeCertificate = makeRoot('Site Root');
  readonly intermediate: MadeCertificate = makeIntermediate(this.root, 'Site Intermediate');

  constructor(t: TestContext) {
    this.directory = scratch(t);
    chmodSync(this.directory, 0o755);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  leaf(parts: CertificateParts = {}, issuer: MadeCertificate = this.intermediate): MadeCertificate {
    return makeLeaf(issuer, { validity: validFor(-DAY, 30 * DAY), ...parts });
  }

  /** tls.crt of these, in this order, and tls.key. */
  write(chain: readonly MadeCertificate[], key: TestKey | undefined = chain[0]?.key): void {
    writeFileSync(this.path('tls.crt'), pemOf(...chain));
    if (key !== undefined) this.writeKey(keyPem(key));
  }

  writeKey(content: string | Uint8Array, mode = 0o600): void {
    writeFileSync(this.path('tls.key'), content);
    chmodSync(this.path('tls.key'), mode);
  }

  judge(
    context: Partial<PairContext> = {},
    runAs: string | null = null,
    files: readonly [string, string] = ['tls.crt', 'tls.key'],
  ): Finding[] {
    const [certificate, key] = files.map((name) => this.path(name)) as [string, string];
    return judgePair(readPairFacts({ certificate, key, runAs }), {
      anchors: [this.root.certificate],
      known: [],
      now: instantFromMs(Date.now()),
      served: [],
      listener: null,
      protocol: null,
      service: null,
      unit: null,
      ...context,
    });
  }

  /** Whether nginx would start with it, and what it says. */
  async nginx(): Promise<{ readonly takes: boolean; readonly output: string }> {
    const prefix = this.path('nginx');
    mkdirSync(prefix, { recursive: true });
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${prefix}/${name};`,
    );
    writeFileSync(
      join(prefix, 'nginx.conf'),
      `pid ${prefix}/pid; error_log stderr; events {} http { access_log off; ${temporary.join(' ')}
server { listen unix:${prefix}/socket ssl; ssl_certificate ${this.path('tls.crt')}; ssl_certificate_key ${this.path('tls.key')}; } }`,
    );
    rmSync(join(prefix, 'socket'), { force: true });
    const { status, output } = await run(pathOf('nginx') ?? 'nginx', [
      '-t',
      '-p',
      prefix,
      '-e',
      'stderr',
      '-c',
      join(prefix, 'nginx.conf'),
    ]);
    return { takes: status === 0, output };
  }
}

export function pemOf(...chain: readonly (MadeCertificate | Certificate)[]): string {
  return chain.map((one) => pemFromDer('CERTIFICATE', 'der' in one ? one.der : one.raw)).join('');
}

export function keyPem({ privateKey }: TestKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** "id severity" of each, and whatever says so if it is not what was wanted. */
export function shown(findings: readonly Finding[]): string[] {
  return findings.map(({ id, severity, confidence }) => [id, severity, confidence].filter(Boolean).join(' '));
}

/** The cause alone, certain, with a remedy, in that file and line. */
export function only(findings: readonly Finding[], id: string, file: string, line = 1): Finding {
  assert.deepEqual(shown(findings), [`${id} error`], JSON.stringify(findings, null, 1));
  const [finding] = findings;
  assert.ok(finding);
  assert.deepEqual(finding.where, { file, line });
  assert.ok(finding.remedy.text.length > 10);
  return finding;
}
