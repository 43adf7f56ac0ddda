/**
 * NIST's Public Key Interoperability Test Suite (PKITS 1.0.1, certificates of 2011): what the document says of each
 * path, as a table. The certificates and lists themselves come with Debian's python3-cryptography-vectors.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = '/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data';

export const PKITS_MISSING: string | false = existsSync(DIRECTORY)
  ? false
  : 'the PKITS certificates are not here (Debian: python3-cryptography-vectors)';

/** What the test says beside the defaults: any policy is wanted, nothing is inhibited. */
export interface PkitsSettings {
  /** The initial policy set: numbers of NIST’s test policies. */
  readonly policies?: readonly number[];
  readonly explicit?: true;
  readonly inhibitMapping?: true;
  readonly inhibitAny?: true;
  /** The policies that the path is valid under (user-constrained-policy-set). */
  readonly result?: readonly number[] | 'any';
}

type Row = readonly [id: string, valid: boolean, chain: string, settings?: PkitsSettings];

export interface PkitsCase {
  /** Section of the document; a subtest has a number more. */
  readonly id: string;
  readonly valid: boolean;
  /** Names of files: authorities below the trust anchor first, the certificate in question last. */
  readonly chain: readonly string[];
  readonly about: string;
  readonly settings: PkitsSettings;
}

export const PKITS_ANCHOR = 'TrustAnchorRootCertificate';

/** The test policies are numbered from 1. */
export const pkitsPolicy = (number: number): string => `2.16.840.1.101.3.2.1.48.${number}`;

export function pkitsCertificate(name: string): Uint8Array {
  return readFileSync(join(DIRECTORY, 'certs', `${name}.crt`));
}

/** Names of all certificates that are not end entities'. */
export function pkitsAuthorityNames(): string[] {
  return readdirSync(join(DIRECTORY, 'certs'))
    .map((name) => name.replace(/\.crt$/, ''))
    .filter((name) => !name.endsWith('EE') && name !== PKITS_ANCHOR);
}

/** Names of all of its revocation lists: a directory of all that was ever published, as the document has it. */
export function pkitsListNames(): string[] {
  return readdirSync(join(DIRECTORY, 'crls')).map((name) => name.replace(/\.crl$/, ''));
}

export function pkitsList(name: string): Uint8Array {
  return readFileSync(join(DIRECTORY, 'crls', `${name}.crl`));
}

