/** Authorities, certificates and revocation lists to measure, all of openssl's making: one directory, a name each. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openssl } from '../ca/command-line.ts';

/** Lines of an extension section. */
export const AUTHORITY = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign';
export const SERVER =
  'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth';
const IDENTIFIERS = 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid';

export interface ListOptions {
  /** Names of certificates. */
  readonly revoked?: readonly string[];
  /** Lines of its extension section. */
  readonly extensions?: string;
  /** "20200101000000Z"; else an hour ago, and in a week. */
  readonly from?: string;
  readonly until?: string;
}

export class OpensslTree {
  readonly directory = mkdtempSync(join(tmpdir(), 'fullchain-tree-'));
  private readonly issued = new Map<string, string>();

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  private run(...args: readonly string[]): void {
    const { status, stderr } = openssl(args);
    assert.equal(status, 0, `openssl ${args.join(' ')}: ${stderr}`);
  }

  /** NAME.crt and NAME.key; `issuer` null: itself. The subject is CN=NAME unless said otherwise. */
  issue(
    name: string,
    issuer: string | null,
    extensions: string,
    { days = 90, subject = name }: { readonly days?: number; readonly subject?: string } = {},
  ): string {
    const [key, csr, crt] = ['key', 'csr', 'crt'].map((ending) => this.path(`${name}.${ending}`)) as [
      string,
      string,
      string,
    ];
    this.run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
    this.run('req', '-new', '-key', key, '-subj', `/CN=${subject}`, '-out', csr);
    const section = this.path(`${name}.ext`);
    // Sections that the lines name follow them.
    const [lines = '', ...more] = extensions.split('\n[');
    writeFileSync(
      section,
      [`${lines}\n${issuer === null ? 'subjectKeyIdentifier=hash' : IDENTIFIERS}`, ...more].join('\n['),
    );
    const signer =
      issuer === null ? ['-signkey', key] : ['-CA', this.path(`${issuer}.crt`), '-CAkey', this.path(`${issuer}.key`)];
    this.run('x509', '-req', '-in', csr, ...signer, '-days', String(days), '-extfile', section, '-out', crt);
    const { stdout } = openssl(['x509', '-in', crt, '-noout', '-serial']);
    this.issued.set(name, stdout.trim().replace('serial=', ''));
    return crt;
  }

  /** The certificates of these names in one file, in this order. */
  bundle(file: string, ...names: readonly string[]): string {
    const path = this.path(file);
    writeFileSync(path, names.map((name) => readFileSync(this.path(`${name}.crt`), 'utf8')).join(''));
    return path;
  }

  /** A revocation list of this issuer. */
  list(file: string, issuer: string, options: ListOptions = {}): string {
    const { revoked = [], extensions, from, until } = options;
    const [path, config] = [this.path(file), this.path(`${file}.cnf`)];
    const base = `[ca]\ndefault_ca=d\n[d]\ndatabase=${config}.index\ncrlnumber=${config}.number\ndefault_md=sha256\n`;
    const named = `${extensions ? 'crl_extensions=x\n' : ''}`;
    writeFileSync(config, `${base}${named}[x]\nauthorityKeyIdentifier=keyid\n${extensions ?? ''}\n`);
    const rows = revoked.map(
      (name) => `R\t490101000000Z\t261101000000Z,keyCompromise\t${this.issued.get(name)}\tunknown\t/CN=${name}\n`,
    );
    writeFileSync(`${config}.index`, rows.join(''));
    writeFileSync(`${config}.number`, '10\n');
    const dates = ['-crl_lastupdate', from ?? utc(-3600), '-crl_nextupdate', until ?? utc(7 * 86_400)];
    const signer = ['-cert', this.path(`${issuer}.crt`), '-keyfile', this.path(`${issuer}.key`)];
    this.run('ca', '-config', config, '-gencrl', ...signer, ...dates, '-out', path);
    return path;
  }
}

function utc(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
}
