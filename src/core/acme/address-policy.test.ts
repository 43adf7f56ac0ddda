import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../x509/ip-address.ts';
import { AddressRangeError, addressPolicy, judgeAddress } from './address-policy.ts';

/** [address, allow, deny, why it is denied or null] */
type Row = readonly [address: string, allow: string, deny: string, why: string | null];

const DEFAULT: readonly (readonly [string, string | null])[] = [
  ['127.0.0.1', null],
  ['127.255.255.254', null],
  ['10.0.0.1', null],
  ['172.16.9.9', null],
  ['192.168.1.1', null],
  ['100.64.0.1', null],
  ['240.0.0.1', null],
  ['8.8.8.8', null],
  ['::1', null],
  ['fd00::2', null],
  ['fd00:ec2::253', null],
  ['2001:db8::1', null],
  ['::ffff:10.0.0.1', null],
  ['64:ff9b::8.8.8.8', null],
  ['64:ff9b:1::8.8.8.8', null],
  ['64:ff9b:1:808:8:800::', null],
  ['2002:808:808::1', null],
  ['0.0.0.0', 'is the unspecified network; validation never goes there'],
  ['0.1.2.3', 'is the unspecified network; validation never goes there'],
  ['169.254.169.254', 'is link-local, where clouds serve credentials; validation never goes there'],
  ['169.254.0.1', 'is link-local, where clouds serve credentials; validation never goes there'],
  ['100.100.100.200', 'is the metadata service of a cloud; validation never goes there'],
  ['168.63.129.16', 'is the metadata service of a cloud; validation never goes there'],
  ['192.0.0.192', 'is the metadata service of a cloud; validation never goes there'],
  ['224.0.0.1', 'is multicast; validation never goes there'],
  ['239.255.255.255', 'is multicast; validation never goes there'],
  ['255.255.255.255', 'is broadcast; validation never goes there'],
  ['::', 'is the unspecified address; validation never goes there'],
  ['fe80::1', 'is link-local; validation never goes there'],
  ['febf:ffff::1', 'is link-local; validation never goes there'],
  ['fd00:ec2::254', 'is the metadata service of a cloud; validation never goes there'],
  ['fd20:ce::254', 'is the metadata service of a cloud; validation never goes there'],
  ['ff02::1', 'is multicast; validation never goes there'],
  [
    '::ffff:169.254.169.254',
    'carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there',
  ],
  ['::ffff:0.0.0.0', 'carries 0.0.0.0, which is the unspecified network; validation never goes there'],
  [
    '::169.254.169.254',
    'carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there',
  ],
  [
    '64:ff9b::169.254.169.254',
    'carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there',
  ],
  [
    '64:ff9b:1::169.254.169.254',
    'carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there',
  ],
  [
    '64:ff9b:1:a9fe:a9:fe00::',
    'carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there',
  ],
  [
    '2002:a9fe:a9fe::1',
    'carries 169.254.169.254, which is link-local, where clouds serve credentials; validation never goes there',
  ],
  ['2002:e000:1::', 'carries 224.0.0.1, which is multicast; validation never goes there'],
];

const CONFIGURED: readonly Row[] = [
  ['10.1.2.3', '', '10.0.0.0/8', "is in 10.0.0.0/8, which this authority's configuration denies"],
  [
    '::ffff:10.1.2.3',
    '',
    '10.0.0.0/8',
    "carries 10.1.2.3, which is in 10.0.0.0/8, which this authority's configuration denies",
  ],
  [
    '64:ff9b::10.1.2.3',
    '',
    '10.0.0.0/8',
    "carries 10.1.2.3, which is in 10.0.0.0/8, which this authority's configuration denies",
  ],
  ['fd12::1', '', '10.0.0.0/8 fd00::/8', "is in fd00::/8, which this authority's configuration denies"],
  ['11.0.0.1', '', '10.0.0.0/8', null],
  ['10.1.2.3', '10.0.0.0/8', '', null],
  ['::ffff:10.1.2.3', '10.0.0.0/8', '', null],
  ['192.168.0.1', '10.0.0.0/8 192.168.0.1', '', null],
  ['192.168.0.2', '10.0.0.0/8 192.168.0.1', '', "is in none of the ranges that this authority's configuration allows"],
  ['2001:db8::1', '0.0.0.0/0', '', "is in none of the ranges that this authority's configuration allows"],
  ['64:ff9b::10.1.2.3', '10.0.0.0/8', '', "is in none of the ranges that this authority's configuration allows"],
  ['10.9.0.1', '10.0.0.0/8', '10.9.0.0/16', "is in 10.9.0.0/16, which this authority's configuration denies"],
  ['169.254.169.254', '0.0.0.0/0', '', 'is link-local, where clouds serve credentials; validation never goes there'],
  ['fe80::1', 'fe80::/10', '', 'is link-local; validation never goes there'],
];

test('loopback, private and public addresses are reached; metadata, link-local and many-host addresses never are', () => {
  for (const [address, why] of DEFAULT) assert.equal(verdict(address, '', ''), why, address);
});

test('configured ranges narrow what is reached and never widen it', () => {
  for (const [address, allow, deny, why] of CONFIGURED) {
    assert.equal(verdict(address, allow, deny), why, `${address} allow ${allow} deny ${deny}`);
  }
});

test('a range that cannot be read is refused by name', () => {
  for (const text of ['', '10.0.0.0/33', '10.0.0.1/8', 'example.org', '10.0.0.0/8/8', '010.0.0.0/8', 'fe80::1%eth0']) {
    assert.throws(
      () => addressPolicy({ allow: [], deny: ['192.0.2.0/24', text] }),
      (error) =>
        error instanceof AddressRangeError && error.text === text && error.message.includes(JSON.stringify(text)),
      text,
    );
  }
});

function verdict(text: string, allow: string, deny: string): string | null {
  const address = parseIpAddress(text);
  assert.ok(address !== null, text);
  const ranges = (list: string): string[] => list.split(' ').filter((range) => range !== '');
  const judged = judgeAddress(addressPolicy({ allow: ranges(allow), deny: ranges(deny) }), address);
  return judged.kind === 'allowed' ? null : judged.why;
}