const SECTIONS: readonly { readonly about: string; readonly rows: readonly Row[] }[] = [
  {
    about: '4.1 signatures (RFC 5280 §6.1.3 (a)(1))',
    rows: [
      ['4.1.1', true, 'GoodCACert ValidCertificatePathTest1EE'],
      ['4.1.2', false, 'BadSignedCACert InvalidCASignatureTest2EE'],
      ['4.1.3', false, 'GoodCACert InvalidEESignatureTest3EE'],
      ['4.1.4', true, 'DSACACert ValidDSASignaturesTest4EE'],
      ['4.1.5', true, 'DSACACert DSAParametersInheritedCACert ValidDSAParameterInheritanceTest5EE'],
      ['4.1.6', false, 'DSACACert InvalidDSASignatureTest6EE'],
    ],
  },
  {
    about: '4.2 validity (§6.1.3 (a)(2), §4.1.2.5)',
    rows: [
      ['4.2.1', false, 'BadnotBeforeDateCACert InvalidCAnotBeforeDateTest1EE'],
      ['4.2.2', false, 'GoodCACert InvalidEEnotBeforeDateTest2EE'],
      ['4.2.3', true, 'GoodCACert Validpre2000UTCnotBeforeDateTest3EE'],
      ['4.2.4', true, 'GoodCACert ValidGeneralizedTimenotBeforeDateTest4EE'],
      ['4.2.5', false, 'BadnotAfterDateCACert InvalidCAnotAfterDateTest5EE'],
      ['4.2.6', false, 'GoodCACert InvalidEEnotAfterDateTest6EE'],
      ['4.2.7', false, 'GoodCACert Invalidpre2000UTCEEnotAfterDateTest7EE'],
      ['4.2.8', true, 'GoodCACert ValidGeneralizedTimenotAfterDateTest8EE'],
    ],
  },
  {
    about: '4.3 name chaining (§6.1.3 (a)(4), §7.1)',
    rows: [
      ['4.3.1', false, 'GoodCACert InvalidNameChainingTest1EE'],
      ['4.3.2', false, 'NameOrderingCACert InvalidNameChainingOrderTest2EE'],
      ['4.3.3', true, 'GoodCACert ValidNameChainingWhitespaceTest3EE'],
      ['4.3.4', true, 'GoodCACert ValidNameChainingWhitespaceTest4EE'],
      ['4.3.5', true, 'GoodCACert ValidNameChainingCapitalizationTest5EE'],
      ['4.3.6', true, 'UIDCACert ValidNameUIDsTest6EE'],
      ['4.3.7', true, 'RFC3280MandatoryAttributeTypesCACert ValidRFC3280MandatoryAttributeTypesTest7EE'],
      ['4.3.8', true, 'RFC3280OptionalAttributeTypesCACert ValidRFC3280OptionalAttributeTypesTest8EE'],
      ['4.3.9', true, 'UTF8StringEncodedNamesCACert ValidUTF8StringEncodedNamesTest9EE'],
      ['4.3.10', true, 'RolloverfromPrintableStringtoUTF8StringCACert ValidRolloverfromPrintableStringtoUTF8StringTest10EE'],
      ['4.3.11', true, 'UTF8StringCaseInsensitiveMatchCACert ValidUTF8StringCaseInsensitiveMatchTest11EE'],
    ],
  },
  {
    about: '4.4 revocation lists (§6.1.3 (a)(3), §6.3)',
    rows: [
      ['4.4.1', false, 'NoCRLCACert InvalidMissingCRLTest1EE'],
      ['4.4.2', false, 'GoodCACert RevokedsubCACert InvalidRevokedCATest2EE'],
      ['4.4.3', false, 'GoodCACert InvalidRevokedEETest3EE'],
      ['4.4.4', false, 'BadCRLSignatureCACert InvalidBadCRLSignatureTest4EE'],
      ['4.4.5', false, 'BadCRLIssuerNameCACert InvalidBadCRLIssuerNameTest5EE'],
      ['4.4.6', false, 'WrongCRLCACert InvalidWrongCRLTest6EE'],
      ['4.4.7', true, 'TwoCRLsCACert ValidTwoCRLsTest7EE'],
      ['4.4.8', false, 'UnknownCRLEntryExtensionCACert InvalidUnknownCRLEntryExtensionTest8EE'],
      ['4.4.9', false, 'UnknownCRLExtensionCACert InvalidUnknownCRLExtensionTest9EE'],
      ['4.4.10', false, 'UnknownCRLExtensionCACert InvalidUnknownCRLExtensionTest10EE'],
      ['4.4.11', false, 'OldCRLnextUpdateCACert InvalidOldCRLnextUpdateTest11EE'],
      ['4.4.12', false, 'pre2000CRLnextUpdateCACert Invalidpre2000CRLnextUpdateTest12EE'],
      ['4.4.13', true, 'GeneralizedTimeCRLnextUpdateCACert ValidGeneralizedTimeCRLnextUpdateTest13EE'],
      ['4.4.14', true, 'NegativeSerialNumberCACert ValidNegativeSerialNumberTest14EE'],
      ['4.4.15', false, 'NegativeSerialNumberCACert InvalidNegativeSerialNumberTest15EE'],
      ['4.4.16', true, 'LongSerialNumberCACert ValidLongSerialNumberTest16EE'],
      ['4.4.17', true, 'LongSerialNumberCACert ValidLongSerialNumberTest17EE'],
      ['4.4.18', false, 'LongSerialNumberCACert InvalidLongSerialNumberTest18EE'],
      ['4.4.19', true, 'SeparateCertificateandCRLKeysCertificateSigningCACert ValidSeparateCertificateandCRLKeysTest19EE'],
      ['4.4.20', false, 'SeparateCertificateandCRLKeysCertificateSigningCACert InvalidSeparateCertificateandCRLKeysTest20EE'],
      ['4.4.21', false, 'SeparateCertificateandCRLKeysCA2CertificateSigningCACert InvalidSeparateCertificateandCRLKeysTest21EE'],
    ],
  },
  {
    about: '4.5 self-issued certificates (§6.1, §6.3)',
    rows: [
      ['4.5.1', true, 'BasicSelfIssuedNewKeyCACert BasicSelfIssuedNewKeyOldWithNewCACert ValidBasicSelfIssuedOldWithNewTest1EE'],
      ['4.5.2', false, 'BasicSelfIssuedNewKeyCACert BasicSelfIssuedNewKeyOldWithNewCACert InvalidBasicSelfIssuedOldWithNewTest2EE'],
      ['4.5.3', true, 'BasicSelfIssuedOldKeyCACert BasicSelfIssuedOldKeyNewWithOldCACert ValidBasicSelfIssuedNewWithOldTest3EE'],
      ['4.5.4', true, 'BasicSelfIssuedOldKeyCACert ValidBasicSelfIssuedNewWithOldTest4EE'],
      ['4.5.5', false, 'BasicSelfIssuedOldKeyCACert InvalidBasicSelfIssuedNewWithOldTest5EE'],
      ['4.5.6', true, 'BasicSelfIssuedCRLSigningKeyCACert ValidBasicSelfIssuedCRLSigningKeyTest6EE'],
      ['4.5.7', false, 'BasicSelfIssuedCRLSigningKeyCACert InvalidBasicSelfIssuedCRLSigningKeyTest7EE'],
      ['4.5.8', false, 'BasicSelfIssuedCRLSigningKeyCACert BasicSelfIssuedCRLSigningKeyCRLCert InvalidBasicSelfIssuedCRLSigningKeyTest8EE'],
    ],
  },
  {
    about: '4.6 basic constraints (§6.1.4 (k) to (m))',
    rows: [
      ['4.6.1', false, 'MissingbasicConstraintsCACert InvalidMissingbasicConstraintsTest1EE'],
      ['4.6.2', false, 'basicConstraintsCriticalcAFalseCACert InvalidcAFalseTest2EE'],
      ['4.6.3', false, 'basicConstraintsNotCriticalcAFalseCACert InvalidcAFalseTest3EE'],
      ['4.6.4', true, 'basicConstraintsNotCriticalCACert ValidbasicConstraintsNotCriticalTest4EE'],
      ['4.6.5', false, 'pathLenConstraint0CACert pathLenConstraint0subCACert InvalidpathLenConstraintTest5EE'],
      ['4.6.6', false, 'pathLenConstraint0CACert pathLenConstraint0subCACert InvalidpathLenConstraintTest6EE'],
      ['4.6.7', true, 'pathLenConstraint0CACert ValidpathLenConstraintTest7EE'],
      ['4.6.8', true, 'pathLenConstraint0CACert ValidpathLenConstraintTest8EE'],
      ['4.6.9', false, 'pathLenConstraint6CACert pathLenConstraint6subCA0Cert pathLenConstraint6subsubCA00Cert InvalidpathLenConstraintTest9EE'],
      ['4.6.10', false, 'pathLenConstraint6CACert pathLenConstraint6subCA0Cert pathLenConstraint6subsubCA00Cert InvalidpathLenConstraintTest10EE'],
      ['4.6.11', false, 'pathLenConstraint6CACert pathLenConstraint6subCA1Cert pathLenConstraint6subsubCA11Cert pathLenConstraint6subsubsubCA11XCert InvalidpathLenConstraintTest11EE'],
      ['4.6.12', false, 'pathLenConstraint6CACert pathLenConstraint6subCA1Cert pathLenConstraint6subsubCA11Cert pathLenConstraint6subsubsubCA11XCert InvalidpathLenConstraintTest12EE'],
      ['4.6.13', true, 'pathLenConstraint6CACert pathLenConstraint6subCA4Cert pathLenConstraint6subsubCA41Cert pathLenConstraint6subsubsubCA41XCert ValidpathLenConstraintTest13EE'],
      ['4.6.14', true, 'pathLenConstraint6CACert pathLenConstraint6subCA4Cert pathLenConstraint6subsubCA41Cert pathLenConstraint6subsubsubCA41XCert ValidpathLenConstraintTest14EE'],
      ['4.6.15', true, 'pathLenConstraint0CACert pathLenConstraint0SelfIssuedCACert ValidSelfIssuedpathLenConstraintTest15EE'],
      ['4.6.16', false, 'pathLenConstraint0CACert pathLenConstraint0SelfIssuedCACert pathLenConstraint0subCA2Cert InvalidSelfIssuedpathLenConstraintTest16EE'],
      ['4.6.17', true, 'pathLenConstraint1CACert pathLenConstraint1SelfIssuedCACert pathLenConstraint1subCACert pathLenConstraint1SelfIssuedsubCACert ValidSelfIssuedpathLenConstraintTest17EE'],
    ],
  },
  {
    about: '4.7 key usage (§6.1.4 (n), §6.3.3 (f))',
    rows: [
      ['4.7.1', false, 'keyUsageCriticalkeyCertSignFalseCACert InvalidkeyUsageCriticalkeyCertSignFalseTest1EE'],
      ['4.7.2', false, 'keyUsageNotCriticalkeyCertSignFalseCACert InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE'],
      ['4.7.3', true, 'keyUsageNotCriticalCACert ValidkeyUsageNotCriticalTest3EE'],
      ['4.7.4', false, 'keyUsageCriticalcRLSignFalseCACert InvalidkeyUsageCriticalcRLSignFalseTest4EE'],
      ['4.7.5', false, 'keyUsageNotCriticalcRLSignFalseCACert InvalidkeyUsageNotCriticalcRLSignFalseTest5EE'],
    ],
  },
  {
    about: '4.8 certificate policies (§6.1.3 (d) to (f))',
    rows: [
      ['4.8.1.1', true, 'GoodCACert ValidCertificatePathTest1EE', { explicit: true, result: [1] }],
      ['4.8.1.2', true, 'GoodCACert ValidCertificatePathTest1EE', { policies: [1], explicit: true, result: [1] }],
      ['4.8.1.3', false, 'GoodCACert ValidCertificatePathTest1EE', { policies: [2], explicit: true }],
      ['4.8.1.4', true, 'GoodCACert ValidCertificatePathTest1EE', { policies: [1, 2], explicit: true, result: [1] }],
      ['4.8.2.1', true, 'NoPoliciesCACert AllCertificatesNoPoliciesTest2EE', { result: [] }],
      ['4.8.2.2', false, 'NoPoliciesCACert AllCertificatesNoPoliciesTest2EE', { explicit: true }],
      ['4.8.3.1', true, 'GoodCACert PoliciesP2subCACert DifferentPoliciesTest3EE', { result: [] }],
      ['4.8.3.2', false, 'GoodCACert PoliciesP2subCACert DifferentPoliciesTest3EE', { explicit: true }],
      ['4.8.3.3', false, 'GoodCACert PoliciesP2subCACert DifferentPoliciesTest3EE', { policies: [1, 2], explicit: true }],
      ['4.8.4', false, 'GoodCACert GoodsubCACert DifferentPoliciesTest4EE'],
      ['4.8.5', false, 'GoodCACert PoliciesP2subCA2Cert DifferentPoliciesTest5EE'],
      ['4.8.6.1', true, 'PoliciesP1234CACert PoliciesP1234subCAP123Cert PoliciesP1234subsubCAP123P12Cert OverlappingPoliciesTest6EE', { result: [1] }],
      ['4.8.6.2', true, 'PoliciesP1234CACert PoliciesP1234subCAP123Cert PoliciesP1234subsubCAP123P12Cert OverlappingPoliciesTest6EE', { policies: [1], result: [1] }],
      ['4.8.6.3', false, 'PoliciesP1234CACert PoliciesP1234subCAP123Cert PoliciesP1234subsubCAP123P12Cert OverlappingPoliciesTest6EE', { policies: [2] }],
      ['4.8.7', false, 'PoliciesP123CACert PoliciesP123subCAP12Cert PoliciesP123subsubCAP12P1Cert DifferentPoliciesTest7EE'],
      ['4.8.8', false, 'PoliciesP12CACert PoliciesP12subCAP1Cert PoliciesP12subsubCAP1P2Cert DifferentPoliciesTest8EE'],
      ['4.8.9', false, 'PoliciesP123CACert PoliciesP123subCAP12Cert PoliciesP123subsubCAP12P2Cert PoliciesP123subsubsubCAP12P2P1Cert DifferentPoliciesTest9EE'],
      ['4.8.10.1', true, 'PoliciesP12CACert AllCertificatesSamePoliciesTest10EE', { policies: [1], result: [1] }],
      ['4.8.10.2', true, 'PoliciesP12CACert AllCertificatesSamePoliciesTest10EE', { policies: [2], result: [2] }],
      ['4.8.10.3', true, 'PoliciesP12CACert AllCertificatesSamePoliciesTest10EE', { result: [1, 2] }],
      ['4.8.11.1', true, 'anyPolicyCACert AllCertificatesanyPolicyTest11EE', { result: 'any' }],
      ['4.8.11.2', true, 'anyPolicyCACert AllCertificatesanyPolicyTest11EE', { policies: [1], result: [1] }],
      ['4.8.12', false, 'PoliciesP3CACert DifferentPoliciesTest12EE'],
      ['4.8.13.1', true, 'PoliciesP123CACert AllCertificatesSamePoliciesTest13EE', { policies: [1], result: [1] }],
      ['4.8.13.2', true, 'PoliciesP123CACert AllCertificatesSamePoliciesTest13EE', { policies: [2], result: [2] }],
      ['4.8.13.3', true, 'PoliciesP123CACert AllCertificatesSamePoliciesTest13EE', { policies: [3], result: [3] }],
      ['4.8.14.1', true, 'anyPolicyCACert AnyPolicyTest14EE', { policies: [1], result: [1] }],
      ['4.8.14.2', false, 'anyPolicyCACert AnyPolicyTest14EE', { policies: [2] }],
      ['4.8.15', true, 'UserNoticeQualifierTest15EE', { result: [1] }],
      ['4.8.16', true, 'GoodCACert UserNoticeQualifierTest16EE', { result: [1] }],
      ['4.8.17', true, 'GoodCACert UserNoticeQualifierTest17EE', { result: [1] }],
      ['4.8.18.1', true, 'PoliciesP12CACert UserNoticeQualifierTest18EE', { policies: [1], result: [1] }],
      ['4.8.18.2', true, 'PoliciesP12CACert UserNoticeQualifierTest18EE', { policies: [2], result: [2] }],
      ['4.8.19', true, 'UserNoticeQualifierTest19EE', { result: [1] }],
      ['4.8.20', true, 'GoodCACert CPSPointerQualifierTest20EE', { explicit: true, result: [1] }],
    ],
  },
  {
    about: '4.9 requireExplicitPolicy (§6.1.4 (h), (i), §6.1.5)',
    rows: [
      ['4.9.1', true, 'requireExplicitPolicy10CACert requireExplicitPolicy10subCACert requireExplicitPolicy10subsubCACert requireExplicitPolicy10subsubsubCACert ValidrequireExplicitPolicyTest1EE', { result: [] }],
      ['4.9.2', true, 'requireExplicitPolicy5CACert requireExplicitPolicy5subCACert requireExplicitPolicy5subsubCACert requireExplicitPolicy5subsubsubCACert ValidrequireExplicitPolicyTest2EE', { result: [] }],
      ['4.9.3', false, 'requireExplicitPolicy4CACert requireExplicitPolicy4subCACert requireExplicitPolicy4subsubCACert requireExplicitPolicy4subsubsubCACert InvalidrequireExplicitPolicyTest3EE'],
      ['4.9.4', true, 'requireExplicitPolicy0CACert requireExplicitPolicy0subCACert requireExplicitPolicy0subsubCACert requireExplicitPolicy0subsubsubCACert ValidrequireExplicitPolicyTest4EE', { result: [1] }],
      ['4.9.5', false, 'requireExplicitPolicy7CACert requireExplicitPolicy7subCARE2Cert requireExplicitPolicy7subsubCARE2RE4Cert requireExplicitPolicy7subsubsubCARE2RE4Cert InvalidrequireExplicitPolicyTest5EE'],
      ['4.9.6', true, 'requireExplicitPolicy2CACert requireExplicitPolicy2SelfIssuedCACert ValidSelfIssuedrequireExplicitPolicyTest6EE', { result: [] }],
      ['4.9.7', false, 'requireExplicitPolicy2CACert requireExplicitPolicy2SelfIssuedCACert requireExplicitPolicy2subCACert InvalidSelfIssuedrequireExplicitPolicyTest7EE'],
      ['4.9.8', false, 'requireExplicitPolicy2CACert requireExplicitPolicy2SelfIssuedCACert requireExplicitPolicy2subCACert requireExplicitPolicy2SelfIssuedsubCACert InvalidSelfIssuedrequireExplicitPolicyTest8EE'],
    ],
  },
  {
    about: '4.10 policy mappings (§6.1.4 (a), (b))',
    rows: [
      ['4.10.1.1', true, 'Mapping1to2CACert ValidPolicyMappingTest1EE', { policies: [1], result: [1] }],
      ['4.10.1.2', false, 'Mapping1to2CACert ValidPolicyMappingTest1EE', { policies: [2] }],
      ['4.10.1.3', false, 'Mapping1to2CACert ValidPolicyMappingTest1EE', { inhibitMapping: true }],
      ['4.10.2.1', false, 'Mapping1to2CACert InvalidPolicyMappingTest2EE'],
      ['4.10.2.2', false, 'Mapping1to2CACert InvalidPolicyMappingTest2EE', { inhibitMapping: true }],
      ['4.10.3.1', false, 'P12Mapping1to3CACert P12Mapping1to3subCACert P12Mapping1to3subsubCACert ValidPolicyMappingTest3EE', { policies: [1] }],
      ['4.10.3.2', true, 'P12Mapping1to3CACert P12Mapping1to3subCACert P12Mapping1to3subsubCACert ValidPolicyMappingTest3EE', { policies: [2], result: [2] }],
      ['4.10.4', false, 'P12Mapping1to3CACert P12Mapping1to3subCACert P12Mapping1to3subsubCACert InvalidPolicyMappingTest4EE'],
      ['4.10.5.1', true, 'P1Mapping1to234CACert P1Mapping1to234subCACert ValidPolicyMappingTest5EE', { policies: [1], result: [1] }],
      ['4.10.5.2', false, 'P1Mapping1to234CACert P1Mapping1to234subCACert ValidPolicyMappingTest5EE', { policies: [6] }],
      ['4.10.6.1', true, 'P1Mapping1to234CACert P1Mapping1to234subCACert ValidPolicyMappingTest6EE', { policies: [1], result: [1] }],
      ['4.10.6.2', false, 'P1Mapping1to234CACert P1Mapping1to234subCACert ValidPolicyMappingTest6EE', { policies: [6] }],
      ['4.10.7', false, 'MappingFromanyPolicyCACert InvalidMappingFromanyPolicyTest7EE'],
      ['4.10.8', false, 'MappingToanyPolicyCACert InvalidMappingToanyPolicyTest8EE'],
      ['4.10.9', true, 'PanyPolicyMapping1to2CACert ValidPolicyMappingTest9EE', { result: [1] }],
      ['4.10.10', false, 'GoodCACert GoodsubCAPanyPolicyMapping1to2CACert InvalidPolicyMappingTest10EE'],
      ['4.10.11', true, 'GoodCACert GoodsubCAPanyPolicyMapping1to2CACert ValidPolicyMappingTest11EE', { result: [1] }],
      ['4.10.12.1', true, 'P12Mapping1to3CACert ValidPolicyMappingTest12EE', { policies: [1], result: [1] }],
      ['4.10.12.2', true, 'P12Mapping1to3CACert ValidPolicyMappingTest12EE', { policies: [2], result: [2] }],
      ['4.10.13', true, 'P1anyPolicyMapping1to2CACert ValidPolicyMappingTest13EE', { result: [1] }],
      ['4.10.14', true, 'P1anyPolicyMapping1to2CACert ValidPolicyMappingTest14EE', { result: [1] }],
    ],
  },
  {
    about: '4.11 inhibitPolicyMapping (§6.1.4 (b), (h), (i))',
    rows: [
      ['4.11.1', false, 'inhibitPolicyMapping0CACert inhibitPolicyMapping0subCACert InvalidinhibitPolicyMappingTest1EE'],
      ['4.11.2', true, 'inhibitPolicyMapping1P12CACert inhibitPolicyMapping1P12subCACert ValidinhibitPolicyMappingTest2EE', { result: [1] }],
      ['4.11.3', false, 'inhibitPolicyMapping1P12CACert inhibitPolicyMapping1P12subCACert inhibitPolicyMapping1P12subsubCACert InvalidinhibitPolicyMappingTest3EE'],
      ['4.11.4', true, 'inhibitPolicyMapping1P12CACert inhibitPolicyMapping1P12subCACert inhibitPolicyMapping1P12subsubCACert ValidinhibitPolicyMappingTest4EE', { result: [2] }],
      ['4.11.5', false, 'inhibitPolicyMapping5CACert inhibitPolicyMapping5subCACert inhibitPolicyMapping5subsubCACert inhibitPolicyMapping5subsubsubCACert InvalidinhibitPolicyMappingTest5EE'],
      ['4.11.6', false, 'inhibitPolicyMapping1P12CACert inhibitPolicyMapping1P12subCAIPM5Cert inhibitPolicyMapping1P12subsubCAIPM5Cert InvalidinhibitPolicyMappingTest6EE'],
      ['4.11.7', true, 'inhibitPolicyMapping1P1CACert inhibitPolicyMapping1P1SelfIssuedCACert inhibitPolicyMapping1P1subCACert ValidSelfIssuedinhibitPolicyMappingTest7EE', { result: [1] }],
      ['4.11.8', false, 'inhibitPolicyMapping1P1CACert inhibitPolicyMapping1P1SelfIssuedCACert inhibitPolicyMapping1P1subCACert inhibitPolicyMapping1P1subsubCACert InvalidSelfIssuedinhibitPolicyMappingTest8EE'],
      ['4.11.9', false, 'inhibitPolicyMapping1P1CACert inhibitPolicyMapping1P1SelfIssuedCACert inhibitPolicyMapping1P1subCACert inhibitPolicyMapping1P1subsubCACert InvalidSelfIssuedinhibitPolicyMappingTest9EE'],
      ['4.11.10', false, 'inhibitPolicyMapping1P1CACert inhibitPolicyMapping1P1SelfIssuedCACert inhibitPolicyMapping1P1subCACert inhibitPolicyMapping1P1SelfIssuedsubCACert InvalidSelfIssuedinhibitPolicyMappingTest10EE'],
      ['4.11.11', false, 'inhibitPolicyMapping1P1CACert inhibitPolicyMapping1P1SelfIssuedCACert inhibitPolicyMapping1P1subCACert inhibitPolicyMapping1P1SelfIssuedsubCACert InvalidSelfIssuedinhibitPolicyMappingTest11EE'],
    ],
  },
  {
    about: '4.12 inhibitAnyPolicy (§6.1.3 (d)(2), §6.1.4 (j))',
    rows: [
      ['4.12.1', false, 'inhibitAnyPolicy0CACert InvalidinhibitAnyPolicyTest1EE'],
      ['4.12.2', true, 'inhibitAnyPolicy0CACert ValidinhibitAnyPolicyTest2EE', { result: [1] }],
      ['4.12.3.1', true, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1subCA1Cert inhibitAnyPolicyTest3EE', { result: [1] }],
      ['4.12.3.2', false, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1subCA1Cert inhibitAnyPolicyTest3EE', { inhibitAny: true }],
      ['4.12.4', false, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1subCA1Cert InvalidinhibitAnyPolicyTest4EE'],
      ['4.12.5', false, 'inhibitAnyPolicy5CACert inhibitAnyPolicy5subCACert inhibitAnyPolicy5subsubCACert InvalidinhibitAnyPolicyTest5EE'],
      ['4.12.6', false, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1subCAIAP5Cert InvalidinhibitAnyPolicyTest6EE'],
      ['4.12.7', true, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1SelfIssuedCACert inhibitAnyPolicy1subCA2Cert ValidSelfIssuedinhibitAnyPolicyTest7EE'],
      ['4.12.8', false, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1SelfIssuedCACert inhibitAnyPolicy1subCA2Cert inhibitAnyPolicy1subsubCA2Cert InvalidSelfIssuedinhibitAnyPolicyTest8EE'],
      ['4.12.9', true, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1SelfIssuedCACert inhibitAnyPolicy1subCA2Cert inhibitAnyPolicy1SelfIssuedsubCA2Cert ValidSelfIssuedinhibitAnyPolicyTest9EE'],
      ['4.12.10', false, 'inhibitAnyPolicy1CACert inhibitAnyPolicy1SelfIssuedCACert inhibitAnyPolicy1subCA2Cert InvalidSelfIssuedinhibitAnyPolicyTest10EE'],
    ],
  },
  {
    about: '4.13 name constraints (§6.1.3 (b), (c))',
    rows: [
      ['4.13.1', true, 'nameConstraintsDN1CACert ValidDNnameConstraintsTest1EE'],
      ['4.13.2', false, 'nameConstraintsDN1CACert InvalidDNnameConstraintsTest2EE'],
      ['4.13.3', false, 'nameConstraintsDN1CACert InvalidDNnameConstraintsTest3EE'],
      ['4.13.4', true, 'nameConstraintsDN1CACert ValidDNnameConstraintsTest4EE'],
      ['4.13.5', true, 'nameConstraintsDN2CACert ValidDNnameConstraintsTest5EE'],
      ['4.13.6', true, 'nameConstraintsDN3CACert ValidDNnameConstraintsTest6EE'],
      ['4.13.7', false, 'nameConstraintsDN3CACert InvalidDNnameConstraintsTest7EE'],
      ['4.13.8', false, 'nameConstraintsDN4CACert InvalidDNnameConstraintsTest8EE'],
      ['4.13.9', false, 'nameConstraintsDN4CACert InvalidDNnameConstraintsTest9EE'],
      ['4.13.10', false, 'nameConstraintsDN5CACert InvalidDNnameConstraintsTest10EE'],
      ['4.13.11', true, 'nameConstraintsDN5CACert ValidDNnameConstraintsTest11EE'],
      ['4.13.12', false, 'nameConstraintsDN1CACert nameConstraintsDN1subCA1Cert InvalidDNnameConstraintsTest12EE'],
      ['4.13.13', false, 'nameConstraintsDN1CACert nameConstraintsDN1subCA2Cert InvalidDNnameConstraintsTest13EE'],
      ['4.13.14', true, 'nameConstraintsDN1CACert nameConstraintsDN1subCA2Cert ValidDNnameConstraintsTest14EE'],
      ['4.13.15', false, 'nameConstraintsDN3CACert nameConstraintsDN3subCA1Cert InvalidDNnameConstraintsTest15EE'],
      ['4.13.16', false, 'nameConstraintsDN3CACert nameConstraintsDN3subCA1Cert InvalidDNnameConstraintsTest16EE'],
      ['4.13.17', false, 'nameConstraintsDN3CACert nameConstraintsDN3subCA2Cert InvalidDNnameConstraintsTest17EE'],
      ['4.13.18', true, 'nameConstraintsDN3CACert nameConstraintsDN3subCA2Cert ValidDNnameConstraintsTest18EE'],
      ['4.13.19', true, 'nameConstraintsDN1CACert nameConstraintsDN1SelfIssuedCACert ValidDNnameConstraintsTest19EE'],
      ['4.13.20', false, 'nameConstraintsDN1CACert InvalidDNnameConstraintsTest20EE'],
      ['4.13.21', true, 'nameConstraintsRFC822CA1Cert ValidRFC822nameConstraintsTest21EE'],
      ['4.13.22', false, 'nameConstraintsRFC822CA1Cert InvalidRFC822nameConstraintsTest22EE'],
      ['4.13.23', true, 'nameConstraintsRFC822CA2Cert ValidRFC822nameConstraintsTest23EE'],
      ['4.13.24', false, 'nameConstraintsRFC822CA2Cert InvalidRFC822nameConstraintsTest24EE'],
      ['4.13.25', true, 'nameConstraintsRFC822CA3Cert ValidRFC822nameConstraintsTest25EE'],
      ['4.13.26', false, 'nameConstraintsRFC822CA3Cert InvalidRFC822nameConstraintsTest26EE'],
      ['4.13.27', true, 'nameConstraintsDN1CACert nameConstraintsDN1subCA3Cert ValidDNandRFC822nameConstraintsTest27EE'],
      ['4.13.28', false, 'nameConstraintsDN1CACert nameConstraintsDN1subCA3Cert InvalidDNandRFC822nameConstraintsTest28EE'],
      ['4.13.29', false, 'nameConstraintsDN1CACert nameConstraintsDN1subCA3Cert InvalidDNandRFC822nameConstraintsTest29EE'],
      ['4.13.30', true, 'nameConstraintsDNS1CACert ValidDNSnameConstraintsTest30EE'],
      ['4.13.31', false, 'nameConstraintsDNS1CACert InvalidDNSnameConstraintsTest31EE'],
      ['4.13.32', true, 'nameConstraintsDNS2CACert ValidDNSnameConstraintsTest32EE'],
      ['4.13.33', false, 'nameConstraintsDNS2CACert InvalidDNSnameConstraintsTest33EE'],
      ['4.13.34', true, 'nameConstraintsURI1CACert ValidURInameConstraintsTest34EE'],
      ['4.13.35', false, 'nameConstraintsURI1CACert InvalidURInameConstraintsTest35EE'],
      ['4.13.36', true, 'nameConstraintsURI2CACert ValidURInameConstraintsTest36EE'],
      ['4.13.37', false, 'nameConstraintsURI2CACert InvalidURInameConstraintsTest37EE'],
      ['4.13.38', false, 'nameConstraintsDNS1CACert InvalidDNSnameConstraintsTest38EE'],
    ],
  },
  {
    about: '4.14 distribution points (§6.3.3)',
    rows: [
      ['4.14.1', true, 'distributionPoint1CACert ValiddistributionPointTest1EE'],
      ['4.14.2', false, 'distributionPoint1CACert InvaliddistributionPointTest2EE'],
      ['4.14.3', false, 'distributionPoint1CACert InvaliddistributionPointTest3EE'],
      ['4.14.4', true, 'distributionPoint1CACert ValiddistributionPointTest4EE'],
      ['4.14.5', true, 'distributionPoint2CACert ValiddistributionPointTest5EE'],
      ['4.14.6', false, 'distributionPoint2CACert InvaliddistributionPointTest6EE'],
      ['4.14.7', true, 'distributionPoint2CACert ValiddistributionPointTest7EE'],
      ['4.14.8', false, 'distributionPoint2CACert InvaliddistributionPointTest8EE'],
      ['4.14.9', false, 'distributionPoint2CACert InvaliddistributionPointTest9EE'],
      ['4.14.10', true, 'NoissuingDistributionPointCACert ValidNoissuingDistributionPointTest10EE'],
      ['4.14.11', false, 'onlyContainsUserCertsCACert InvalidonlyContainsUserCertsTest11EE'],
      ['4.14.12', false, 'onlyContainsCACertsCACert InvalidonlyContainsCACertsTest12EE'],
      ['4.14.13', true, 'onlyContainsCACertsCACert ValidonlyContainsCACertsTest13EE'],
      ['4.14.14', false, 'onlyContainsAttributeCertsCACert InvalidonlyContainsAttributeCertsTest14EE'],
      ['4.14.15', false, 'onlySomeReasonsCA1Cert InvalidonlySomeReasonsTest15EE'],
      ['4.14.16', false, 'onlySomeReasonsCA1Cert InvalidonlySomeReasonsTest16EE'],
      ['4.14.17', false, 'onlySomeReasonsCA2Cert InvalidonlySomeReasonsTest17EE'],
      ['4.14.18', true, 'onlySomeReasonsCA3Cert ValidonlySomeReasonsTest18EE'],
      ['4.14.19', true, 'onlySomeReasonsCA4Cert ValidonlySomeReasonsTest19EE'],
      ['4.14.20', false, 'onlySomeReasonsCA4Cert InvalidonlySomeReasonsTest20EE'],
      ['4.14.21', false, 'onlySomeReasonsCA4Cert InvalidonlySomeReasonsTest21EE'],
      ['4.14.22', true, 'indirectCRLCA1Cert ValidIDPwithindirectCRLTest22EE'],
      ['4.14.23', false, 'indirectCRLCA1Cert InvalidIDPwithindirectCRLTest23EE'],
      ['4.14.24', true, 'indirectCRLCA2Cert ValidIDPwithindirectCRLTest24EE'],
      ['4.14.25', true, 'indirectCRLCA2Cert ValidIDPwithindirectCRLTest25EE'],
      ['4.14.26', false, 'indirectCRLCA2Cert InvalidIDPwithindirectCRLTest26EE'],
      ['4.14.27', false, 'indirectCRLCA2Cert InvalidcRLIssuerTest27EE'],
      ['4.14.28', true, 'indirectCRLCA3Cert ValidcRLIssuerTest28EE'],
      ['4.14.29', true, 'indirectCRLCA3Cert ValidcRLIssuerTest29EE'],
      ['4.14.30', true, 'indirectCRLCA4Cert ValidcRLIssuerTest30EE'],
      ['4.14.31', false, 'indirectCRLCA6Cert InvalidcRLIssuerTest31EE'],
      ['4.14.32', false, 'indirectCRLCA6Cert InvalidcRLIssuerTest32EE'],
      ['4.14.33', true, 'indirectCRLCA6Cert ValidcRLIssuerTest33EE'],
      ['4.14.34', false, 'indirectCRLCA5Cert InvalidcRLIssuerTest34EE'],
      ['4.14.35', false, 'indirectCRLCA5Cert InvalidcRLIssuerTest35EE'],
    ],
  },
  {
    about: '4.15 delta lists (§6.3.3 (c))',
    rows: [
      ['4.15.1', false, 'deltaCRLIndicatorNoBaseCACert InvaliddeltaCRLIndicatorNoBaseTest1EE'],
      ['4.15.2', true, 'deltaCRLCA1Cert ValiddeltaCRLTest2EE'],
      ['4.15.3', false, 'deltaCRLCA1Cert InvaliddeltaCRLTest3EE'],
      ['4.15.4', false, 'deltaCRLCA1Cert InvaliddeltaCRLTest4EE'],
      ['4.15.5', true, 'deltaCRLCA1Cert ValiddeltaCRLTest5EE'],
      ['4.15.6', false, 'deltaCRLCA1Cert InvaliddeltaCRLTest6EE'],
      ['4.15.7', true, 'deltaCRLCA1Cert ValiddeltaCRLTest7EE'],
      ['4.15.8', true, 'deltaCRLCA2Cert ValiddeltaCRLTest8EE'],
      ['4.15.9', false, 'deltaCRLCA2Cert InvaliddeltaCRLTest9EE'],
      ['4.15.10', false, 'deltaCRLCA3Cert InvaliddeltaCRLTest10EE'],
    ],
  },
  {
    about: '4.16 extensions that are not known (§6.1.5 (f))',
    rows: [
      ['4.16.1', true, 'ValidUnknownNotCriticalCertificateExtensionTest1EE'],
      ['4.16.2', false, 'InvalidUnknownCriticalCertificateExtensionTest2EE'],
    ],
  },
];

export const PKITS_CASES: readonly PkitsCase[] = SECTIONS.flatMap(({ about, rows }) =>
  rows.map(([id, valid, chain, settings = {}]) => ({ id, valid, chain: chain.split(' '), about, settings })),
);
