import assert from 'node:assert/strict';
import test from 'node:test';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { DerError, readDer } from '../asn1/der-reader.ts';
import { encodeGeneralName, formatGeneralName, generalNamesEqual, readGeneralName } from './general-name.ts';

const NAMES: readonly [what: string, der: string, kind: string, text: string][] = [
  ['dNSName', '820b6578616d706c652e636f6d', 'dns', 'example.com'],
  ['rfc822Name', '81056140622e63', 'email', 'a@b.c'],
  ['uniformResourceIdentifier', '860675726e3a613a', 'uri', 'urn:a:'],
  ['iPAddress of 4 octets', '8704c0000201', 'ip', '192.0.2.1'],
  ['iPAddress of 16 octets', '871020010db8000000000000000000000001', 'ip', '2001:db8::1'],
  ['directoryName', 'a40f300d310b300906035504030c024142', 'directory', 'CN=AB'],
  ['otherName', 'a00a06032a0304a0030c0161', 'other', 'other:a00a06032a0304a0030c0161'],
  ['registeredID', '88032a0304', 'other', 'other:88032a0304'],
  ['ediPartyName', 'a503810161', 'other', 'other:a503810161'],
];

for (const [what, der, kind, text] of NAMES) {
  test(`${what} is read and written back (RFC 5280 §4.2.1.6)`, () => {
    const name = readGeneralName(readDer(hex(der), 'name'), 'name');
    assert.deepEqual([name.kind, formatGeneralName(name)], [kind, text]);
    assert.equal(Buffer.from(encodeGeneralName(name)).toString('hex'), der);
  });
}

for (const [what, der] of [
  ['an address of 5 octets', '8705c000020101'],
  ['an address range', '8708c0000200ffffff00'],
  ['a dNSName outside ASCII', '8202c3a9'],
  ['a constructed dNSName', 'a2020c00'],
  ['a universal tag', '0c0161'],
  ['a tag above 8', '890161'],
  ['two names inside a directoryName', 'a40430003000'],
] as const) {
  test(`${what} is refused`, () => assert.throws(() => readGeneralName(readDer(hex(der), 'name'), 'name'), DerError));
}

test('DNS names are equal without regard to case, kinds are never equal', () => {
  assert.ok(generalNamesEqual({ kind: 'dns', value: 'A.example' }, { kind: 'dns', value: 'a.EXAMPLE' }));
  assert.ok(!generalNamesEqual({ kind: 'dns', value: 'a@b' }, { kind: 'email', value: 'a@b' }));
  assert.ok(!generalNamesEqual({ kind: 'email', value: 'A@b' }, { kind: 'email', value: 'a@b' }));
});
