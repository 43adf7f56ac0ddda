/** What servers and clients say of the files of a pair, mostly when they start or reload. */
import { certain, either, likely, type MessageRow, possible } from './message-row.ts';

/** A path as programs quote it, in the sentence that complains of it. */
const FILE: readonly RegExp[] = [
  /(?:certificate(?: key| request| revocation list)?|private key|key|root certificate|CA certificates?|chain|crl) (?:file )?(?:from )?["'](?<file>[^"'\s]{1,400})["']/i,
  /Failed to load (?:private key|certificate|CA certificate\(s\))[^:]{0,20}: (?<file>\/[^\s:]{1,400})/i,
  /(?:could not open|couldn't open|cannot open|can't open|could not load|could not read|unable to read|unable to load|unable to get private key from|unable to get certificate from|use_certificate_chain_file|use_PrivateKey|BIO_new_file|fopen|CAfile:|open|for reading,?) ?[("']{0,3}(?<file>\/?[\w./@+-]{1,400}\.(?:pem|crt|cert|cer|key|p12|pfx|jks|chain|ca|crl))\b/i,
  /["'(](?<file>\/?[\w./@+-]{1,400}\.(?:pem|crt|cert|cer|key|p12|pfx|jks))["')]/i,
  /(?<file>\/[\w./@+-]{1,400}\.(?:pem|crt|cert|cer|key|p12|pfx|jks))\b/i,
];

/** A file of a pair, and no other: a path or a word that says so. */
const OF_A_PAIR = /certificate|\bcert\b|private key|\bCA\b|\.(?:pem|crt|cer|cert|key|p12|pfx|jks)\b|ssl|tls|PEM/i;

const BAD_FORMAT = [
  'no start line',
  'bad base64 decode',
  'bad end line',
  'bad magic number',
  'bad decrypt',
  'bad password read',
  'processing error while reading strings',
  'interrupted or cancelled',
  'decoder routines unsupported',
  'error 1e08010c decoder routines unsupported',
  'err ossl unsupported',
  'err ossl bad password read',
  'err ossl crypto interrupted or cancelled',
  'failed to find any pem data',
  'failed to parse private key',
  'failed to find pem block',
  'failed to find certificate pem data',
  'requires a passphrase',
  'could not read certificate from',
  'could not read private key from',
  'unable to load ssl private key from pem file',
  'no private key found in',
  'there is no valid pem certificate',
  'pem lib',
  'asn1 lib',
  'nested asn1 error',
  'wrong tag',
  'keystore was tampered with or password was incorrect',
  'keystore password was incorrect',
  'invalid keystore format',
  'no certificate or crl found',
  'unable to load certificate',
  'could not find private key',
  'no supported data to decode',
  'invalid private key',
  'base64 decode error',
];

const FROM_INTERMEDIATE = possible(
  'chain-order',
  'a file that begins with the intermediate instead of the leaf is refused with the same words',
);

export const FILE_ROWS: readonly MessageRow[] = [
  {
    says: [
      'x509 certificate routines key type mismatch',
      'x509 key type mismatch',
      'private key type does not match public key type',
    ],
    takes: FILE,
    rank: 'particular',
    ...either(certain('key-type-mismatch')),
  },
  {
    says: ['check of private key failed no certificate assigned', 'no certificate assigned'],
    takes: FILE,
    rank: 'particular',
    ...either(likely('key-type-mismatch'), possible('key-mismatch')),
  },
  {
    says: ['private key does not match the certificate public key'],
    takes: FILE,
    rank: 'particular',
    ...either(likely('key-mismatch'), FROM_INTERMEDIATE, possible('key-type-mismatch')),
  },
  {
    says: [
      'key values mismatch',
      'private key does not match',
      'do not match',
      'inconsistencies between private key and certificate loaded',
      'private key doesn t match certificate',
      'key does not match certificate',
      'keysmismatch',
      'certificate and private key do not match',
      'the provided key and certificate do not match',
      'key is for a different cert than ssl cert',
    ],
    near: /key values mismatch|key_values_mismatch|private key does(?:n't| not) match|inconsistencies between private key|key(?:s)? and .{0,120}do(?:es)? not match|private key .{0,200}do not match|key does not match certificate|different cert than|KeysMismatch/i,
    unless: /user name \(/i,
    takes: FILE,
    rank: 'particular',
    ...either(
      likely('key-mismatch'),
      possible(
        'chain-order',
        'a file that begins with the intermediate instead of the leaf is refused with the same words',
      ),
    ),
  },
  {
    says: [
      'has group or world access',
      'must be owned by the database user',
      'must be owned by the current user or root',
      'is group or world readable',
      'has insecure permissions',
    ],
    near: /key/i,
    takes: FILE,
    rank: 'particular',
    ...either({ ...certain('key-permissions'), command: 'chmod 600 {file}' }),
  },
  {
    says: ['permission denied', 'eacces', 'permissionerror'],
    near: OF_A_PAIR,
    inLine: true,
    unless: /publickey|ssh|bind\(\)|for user|database|role|route53|socket:/i,
    takes: FILE,
    rank: 'particular',
    ...either(certain('key-permissions', 'a file of the pair, or a directory on the way to it, may not be read')),
  },
  {
    says: ['no such file or directory', 'enoent', 'filenotfoundexception', 'cannot find the file specified'],
    near: OF_A_PAIR,
    inLine: true,
    unless: /\.s\.PGSQL|\.sock\b|socket|command not found|libssl/i,
    takes: FILE,
    rank: 'particular',
    ...either(certain('file-missing')),
  },
  {
    // MariaDB, whatever it is.
    says: ['unable to get private key from'],
    takes: FILE,
    rank: 'particular',
    ...either(likely('key-mismatch'), likely('file-missing'), possible('key-permissions')),
  },
  {
    // Python names the call, and not the file.
    says: ['no such file or directory'],
    near: /load_cert_chain|load_verify_locations|create_default_context|LoadX509KeyPair/,
    rank: 'particular',
    ...either(likely('file-missing')),
  },
  {
    says: ['permission denied'],
    near: /load_cert_chain|load_verify_locations|create_default_context|LoadX509KeyPair/,
    rank: 'particular',
    ...either(likely('key-permissions', 'a file of the pair, or a directory on the way to it, may not be read')),
  },
  {
    says: ['certificate present but not private key file', 'root certificate file'],
    near: /certificate present, but not private key file "(?<file>[^"]{1,400})"|root certificate file "(?<file>[^"]{1,400})" does not exist/i,
    rank: 'particular',
    ...either(certain('file-missing')),
  },
  {
    says: ['either tls ca cert file or tls ca cert dir must be specified'],
    rank: 'particular',
    ...either(likely('file-missing', 'no file of authorities is named, and what is switched on needs one')),
  },
  {
    says: ['unsupported'],
    near: /private key file "(?<file>[^"]{1,400})": unsupported/i,
    rank: 'particular',
    ...either(likely('file-unusable')),
  },
  {
    says: BAD_FORMAT,
    near: OF_A_PAIR,
    takes: FILE,
    rank: 'particular',
    ...either(likely('file-unusable')),
  },
  {
    says: [
      'unable to get certificate from',
      'could not load server certificate file',
      'could not load private key file',
      'could not load root certificate file',
      'could not load pem client certificate',
      'unable to set private key file',
      'error setting certificate verify locations',
      'ssl ctx set default verify paths failed',
      'error setting certificate file',
      'failed to load certificate',
      'failed to load private key',
      'failed to configure ca certificate',
      'cannot load certificate',
      'could not load client certificate',
      'problem with the local ssl certificate',
      'could not read certificate file',
      'could not open certificate file',
    ],
    takes: FILE,
    rank: 'general',
    ...either(likely('key-permissions'), likely('file-missing'), possible('file-unusable')),
  },
  {
    says: ['certificate mismatch'],
    rank: 'symptom',
    ...either(possible('name-mismatch'), possible('key-mismatch')),
  },
];
