/** Which member of a stack: a service or a client, and these may share a name. */
export interface MemberName {
  readonly kind: 'service' | 'client';
  readonly name: string;
}

/** "services/NAME" or "clients/NAME". */
export function memberId({ kind, name }: MemberName): string {
  return `${kind}s/${name}`;
}
