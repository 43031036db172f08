// A certified OpenID Connect provider and a person in front of it. It prints its address, reads the server's, signs the
// person in through it, and says what the server's pages show.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline/promises';
import Provider from 'oidc-provider';

// Where the server believes to be; the browser below knows better.
const PUBLIC = 'http://sessions.test';
const [algorithm, authentication] = process.argv.slice(2);

const keys = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}[algorithm]();
const jwk = { ...keys.privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'the key' };

const web = createServer();
await new Promise((ready) => web.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${web.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'sessiongraph',
    client_secret: 'secret:with/odd+letters',
    redirect_uris: [`${PUBLIC}/login/oidc/callback`],
    id_token_signed_response_alg: algorithm,
    token_endpoint_auth_method: authentication,
  }],
  clientAuthMethods: [authentication],
  enabledJWA: { idTokenSigningAlgValues: [algorithm] },
  jwks: { keys: [jwk] },
  cookies: { keys: ['only for this test'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }) }),
});
web.on('request', provider.callback());
console.log(issuer);

const [server] = (await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value.split(' ');

// A browser: cookies by host, redirects followed by hand.
const jar = new Map();
async function visit(url, form) {
  for (let hops = 0; hops < 20; hops += 1) {
    const { origin } = new URL(url);
    const real = url.startsWith(PUBLIC) ? server + url.slice(PUBLIC.length) : url;
    const cookies = jar.get(origin) ?? new Map();
    jar.set(origin, cookies);
    const response = await fetch(real, {
      method: form ? 'POST' : 'GET',
      body: form && new URLSearchParams(form),
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s);
      if (value) cookies.set(name, value); else cookies.delete(name);
    }
    const location = response.headers.get('location');
    if (!location) return { url, status: response.status, text: await response.text() };
    [url, form] = [new URL(location, url).href, undefined];
  }
  throw new Error(`${url} leads in a circle`);
}

const start = await visit(`${PUBLIC}/login`);
assert.match(start.text, /Sign in with Example/);
const login = await visit(`${PUBLIC}/login/oidc?next=/resume`);
assert.ok(login.url.startsWith(`${issuer}/interaction/`), login.url);
const consent = await visit(login.url, { prompt: 'login', login: 'ann', password: 'any' });
assert.ok(consent.url.startsWith(`${issuer}/interaction/`), `${consent.url} ${consent.text}`);
const back = await visit(consent.url, { prompt: 'consent' });
assert.equal(back.url, `${PUBLIC}/resume`, back.text);
const projects = await visit(`${PUBLIC}/projects`);
assert.equal(projects.status, 200);
assert.match(projects.text, /ann@example\.com/);

// The provider remembers the person: signing in again is one trip, into the same account.
jar.delete(PUBLIC);
const again = await visit(`${PUBLIC}/login/oidc`);
assert.equal(again.url, `${PUBLIC}/projects`, again.text);
assert.match(again.text, /ann@example\.com/);

// And one who cancels is told so.
jar.clear();
const other = await visit(`${PUBLIC}/login/oidc`);
const refused = await visit(`${other.url}/abort`);
assert.equal(refused.status, 403, refused.text);
assert.match(refused.text, /You are not signed in/);
console.log('signed in');
process.exit(0);
