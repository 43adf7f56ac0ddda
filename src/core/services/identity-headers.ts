/**
 * The headers by which a server in front tells its upstream who the client is, and the other spellings that an
 * upstream takes for them: CGI, WSGI, Rack and PHP turn hyphens and underscores into the same character (RFC 3875
 * §4.1.18), so X_Client_CN of a client is read as X-Client-CN. nginx drops names with an underscore by itself.
 */
const IDENTITY_HEADERS = ['X-Client-Verify', 'X-Client-DN', 'X-Client-CN'];

/** To be taken out of every request, whoever the client is. Case does not matter. */
export const IDENTITY_LOOKALIKES: readonly string[] = IDENTITY_HEADERS.flatMap((name) => {
  const [x, client, what] = name.split('-');
  return [`${x}_${client}_${what}`, `${x}-${client}_${what}`, `${x}_${client}-${what}`];
});
