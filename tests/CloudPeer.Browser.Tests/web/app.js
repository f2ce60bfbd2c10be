// An app of another site: it speaks gRPC-Web by Connect, and its device's key is WebCrypto's and never leaves it.
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { formatId, hash, labelled, Log, parseId, readEnvelope, same, u64be } from '../../../samples/node/protocol.js';

const protos = createFileRegistry(fromBinary(FileDescriptorSetSchema, new Uint8Array(await (await fetch('/protos')).arrayBuffer())));
const keys = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
const device = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey));
let server;
let transport;
let token;
let followed;

const client = (service) => createClient(protos.getService(`cloudpeer.v1.${service}`), transport);
const authorize = (next) => (request) => {
  if (token) request.header.set('authorization', `Bearer ${token}`);
  return next(request);
};

async function verify(label, signer, digest, signature) {
  const key = await crypto.subtle.importKey('raw', signer, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, signature, labelled(label, digest));
}

// docs/protocol/api.md §1: what the server says of itself, to any site.
async function discover(url) {
  const found = await (await fetch(new URL('/.well-known/cloudpeer', url))).json();
  server = parseId('peer', found.server);
  transport = createGrpcWebTransport({ baseUrl: found.baseUrl, interceptors: [authorize] });
  const info = await client('Discovery').getServer({});
  return { announced: found.server, answered: formatId('peer', info.server), device: formatId('peer', device) };
}

// docs/protocol/session.md.
async function signIn() {
  const session = client('Session');
  const clientNonce = crypto.getRandomValues(new Uint8Array(32));
  const offered = await session.challenge({ peer: device, clientNonce });
  const challenge = hash('session-server', offered.challenge);
  if (!same(offered.server, server)) throw new Error('another server');
  if (!(await verify('session-server-sig', server, hash('session-server', clientNonce, challenge, device), offered.signature))) throw new Error('no proof');
  const micros = BigInt(Date.now()) * 1000n;
  const digest = hash('session-client', server, clientNonce, challenge, u64be(micros));
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', keys.privateKey, labelled('session-client-sig', digest)));
  token = (await session.open({ peer: device, clientNonce, challenge: offered.challenge, micros, signature })).token;
  return token.length > 0;
}

async function push(document, envelopes) {
  const bytes = envelopes.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  const { results } = await client('Sync').push({ document: parseId('doc', document), bundles: [{ envelopes: bytes }] });
  const { receipts, refusal } = results[0];
  return { receipts: receipts.map((receipt) => formatId('env', receipt.envelope)), reason: refusal?.reason ?? null, tipSeq: Number(refusal?.tipSeq ?? 0) };
}

// Reads messages of a pull and tells of each; the head must be that of the log that was read.
async function read(document, options, tell) {
  const log = new Log();
  const id = parseId('doc', document);
  for await (const { item } of client('Sync').pull({ document: id, ...options }, { signal: followed?.signal })) {
    if (item.case === 'entries') {
      for (const entry of item.value.entries) log.append(readEnvelope(entry.content.value).id);
    } else if (item.case === 'caughtUp') {
      const head = item.value;
      const digest = hash('head', id, u64be(log.size), log.root, u64be(head.micros));
      const proven = Number(head.size) === log.size && same(head.root, log.root) && (await verify('head-sig', server, digest, head.signature));
      await tell({ size: log.size, proven });
    }
  }
}

async function pull(document) {
  let last = null;
  await read(document, {}, (head) => { last = head; });
  return last;
}

// Runs until the page leaves; window.told is the test's.
function follow(document) {
  followed = new AbortController();
  read(document, { follow: true }, (head) => window.told(JSON.stringify(head)))
    .catch((error) => window.told(JSON.stringify({ code: Code[ConnectError.from(error).code] })));
}

const leave = () => followed.abort();

// What a refused call says, from the details in its trailers.
async function refusalOf(call) {
  try {
    await call();
    return null;
  } catch (failure) {
    const error = ConnectError.from(failure);
    const [info] = error.findDetails(protos.getMessage('google.rpc.ErrorInfo'));
    return { code: Code[error.code], reason: info?.reason ?? null, domain: info?.domain ?? null, message: error.rawMessage };
  }
}

const forget = () => { token = undefined; };

window.app = { discover, signIn, push, pull, follow, leave, forget, pullRefusal: (document) => refusalOf(() => pull(document)) };
