/** Our path validation against NIST's PKITS: every path of the document, and each disagreement with its reason. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { DerError } from '../../src/core/asn1/der-reader.ts';
import { type Crl, parseCrl } from '../../src/core/revocation/crl.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import { type PathFailureReason, type PathRequest, validatePath } from '../../src/core/x509/path.ts';
import { ANY_POLICY, type PolicyInputs } from '../../src/core/x509/policy-tree.ts';
import { at } from './made-certificate.ts';
import {
  PKITS_ANCHOR,
  PKITS_CASES,
  PKITS_MISSING,
  type PkitsCase,
  type PkitsSettings,
  pkitsAuthorityNames,
  pkitsCertificate,
  pkitsList,
  pkitsListNames,
  pkitsPolicy,
} from './pkits.ts';

/** Within the validity of all that is not meant to be invalid by its dates. */
const NOW = at('2026-11-25T00:00:00Z');

/** Valid for the document, refused here. What is invalid for the document is never accepted. */
const DISAGREEMENTS: Readonly<Record<string, string>> = {
  '4.1.4': 'DSA with SHA-1 is weak, and never verified',
  '4.1.5': 'DSA with SHA-1 is weak, and never verified',
  '4.4.14': 'a list with a negative serial number is not read (RFC 5280 §4.1.2.2: "MUST be a positive integer")',
  '4.14.30': 'the only list that could tell of its signer is signed by that signer',
};

/** For what a path may be refused in each section. */
const REASONS: Readonly<Record<string, readonly (PathFailureReason | 'malformed')[]>> = {
  '4.1': ['signature-invalid', 'signature-weak', 'malformed'],
  '4.2': ['expired', 'not-yet-valid'],
  '4.3': ['issuer-unknown'],
  '4.4': ['revoked', 'revocation-unknown', 'malformed'],
  '4.5': ['revoked', 'not-an-authority'],
  '4.6': ['not-an-authority', 'path-length-exceeded'],
  '4.7': ['key-usage', 'revocation-unknown'],
  '4.8': ['policy'],
  '4.9': ['policy'],
  '4.10': ['policy'],
  '4.11': ['policy'],
  '4.12': ['policy'],
  '4.13': ['name-constraints'],
  '4.14': ['revoked', 'revocation-unknown'],
  '4.15': ['revoked', 'revocation-unknown'],
  '4.16': ['unknown-critical-extension'],
};

/** What can be read of these; what cannot is as if it were not there. */
function readable<T>(names: readonly string[], read: (name: string) => T): T[] {
  return names.flatMap((name) => {
    try {
      return [read(name)];
    } catch (fault) {
      if (fault instanceof DerError) return [];
      throw fault;
    }
  });
}

/** As in a directory, everything that was ever published: the right ones are to be found, the wrong ones passed over. */
const AUTHORITIES: readonly Certificate[] = PKITS_MISSING
  ? []
  : readable(pkitsAuthorityNames(), (name) => parseCertificate(pkitsCertificate(name)));
const LISTS: readonly Crl[] = PKITS_MISSING ? [] : readable(pkitsListNames(), (name) => parseCrl(pkitsList(name)));

type Verdict =
  | { readonly valid: true; readonly policies: readonly string[] }
  | { readonly valid: false; readonly reason: PathFailureReason | 'malformed'; readonly why: string };

function verdictOn({ chain, settings }: PkitsCase): Verdict {
  try {
    const [leaf] = chain.map((name) => parseCertificate(pkitsCertificate(name))).reverse();
    assert.ok(leaf);
    const result = validatePath(requestFor(leaf, AUTHORITIES, settings));
    return result.ok
      ? { valid: true, policies: result.policies }
      : { valid: false, reason: result.reason, why: `${result.subject}: ${result.detail}` };
  } catch (fault) {
    if (fault instanceof DerError) return { valid: false, reason: 'malformed', why: fault.message };
    throw fault;
  }
}

function requestFor(leaf: Certificate, intermediates: readonly Certificate[], settings: PkitsSettings): PathRequest {
  return {
    leaf,
    intermediates,
    anchors: [parseCertificate(pkitsCertificate(PKITS_ANCHOR))],
    now: NOW,
    purpose: 'any',
    policies: inputsOf(settings),
    revocation: { lists: LISTS, areAuthoritiesRequired: true },
  };
}

function inputsOf({ policies, explicit, inhibitMapping, inhibitAny }: PkitsSettings): PolicyInputs {
  return {
    acceptable: policies ? new Set(policies.map(pkitsPolicy)) : null,
    isRequired: explicit ?? false,
    inhibitsMapping: inhibitMapping ?? false,
    inhibitsAnyPolicy: inhibitAny ?? false,
  };
}

for (const path of PKITS_CASES) {
  const { id, valid, about, chain, settings } = path;
  const reason = DISAGREEMENTS[id];
  const note = reason === undefined ? '' : ` (refused here: ${reason})`;
  test(`PKITS ${id} is ${valid ? 'valid' : 'invalid'}: ${chain.at(-1)}; ${about}${note}`, {
    skip: PKITS_MISSING,
  }, () => {
    const verdict = verdictOn(path);
    assert.equal(verdict.valid, reason === undefined ? valid : !valid, JSON.stringify(verdict));
    if (!verdict.valid) {
      assert.ok(REASONS[id.split('.', 2).join('.')]?.includes(verdict.reason), JSON.stringify(verdict));
    } else if (settings.result) {
      const expected = settings.result === 'any' ? [ANY_POLICY] : settings.result.map(pkitsPolicy);
      assert.deepEqual(verdict.policies, expected);
    }
  });
}

test('nothing that is invalid for the document is accepted: every disagreement is a refusal', () => {
  const ids = new Map(PKITS_CASES.map((path) => [path.id, path.valid]));
  for (const id of Object.keys(DISAGREEMENTS)) assert.equal(ids.get(id), true, id);
});
