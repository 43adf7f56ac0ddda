/** What sslscan sees of a server: a second opinion. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { run } from '../servers/process.ts';
import type { ProbedTarget } from './run-probe.ts';

export interface Scan {
  readonly protocols: readonly string[];
  /** "TLSv1.2 0xC02B", sorted. */
  readonly suites: readonly string[];
  /** Codes, such as "0x001d", sorted. */
  readonly groups: readonly string[];
}

/** @param args such as --starttls-psql */
export async function sslscan(t: TestContext, port: number, ...args: readonly string[]): Promise<Scan> {
  const file = join(scratch(t), 'scan.xml');
  const { output } = await run('sslscan', [`--xml=${file}`, '--show-cipher-ids', ...args, `localhost:${port}`]);
  const xml = readFileSync(file, 'utf8');
  if (!xml.includes('</ssltest>')) throw new Error(output);
  const all = (pattern: RegExp): string[] => [...xml.matchAll(pattern)].map(([, ...parts]) => parts.join(' '));
  return {
    protocols: all(/<protocol type="(ssl|tls)" version="([\d.]+)" enabled="1"/g).map((name) =>
      name.replace('ssl ', 'SSLv').replace('tls 1.0', 'TLSv1').replace('tls ', 'TLSv'),
    ),
    suites: all(/<cipher status="\w+" sslversion="(\S+)" .*?id="(0x[0-9A-Fa-f]{4})"/g)
      .map((suite) => suite.replace('TLSv1.0', 'TLSv1'))
      .sort(),
    groups: [...new Set(all(/<group .*?id="(0x[0-9a-f]{4})"/g))].sort(),
  };
}

/** The same of ours. */
export function suitesOf({ suites }: ProbedTarget): readonly string[] {
  return suites.map(({ protocol, code }) => `${protocol} ${code}`).sort();
}
