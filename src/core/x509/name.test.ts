import assert from 'node:assert/strict';
import test from 'node:test';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { DerError } from '../asn1/der-reader.ts';
import {
  bitString,
  ia5String,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tlv,
  utf8String,
} from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import {
  checkNameAttributes,
  commonNames,
  emailAddresses,
  encodeName,
  formatName,
  isNamePrefix,
  type NameAttributes,
  namesEqual,
  parseName,
} from './name.ts';

const CN = '2.5.4.3';
const O = '2.5.4.10';
const OU = '2.5.4.11';
const DC = '0.9.2342.19200300.100.1.25';
const UID = '0.9.2342.19200300.100.1.1';

function attribute(type: string, value: Uint8Array): Uint8Array {
  return sequence(oid(type), value);
}

function rdn(type: string, value: string): Uint8Array {
  return setOf(attribute(type, utf8String(value)));
}

const TEXTS: readonly [what: string, der: Uint8Array, text: string][] = [
  [
    'RFC 4514 §4, first example',
    sequence(rdn(DC, 'net'), rdn(DC, 'example'), rdn(UID, 'jsmith')),
    'UID=jsmith,DC=example,DC=net',
  ],
  [
    'RFC 4514 §4, a multi-valued RDN',
    sequence(
      rdn(DC, 'net'),
      rdn(DC, 'example'),
      setOf(attribute(CN, utf8String('J.  Smith')), attribute(OU, utf8String('Sales'))),
    ),
    'OU=Sales+CN=J.  Smith,DC=example,DC=net',
  ],
  ['RFC 4514 §4, quotation marks', sequence(rdn(CN, 'James "Jim" Smith, III')), 'CN=James \\"Jim\\" Smith\\, III'],
  ['RFC 4514 §4, a carriage return', sequence(rdn(CN, 'Before\rAfter')), 'CN=Before\\0dAfter'],
  [
    'RFC 4514 §4, an octet string under an unknown type',
    sequence(setOf(attribute('1.3.6.1.4.1.1466.0', octetString(hex('4869'))))),
    '1.3.6.1.4.1.1466.0=#04024869',
  ],
  ['RFC 4514 §2.4, spaces at the ends', sequence(rdn(CN, ' a b ')), 'CN=\\ a b\\ '],
  ['RFC 4514 §2.4, a number sign', sequence(rdn(CN, '#1')), 'CN=\\#1'],
  ['RFC 4514 §2.4, a single space', sequence(rdn(CN, ' ')), 'CN=\\ '],
  ['RFC 4514 §2.4, a backslash before the last space', sequence(rdn(CN, 'a\\ ')), 'CN=a\\\\\\ '],
  ['letters outside ASCII stay', sequence(rdn(CN, 'Lučić')), 'CN=Lučić'],
  ['the empty name', sequence(), ''],
];

for (const [what, der, text] of TEXTS) {
  test(`${what}: ${text}`, () => assert.equal(formatName(parseName(der)), text));
}

const STRINGS: readonly [what: string, value: Uint8Array, text: string][] = [
  ['UTF8String', utf8String('é'), 'é'],
  ['PrintableString', printableString('a'), 'a'],
  ['IA5String', ia5String('a@b'), 'a@b'],
  ['T61String as Latin-1', tlv(TAG.T61_STRING, hex('e9')), 'é'],
  ['BMPString', tlv(TAG.BMP_STRING, hex('20ac')), '€'],
  ['BIT STRING as hex', bitString(hex('01')), '#03020001'],
];

for (const [what, value, text] of STRINGS) {
  test(`an attribute may be a ${what}`, () => {
    assert.deepEqual(commonNames(parseName(sequence(setOf(attribute(CN, value))))), [text]);
  });
}

const MALFORMED: readonly [what: string, der: Uint8Array][] = [
  ['an empty RDN', sequence(setOf())],
  ['an RDN that is no SET', sequence(attribute(CN, utf8String('a')))],
  ['an attribute without a value', sequence(setOf(sequence(oid(CN))))],
  ['an attribute with two values', sequence(setOf(sequence(oid(CN), utf8String('a'), utf8String('b'))))],
  ['a string that is not UTF-8', sequence(setOf(attribute(CN, tlv(TAG.UTF8_STRING, hex('ff')))))],
  ['a name that is no SEQUENCE', setOf()],
];

