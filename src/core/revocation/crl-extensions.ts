/** Extensions of CRLs and of their entries (RFC 5280 §5.2, §5.3). */
import { DerError, expectTag, readSequence } from '../asn1/der-reader.ts';
import { readBoolean, readTime, readUnsignedInteger } from '../asn1/der-values.ts';
import { enumerated, integer, sequence } from '../asn1/der-writer.ts';
import { contextTag, TAG } from '../asn1/tags.ts';
import { hexFromBytes } from '../bytes/hex.ts';
import type { Instant } from '../time/instant.ts';
import {
  type DistributionPointName,
  encodeDistributionPointName,
  type ReasonFlags,
  readDistributionPointName,
  readGeneralNames,
  readReasonFlags,
} from '../x509/crl-distribution-points.ts';
import { type ExtensionHolder, type ExtensionKind, encodeExtension, extensionValue } from '../x509/extension.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { AUTHORITY_KEY_IDENTIFIER } from '../x509/key-identifier.ts';
import { numberOfReason, type RevocationReason, reasonOfNumber } from './reason.ts';

/** §5.2.3. */
export const CRL_NUMBER: ExtensionKind<bigint> = {
  oid: '2.5.29.20',
  name: 'cRLNumber',
  decode: (value, path) => {
    const octets = readUnsignedInteger(value, path);
    if (octets.byteLength > 20) throw new DerError(path, value.contentOffset, 'cRLNumber of more than 20 octets');
    return BigInt(`0x${hexFromBytes(octets)}`);
  },
};

/** Non-critical (§5.2.3). */
export function encodeCrlNumber(number: number | bigint): Uint8Array {
  return encodeExtension(CRL_NUMBER, false, integer(number));
}

/** §5.2.5: what the list covers. */
export interface IssuingDistributionPoint {
  /** Where the list is had, as the certificates' distribution points say it. */
  readonly name: DistributionPointName | null;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCaCerts: boolean;
  /** null: all of them. */
  readonly onlySomeReasons: ReasonFlags | null;
  readonly indirectCrl: boolean;
  readonly onlyContainsAttributeCerts: boolean;
}

export const ISSUING_DISTRIBUTION_POINT: ExtensionKind<IssuingDistributionPoint> = {
  oid: '2.5.29.28',
  name: 'issuingDistributionPoint',
  decode: (value, path) =>
    readSequence(expectTag(value, TAG.SEQUENCE, path), path, (fields) => {
      const nameField = fields.optional(contextTag(0, true), 'distributionPoint');
      const flag = (number: number, name: string): boolean => {
        const field = fields.optional(contextTag(number, false), name);
        return field !== undefined && readBoolean(field.withTag(TAG.BOOLEAN), `${path}.${name}`);
      };
      const [userCerts, caCerts] = [flag(1, 'onlyContainsUserCerts'), flag(2, 'onlyContainsCACerts')];
      const reasons = fields.optional(contextTag(3, false), 'onlySomeReasons');
      return {
        name: nameField ? readDistributionPointName(nameField, `${path}.distributionPoint`) : null,
        onlyContainsUserCerts: userCerts,
        onlyContainsCaCerts: caCerts,
        onlySomeReasons: reasons ? readReasonFlags(reasons, `${path}.onlySomeReasons`) : null,
        indirectCrl: flag(4, 'indirectCRL'),
        onlyContainsAttributeCerts: flag(5, 'onlyContainsAttributeCerts'),
      };
    }),
};

export function issuingDistributionPoint(crl: ExtensionHolder): IssuingDistributionPoint | null {
  return extensionValue(crl, ISSUING_DISTRIBUTION_POINT);
}

/** §5.2.4: the number of the complete list that a delta list adds to. */
export const DELTA_CRL_INDICATOR: ExtensionKind<bigint> = {
  ...CRL_NUMBER,
  oid: '2.5.29.27',
  name: 'deltaCRLIndicator',
};

/** Critical (§5.2.5); all the issuer's certificates, all reasons, so no field but the place. */
export function encodeIssuingDistributionPoint(url: string): Uint8Array {
  return encodeExtension(ISSUING_DISTRIBUTION_POINT, true, sequence(encodeDistributionPointName(url)));
}

/** §5.3.1. */
export const REASON_CODE: ExtensionKind<RevocationReason> = {
  oid: '2.5.29.21',
  name: 'reasonCode',
  decode: (value, path) => {
    const [number, ...rest] = expectTag(value, TAG.ENUMERATED, path).content;
    const reason = number === undefined || rest.length > 0 ? null : reasonOfNumber(number);
    if (reason === null) throw new DerError(path, value.contentOffset, 'not a reason for revocation');
    return reason;
  },
};

/** Non-critical; null for "unspecified", which §5.3.1 wants to be expressed by absence. */
export function encodeReasonCode(reason: RevocationReason): Uint8Array | null {
  return reason === 'unspecified' ? null : encodeExtension(REASON_CODE, false, enumerated(numberOfReason(reason)));
}

/** §5.3.2: since when the key is suspected. */
export const INVALIDITY_DATE: ExtensionKind<Instant> = {
  oid: '2.5.29.24',
  name: 'invalidityDate',
  decode: (value, path) => readTime(expectTag(value, TAG.GENERALIZED_TIME, path), path),
};

/** §5.3.3: whose certificate it is, of this entry and of those that follow, in an indirect list. */
export const CERTIFICATE_ISSUER: ExtensionKind<readonly GeneralName[]> = {
  oid: '2.5.29.29',
  name: 'certificateIssuer',
  decode: (value, path) => readGeneralNames(expectTag(value, TAG.SEQUENCE, path), path),
};

export const CRL_EXTENSIONS: ReadonlyMap<string, ExtensionKind<unknown>> = new Map(
  [AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT].map(
    (kind: ExtensionKind<unknown>) => [kind.oid, kind],
  ),
);

export const CRL_ENTRY_EXTENSIONS: ReadonlyMap<string, ExtensionKind<unknown>> = new Map(
  [CERTIFICATE_ISSUER, INVALIDITY_DATE, REASON_CODE].map((kind: ExtensionKind<unknown>) => [kind.oid, kind]),
);
