/** How a challenge is put in place and taken away, also for several orders at once: a webroot, a listener of ours, a record in DNS. */
export interface ChallengeHandler {
  readonly type: 'http-01' | 'dns-01';
  /** `identifier` is without "*.". Returns once the server may look. @throws OperatorFault */
  readonly present: (identifier: string, token: string, keyAuthorization: string) => Promise<void>;
  /** Also after a failure. */
  readonly cleanUp: (identifier: string, token: string, keyAuthorization: string) => Promise<void>;
}