for (const [what, der] of MALFORMED) {
  test(`${what} is refused`, () => assert.throws(() => parseName(der), DerError));
}

test('a name is encoded from large to small, country as PrintableString, the rest as UTF8String (RFC 5280 appendix A)', () => {
  const der = encodeName({ commonName: 'Root', organization: 'Ex', country: 'DE', organizationalUnit: 'Ops' });
  assert.equal(
    Buffer.from(der).toString('hex'),
    '3037310b3009060355040613024445310b3009060355040a0c024578310c300a060355040b0c034f7073310d300b06035504030c04526f6f74',
  );
  assert.equal(formatName(parseName(der)), 'CN=Root,OU=Ops,O=Ex,C=DE');
});

const REFUSED: readonly [attributes: NameAttributes, why: RegExp][] = [
  [{ commonName: '' }, /commonName is empty/],
  [{ commonName: 'a'.repeat(65) }, /commonName has 65 characters; at most 64/],
  [{ organization: 'a'.repeat(65) }, /at most 64/],
  [{ locality: 'a'.repeat(129) }, /at most 128/],
  [{ country: 'DEU' }, /at most 2/],
  [{ country: 'de' }, /two capital letters/],
  [{ commonName: 'a\0b' }, /cannot be printed/],
  [{ commonName: 'a\ud800' }, /cannot be printed/],
  [{ serialNumber: 'a*b' }, /PrintableString/],
];

for (const [attributes, why] of REFUSED) {
  test(`the subject ${JSON.stringify(attributes).slice(0, 40)} is refused`, () => {
    assert.match(checkNameAttributes(attributes) ?? '', why);
  });
}

test('64 characters outside ASCII are a common name', () =>
  assert.equal(checkNameAttributes({ commonName: 'é'.repeat(64) }), null));

const EQUALITY: readonly [a: Uint8Array, b: Uint8Array, equal: boolean][] = [
  [sequence(rdn(CN, 'Test')), sequence(rdn(CN, 'test')), true],
  [sequence(rdn(CN, 'Test  CA')), sequence(rdn(CN, ' test ca ')), true],
  [sequence(rdn(CN, 'Test')), sequence(setOf(attribute(CN, printableString('Test')))), true],
  [sequence(rdn(CN, 'Test')), sequence(rdn(O, 'Test')), false],
  [sequence(rdn(CN, 'a'), rdn(O, 'b')), sequence(rdn(O, 'b'), rdn(CN, 'a')), false],
  [sequence(rdn(CN, 'a')), sequence(rdn(CN, 'a'), rdn(CN, 'a')), false],
  [sequence(), sequence(), true],
];

for (const [a, b, equal] of EQUALITY) {
  test(`${formatName(parseName(a)) || 'the empty name'} and ${formatName(parseName(b)) || 'the empty name'} are ${equal ? 'equal' : 'different'} (RFC 5280 §7.1)`, () => {
    assert.equal(namesEqual(parseName(a), parseName(b)), equal);
    assert.equal(namesEqual(parseName(b), parseName(a)), equal);
  });
}

test('a name lies below its own beginning (RFC 5280 §4.2.1.10)', () => {
  const name = parseName(sequence(rdn(DC, 'net'), rdn(DC, 'example'), rdn(CN, 'a')));
  assert.equal(isNamePrefix(parseName(sequence(rdn(DC, 'net'))), name), true);
  assert.equal(isNamePrefix(parseName(sequence()), name), true);
  assert.equal(isNamePrefix(parseName(sequence(rdn(DC, 'example'))), name), false);
  assert.equal(isNamePrefix(name, parseName(sequence(rdn(DC, 'net')))), false);
});

test('the legacy e-mail address of a subject is found', () => {
  const name = parseName(sequence(setOf(attribute('1.2.840.113549.1.9.1', ia5String('a@example.com')))));
  assert.deepEqual(emailAddresses(name), ['a@example.com']);
  assert.equal(formatName(name), 'emailAddress=a@example.com');
});
