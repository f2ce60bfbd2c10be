// The parts of docs/protocol that a reader of logs needs, without any I/O: ids, labelled hashes and signatures, the log's tree.
import { ed25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeFirst } from 'cborg';

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
export const labelled = (label, bytes) => concatBytes(utf8ToBytes(`cloudpeer/v1/${label}\0`), bytes);

export const same = (left, right) => bytesToHex(left) === bytesToHex(right);
export const u64be = (value) => new Uint8Array(new BigUint64Array([BigInt(value)]).buffer).reverse();

// encoding.md §2: 32 bytes as 52 letters.
export function formatId(prefix, bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return `${prefix}_${bits.match(/.{1,5}/g).map((five) => letters[parseInt(five.padEnd(5, '0'), 2)]).join('')}`;
}

export function parseId(prefix, text) {
  const bits = [...text.slice(prefix.length + 1)].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Uint8Array.from({ length: 32 }, (_, at) => parseInt(bits.slice(at * 8, at * 8 + 8), 2));
  if (formatId(prefix, bytes) !== text) throw new Error(`${text} is not a ${prefix}_ id`);
  return bytes;
}

// encoding.md §3.1 and §3.3.
export const hash = (label, ...parts) => blake2b(labelled(label, concatBytes(...parts)), { dkLen: 32 });
export const sign = (label, seed, digest) => ed25519.sign(labelled(label, digest), seed);
export const verify = (label, signer, digest, signature) => ed25519.verify(signature, labelled(label, digest), signer, { zip215: false });

// envelope.md §1: the header is one CBOR map at the beginning of the envelope, and its signature follows it.
export function readEnvelope(bytes) {
  const [header, rest] = decodeFirst(bytes, { useMaps: true, strict: true });
  const id = hash('env', bytes.subarray(0, bytes.length - rest.length));
  const author = header.get(5);
  if (!verify('env-sig', author, id, rest.subarray(0, 64))) throw new Error('an envelope is not signed by its author');
  return { id, author, type: ['', 'delta', 'policy', 'snapshot'][header.get(3)] ?? 'unknown', document: header.get(4) };
}

// log.md §1 and §2: the roots of the perfect subtrees, largest first.
export class Log {
  #subtrees = [];

  size = 0;

  append(id) {
    let node = { size: 1, hash: sha256(concatBytes(Uint8Array.of(0), id)) };
    while (this.#subtrees.at(-1)?.size === node.size) node = { size: node.size * 2, hash: join(this.#subtrees.pop().hash, node.hash) };
    this.#subtrees.push(node);
    this.size += 1;
  }

  get root() {
    return this.#subtrees.length ? this.#subtrees.map((tree) => tree.hash).reduceRight((right, left) => join(left, right)) : sha256(new Uint8Array());
  }
}

const join = (left, right) => sha256(concatBytes(Uint8Array.of(1), left, right));
