/** What `cert issue` does: from this host’s state, or at another host’s authority by token. */
import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseHex } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isLeafProfile, type LeafProfileName } from '../../core/issuance/profile.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import { addSeconds, formatRfc3339 } from '../../core/time/instant.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import type { GeneralName } from '../../core/x509/general-name.ts';
import { fetchRoot, post } from '../../edge/authority-client/authority-client.ts';
import { chainOf } from '../../edge/authority-client/signed-chain.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { generateKey } from '../../edge/signer/key-pair.ts';
import { newCsr } from '../../edge/signer/new-csr.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { IssueFlags } from '../cli/cert-issue.ts';
import { type Context, passwordSource, print } from '../cli/context.ts';
import { openLocalIssuer } from '../local-issuer.ts';

interface Wanted {
  readonly names: readonly GeneralName[];
  readonly profile: LeafProfileName;
  readonly key: KeyObject;
  readonly flags: IssueFlags;
}

export async function issue(context: Context, texts: readonly string[], flags: IssueFlags): Promise<void> {
  if (!isLeafProfile(flags.profile))
    throw new OperatorFault('usage', `${JSON.stringify(flags.profile)} is not a profile; server, client and peer are`);
  const names = [...texts, ...(flags.san ?? [])].map((text) => {
    const name = generalNameFromText(text);
    if (name === null) throw new OperatorFault('usage', `${JSON.stringify(text)} is not a name that can be certified`);
    return name;
  });
  for (const path of flags.force ? [] : [flags.cert, flags.key]) {
    if (existsSync(path)) throw new OperatorFault('file-exists', `${path} exists already`, { path });
  }
  const key = await generateKey(flags.keyAlgorithm);
  const wanted: Wanted = { names, profile: flags.profile, key, flags };
  const chain = flags.url === undefined ? await issueHere(context, wanted) : await issueThere(flags.url, wanted);
  // The key first: a certificate without its key would look installed and serve nothing.
  writeFileAtomically(flags.key, key.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  writeFileAtomically(flags.cert, chain.map((der) => pemFromDer('CERTIFICATE', der)).join(''), 0o644);
  reportIssued(context, chain, flags.cert, flags.key);
}

export function reportIssued(context: Context, chain: readonly Uint8Array[], certFile: string, keyFile: string): void {
  const leaf = parseCertificate(chain[0] ?? new Uint8Array());
  const { notBefore, notAfter } = leaf.validity;
  print(
    context,
    {
      ok: true,
      certificate: {
        serial: leaf.serial,
        fingerprint: leaf.fingerprint,
        notBefore: formatRfc3339(notBefore),
        notAfter: formatRfc3339(notAfter),
      },
      cert: certFile,
      key: keyFile,
    },
    () => [
      `${certFile}  valid until ${formatRfc3339(notAfter)}, serial ${leaf.serial}`,
      `${keyFile}  the key, mode 0600`,
    ],
  );
}

async function issueHere(context: Context, { names, profile, key, flags }: Wanted): Promise<Uint8Array[]> {
  const issuer = await openLocalIssuer(context.paths, passwordSource(flags.passwordFile));
  try {
    return await issuer.issue({
      profile,
      names,
      key,
      provisioner: flags.provisioner,
      ...(flags.lifetime !== undefined && { lifetimeSeconds: flags.lifetime }),
      ...(flags.commonName !== undefined && { commonName: flags.commonName }),
    });
  } finally {
    issuer.close();
  }
}

/** At another host's authority: a CSR and the token. */
async function issueThere(base: string, { names, key, flags }: Wanted): Promise<Uint8Array[]> {
  if (flags.fingerprint === undefined)
    throw new OperatorFault('fingerprint-required', '--url needs the --fingerprint of the authority’s root');
  const fingerprint = parseHex(flags.fingerprint);
  if (fingerprint?.length !== 64)
    throw new OperatorFault('usage', `${JSON.stringify(flags.fingerprint)} is not a SHA-256 fingerprint`);
  const url = base.replace(/\/+$/, '');
  const token = (
    flags.tokenFile === undefined ? process.env.FULLCHAIN_TOKEN : readFileSync(flags.tokenFile, 'utf8')
  )?.trim();
  if (!token) throw new OperatorFault('token-refused', 'no token: give --token-file or FULLCHAIN_TOKEN');
  const ca = await fetchRoot(url, fingerprint);
  const now = wallClock();
  const csr = await newCsr(key, flags.keyAlgorithm, names, flags.commonName);
  const answer = await post(
    `${url}/1.0/sign`,
    {
      csr,
      ott: token,
      ...(flags.lifetime !== undefined && { notAfter: formatRfc3339(addSeconds(now, flags.lifetime - 1)) }),
    },
    { ca },
  );
  return chainOf(answer);
}
