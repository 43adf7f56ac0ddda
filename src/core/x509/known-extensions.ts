/** The certificate extensions this program reads: one row each. */
import { ACME_IDENTIFIER } from './acme-identifier.ts';
import { AUTHORITY_INFORMATION_ACCESS } from './authority-information-access.ts';
import { BASIC_CONSTRAINTS } from './basic-constraints.ts';
import { CERTIFICATE_POLICIES } from './certificate-policies.ts';
import { CRL_DISTRIBUTION_POINTS } from './crl-distribution-points.ts';
import { EXTENDED_KEY_USAGE } from './extended-key-usage.ts';
import type { ExtensionKind } from './extension.ts';
import { AUTHORITY_KEY_IDENTIFIER, SUBJECT_KEY_IDENTIFIER } from './key-identifier.ts';
import { KEY_USAGE } from './key-usage.ts';
import { NAME_CONSTRAINTS } from './name-constraints.ts';
import { INHIBIT_ANY_POLICY, POLICY_CONSTRAINTS } from './policy-constraints.ts';
import { POLICY_MAPPINGS } from './policy-mappings.ts';
import { SUBJECT_ALT_NAME } from './subject-alt-name.ts';

export const KNOWN_EXTENSIONS: ReadonlyMap<string, ExtensionKind<unknown>> = new Map(
  [
    ACME_IDENTIFIER,
    AUTHORITY_INFORMATION_ACCESS,
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    CRL_DISTRIBUTION_POINTS,
    EXTENDED_KEY_USAGE,
    INHIBIT_ANY_POLICY,
    KEY_USAGE,
    NAME_CONSTRAINTS,
    POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
    SUBJECT_ALT_NAME,
    SUBJECT_KEY_IDENTIFIER,
  ].map((kind: ExtensionKind<unknown>) => [kind.oid, kind]),
);
