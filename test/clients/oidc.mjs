// A real OpenID provider for the tests of sign-in: oidc-provider with its own pages for signing in. Says its address on the first line.
// usage: node oidc.mjs REDIRECT_URI [RS256|ES256]
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [redirect, alg = 'RS256'] = process.argv.slice(2);
const { privateKey } = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = { client_id: 'dure', client_secret: 'not a secret: %&+', redirect_uris: [redirect], id_token_signed_response_alg: alg, response_types: ['code'], grant_types: ['authorization_code'] };
  const provider = new Provider(issuer, {
    clients: [client, { ...client, client_id: 'public', client_secret: undefined, token_endpoint_auth_method: 'none' }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg }] },
    cookies: { keys: ['only for tests'] },
    pkce: { required: () => true },
    ttl: { IdToken: 60, AccessToken: 600, AuthorizationCode: 60, Interaction: 600, Session: 600, Grant: 600 },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@lab.example`, email_verified: !id.startsWith('unverified'), name: `Name of ${id}`, preferred_username: id }),
    }),
  });
  server.on('request', provider.callback());
  console.log(`listens on ${issuer}`);
});
