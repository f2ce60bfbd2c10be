// Signs in at a cloudpeer and checks a document's log. usage: node pull.js URL [DOC]; without DOC it says who it is.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ed25519 } from '@noble/curves/ed25519.js';
import { formatId, hash, Log, parseId, readEnvelope, same, sign, u64be, verify } from './protocol.js';

const [url, wanted] = process.argv.slice(2);
const home = process.env.CLOUDPEER_NODE_HOME ?? 'node-data';
const protos = fileURLToPath(new URL('../../src/CloudPeer.Sync/Protos', import.meta.url));
const loaded = loadSync(['cloudpeer/v1/session.proto', 'cloudpeer/v1/sync.proto'], { includeDirs: [protos], longs: String, oneofs: true });
const { Session, Sync } = grpc.loadPackageDefinition(loaded).cloudpeer.v1;

// The device is its key; who has the file is the device.
function loadDevice() {
  const file = `${home}/device.key`;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600 });
  const seed = new Uint8Array(readFileSync(file));
  return { seed, peer: ed25519.getPublicKey(seed) };
}

async function discover() {
  const found = await (await fetch(new URL('/.well-known/cloudpeer', url))).json();
  const { protocol, host, hostname } = new URL(found.grpcUrl);
  const secure = protocol === 'https:';
  if (!secure && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)) throw new Error('plain http to another machine is refused');
  return { server: expected(host, found.server), host, credentials: secure ? grpc.credentials.createSsl() : grpc.credentials.createInsecure() };
}

// session.md §3: a server that was met once must prove the same key for ever.
function expected(host, announced) {
  const file = `${home}/${host.replace(':', '-')}.server`;
  if (!existsSync(file)) writeFileSync(file, announced);
  const known = readFileSync(file, 'utf8');
  if (known !== announced) throw new Error(`this is ${announced}, but ${known} was met here before`);
  return parseId('peer', known);
}

// session.md: the client draws a nonce; each proves its key over it. Answers what every further call carries.
async function signIn({ server, host, credentials }, { seed, peer }) {
  const session = new Session(host, credentials);
  const call = (method, request) => new Promise((done, fail) => session[method](request, (error, answer) => (error ? fail(error) : done(answer))));
  const nonce = randomBytes(32);
  const offered = await call('Challenge', { peer, clientNonce: nonce });
  const challenge = hash('session-server', offered.challenge);
  if (!same(offered.server, server)) throw new Error('another server answers than the expected one');
  if (!verify('session-server-sig', server, hash('session-server', nonce, challenge, peer), offered.signature)) throw new Error('the server does not prove its key');
  const micros = BigInt(Date.now()) * 1000n;
  const signature = sign('session-client-sig', seed, hash('session-client', server, nonce, challenge, u64be(micros)));
  const { token } = await call('Open', { peer, clientNonce: nonce, challenge: offered.challenge, micros: `${micros}`, signature });
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

// sync.md §3.1 and log.md §3: every id goes into the tree, and the head that ends the pull must be that tree's.
async function pull({ server, host, credentials }, metadata, document) {
  const log = new Log();
  for await (const message of new Sync(host, credentials).Pull({ document, headersOnly: true }, metadata)) {
    for (const entry of message.entries?.entries ?? []) {
      const envelope = readEnvelope(entry.envelope ?? entry.partial.head);
      console.log(`${log.size} ${envelope.type} ${formatId('peer', envelope.author)} ${formatId('env', envelope.id)}`);
      if (!same(envelope.document, document)) throw new Error('an envelope of another document');
      log.append(envelope.id);
    }
    if (message.item === 'caughtUp') return check(message.caughtUp, log, server, document);
  }
  throw new Error('the pull ended without a head');
}

function check(head, log, server, document) {
  if (Number(head.size) !== log.size || !same(head.root, log.root)) throw new Error('the head is not that of the envelopes that came');
  const digest = hash('head', document, u64be(log.size), log.root, u64be(head.micros));
  if (!verify('head-sig', server, digest, head.signature)) throw new Error("the head's signature is wrong");
  console.log(`verified: ${log.size} envelopes, root ${Buffer.from(log.root).toString('hex')}, signed by ${formatId('peer', server)}`);
}

const device = loadDevice();
try {
  if (!url || !wanted) console.log(formatId('peer', device.peer));
  else {
    const place = await discover();
    await pull(place, await signIn(place, device), parseId('doc', wanted));
  }
} catch (failure) {
  console.error(`pull: ${failure.details ?? failure.message}`);
  process.exitCode = 1;
}
