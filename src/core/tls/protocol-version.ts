/** Versions of the protocol by their code on the wire. */
export const PROTOCOL_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

const FIRST_CODE = 0x0300;

export function versionCode(version: ProtocolVersion): number {
  return FIRST_CODE + PROTOCOL_VERSIONS.indexOf(version);
}

export function versionByCode(code: number): ProtocolVersion | null {
  return PROTOCOL_VERSIONS[code - FIRST_CODE] ?? null;
}
