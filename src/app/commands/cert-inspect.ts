/** What `cert inspect` does: shows, and judges nothing. */
import { crlDocument, crlLines } from '../../core/revocation/describe-crl.ts';
import type { Instant } from '../../core/time/instant.ts';
import {
  certificateDocument,
  certificateLines,
  describeCertificate,
  printable,
  requestDocument,
  requestLines,
} from '../../core/x509/describe.ts';
import { formatName } from '../../core/x509/name.ts';
import type { PkiObject } from '../../edge/files/pki-objects.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { InspectFlags } from '../cli/cert-inspect.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import { readTarget } from './pki-target.ts';

export async function inspect(context: Context, text: string, flags: InspectFlags): Promise<void> {
  const { objects, server, where } = await readTarget(text, {
    servername: flags.servername,
    starttls: flags.starttls,
    timeout: flags.timeout,
  });
  const now = wallClock();
  print(context, documentOf(objects), () => [
    ...(server
      ? [
          `${where} sends ${objects.length === 1 ? 'one certificate' : `${objects.length} certificates, in this order`}:`,
          '',
        ]
      : []),
    ...objects.flatMap((object, index) => [...(index === 0 ? [] : ['']), ...linesOf(object, now)]),
  ]);
  if (objects.some(({ kind }) => kind === 'unreadable')) process.exitCode = 1;
}

function documentOf(objects: readonly PkiObject[]) {
  return {
    certificates: objects.flatMap((object) =>
      object.kind === 'certificate' ? [certificateDocument(object.certificate)] : [],
    ),
    requests: objects.flatMap((object) => (object.kind === 'request' ? [requestDocument(object.csr)] : [])),
    revocationLists: objects.flatMap((object) => (object.kind === 'revocation-list' ? [crlDocument(object.crl)] : [])),
    others: objects.flatMap((object) => {
      if (object.kind !== 'private-key' && object.kind !== 'other' && object.kind !== 'unreadable') return [];
      return [{ kind: object.kind, label: object.label, what: describeOther(object) }];
    }),
  };
}

function linesOf(object: PkiObject, now: Instant): string[] {
  switch (object.kind) {
    case 'certificate':
      return [
        heading(`certificate  ${describeCertificate(object.certificate)}`),
        ...certificateLines(object.certificate, now),
      ];
    case 'request':
      return [heading(`certificate request  ${formatName(object.csr.subject)}`), ...requestLines(object.csr)];
    case 'revocation-list':
      return [heading(`revocation list  ${formatName(object.crl.issuer)}`), ...crlLines(object.crl, now)];
    default:
      return [printable(describeOther(object))];
  }
}

function heading(text: string): string {
  return paint('bold', printable(text), process.stdout);
}

function describeOther(object: Extract<PkiObject, { kind: 'private-key' | 'other' | 'unreadable' }>): string {
  switch (object.kind) {
    case 'private-key':
      return `a private key, not shown (${object.label})`;
    case 'other':
      return `not shown (${object.label})`;
    case 'unreadable':
      return `unreadable: ${object.why}`;
  }
}
