using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>What an envelope carries; the number is the one on the wire.</summary>
public enum EnvelopeType
{
    /// <summary>Operations on the document.</summary>
    Delta = 1,
    /// <summary>A policy statement, readable by the server.</summary>
    Policy = 2,
    /// <summary>The live operations of some zones, carried again (envelope.md §5).</summary>
    Snapshot = 3,
    /// <summary>A signed version vector. Reserved.</summary>
    Attest = 4,
}

/// <summary>One sealed part as the header names it.</summary>
/// <param name="Zone">The zone it belongs to.</param>
/// <param name="Epoch">The epoch whose key seals it.</param>
/// <param name="Length">Bytes of the sealed part.</param>
/// <param name="Hash"><c>H_chash</c> of the sealed part.</param>
/// <param name="OpsRoot">Merkle root over the salted operations.</param>
public sealed record PartHeader(ZoneId Zone, EnvelopeId Epoch, int Length, Bytes32 Hash, Bytes32 OpsRoot);

/// <summary>
/// The signed header of an envelope (docs/protocol/envelope.md §1).
/// </summary>
/// <param name="Type">What the envelope carries.</param>
/// <param name="Document">The document.</param>
/// <param name="Author">Who signs.</param>
/// <param name="Seq">Place in the author's chain, from 1.</param>
/// <param name="Prev">The author's previous envelope, zero at 1.</param>
/// <param name="Deps">Heads of other authors' chains, ascending.</param>
/// <param name="Auth">Policy heads, ascending.</param>
/// <param name="Seen">The last verified log head, if any.</param>
/// <param name="Parts">The sealed parts, ascending by zone.</param>
/// <param name="BodyLength">Bytes of the body; 0 without one, as in a delta.</param>
/// <param name="BodyHash"><c>H_body</c> of the body; zero without one.</param>
public sealed record EnvelopeHeader(
    EnvelopeType Type,
    DocId Document,
    PeerId Author,
    ulong Seq,
    EnvelopeId Prev,
    IReadOnlyList<EnvelopeId> Deps,
    IReadOnlyList<EnvelopeId> Auth,
    LogHead? Seen,
    IReadOnlyList<PartHeader> Parts,
    int BodyLength,
    Bytes32 BodyHash)
{
    private const ulong Version = 1;
    private const ulong Suite = 1;

    /// <summary>The header's bytes.</summary>
    public byte[] Encode()
    {
        var buffer = new byte[MaxBytes];
        return buffer[..Write(buffer, isCore: false)];
    }

    /// <summary>The hash of all that is known before sealing (envelope.md §1.3).</summary>
    public Bytes32 CoreHash()
    {
        var buffer = new byte[MaxBytes];
        return Hashing.Hash(Label.Core, buffer.AsSpan(0, Write(buffer, isCore: true)));
    }

    /// <summary>Decodes a header; refuses whatever is not canonical or breaks a rule of envelope.md §1.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out EnvelopeHeader? header, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.HeaderBytes, Read, out header, out error);

    /// <summary>The same for a header that other bytes follow.</summary>
    public static bool TryDecodeFirst(ReadOnlyMemory<byte> bytes, out EnvelopeHeader? header, out int length, out DecodeError error) =>
        Canonical.TryDecodeFirst(bytes, Limits.HeaderBytes, Read, out header, out length, out error);

    // All fields that are always there take less than 200 bytes, a head less than 200, an id 34, a part less than 150.
    private int MaxBytes => 400 + (34 * (Deps.Count + Auth.Count)) + (150 * Parts.Count);

    // By hand, since it is written twice for every envelope: the library sorts keys that ascend already.
    private int Write(Span<byte> buffer, bool isCore)
    {
        var writer = new CanonicalSpan(buffer);
        writer.BeginMap(10 + (Seen is null ? 0 : 1) + (BodyLength == 0 ? 0 : 1));
        writer.Entry(1, Version);
        writer.Entry(2, Suite);
        writer.Entry(3, (ulong)Type);
        writer.UInt(4);
        writer.Bytes32(Document.Value);
        writer.UInt(5);
        writer.Bytes32(Author.Value);
        writer.Entry(6, Seq);
        writer.UInt(7);
        writer.Bytes32(Prev.Value);
        writer.UInt(8);
        writer.BeginArray(Deps.Count);
        foreach (var id in Deps) writer.Bytes32(id.Value);
        writer.UInt(9);
        writer.BeginArray(Auth.Count);
        foreach (var id in Auth) writer.Bytes32(id.Value);
        if (Seen is not null) WriteSeen(ref writer, Seen);
        writer.UInt(11);
        writer.BeginArray(Parts.Count);
        foreach (var part in Parts) WritePart(ref writer, part, isCore);
        if (BodyLength > 0) WriteBody(ref writer);
        return writer.Length;
    }

    private static void WritePart(ref CanonicalSpan writer, PartHeader part, bool isCore)
    {
        writer.BeginArray(isCore ? 2 : 5);
        writer.Zone(part.Zone);
        writer.Bytes32(part.Epoch.Value);
        if (isCore) return;
        writer.UInt((ulong)part.Length);
        writer.Bytes32(part.Hash);
        writer.Bytes32(part.OpsRoot);
    }

    private static void WriteSeen(ref CanonicalSpan writer, LogHead seen)
    {
        writer.UInt(10);
        writer.BeginArray(5);
        writer.Bytes32(seen.Server.Value);
        writer.UInt(seen.Size);
        writer.Bytes32(seen.Root);
        writer.UInt(seen.Micros);
        writer.Bytes(seen.Signature);
    }

    private void WriteBody(ref CanonicalSpan writer)
    {
        writer.UInt(12);
        writer.BeginArray(2);
        writer.UInt((ulong)BodyLength);
        writer.Bytes32(BodyHash);
    }

    private static EnvelopeHeader Read(CanonicalReader reader)
    {
        var entries = reader.BeginMap();
        ExpectKey(reader, 1);
        CanonicalReader.Require(reader.UInt() == Version, "unknown envelope version", Reason.Unsupported);
        ExpectKey(reader, 2);
        CanonicalReader.Require(reader.UInt() == Suite, "unknown suite", Reason.Unsupported);
        ExpectKey(reader, 3);
        var type = (EnvelopeType)reader.SmallInt();
        CanonicalReader.Require(type is EnvelopeType.Delta or EnvelopeType.Policy or EnvelopeType.Snapshot, "unknown envelope type", Reason.Unsupported);
        ExpectKey(reader, 4);
        var document = reader.Id<DocId>();
        ExpectKey(reader, 5);
        var author = reader.Id<PeerId>();
        ExpectKey(reader, 6);
        var seq = reader.UInt(long.MaxValue);
        ExpectKey(reader, 7);
        var prev = reader.Id<EnvelopeId>();
        ExpectKey(reader, 8);
        var deps = reader.Array(Limits.Deps, reader.Id<EnvelopeId>);
        ExpectKey(reader, 9);
        var auth = reader.Array(Limits.Auth, reader.Id<EnvelopeId>);
        var (seen, parts, body) = ReadTail(reader, entries - 9, document);
        reader.EndMap();
        var header = new EnvelopeHeader(type, document, author, seq, prev, deps, auth, seen, parts, body.Length, body.Hash);
        header.Check();
        return header;
    }

    private static (LogHead? Seen, PartHeader[] Parts, (int Length, Bytes32 Hash) Body) ReadTail(CanonicalReader reader, int entries, DocId document)
    {
        LogHead? seen = null;
        var body = (Length: 0, Hash: default(Bytes32));
        var key = reader.Key();
        if (key == 10)
        {
            seen = ReadSeen(reader, document);
            entries--;
            key = reader.Key();
        }

        CanonicalReader.Require(key == 11, "header key 11 expected");
        var parts = reader.Array(Limits.Parts, () => ReadPart(reader));
        if (--entries > 0)
        {
            ExpectKey(reader, 12);
            reader.BeginArray(2);
            body = (reader.SmallInt(Limits.BodyBytes), reader.Bytes32());
            reader.EndArray();
            CanonicalReader.Require(body.Length > 0, "an empty body is left out");
        }

        return (seen, parts, body);
    }

    private static LogHead ReadSeen(CanonicalReader reader, DocId document)
    {
        reader.BeginArray(5);
        var seen = new LogHead(document, reader.Id<PeerId>(), reader.UInt(), reader.Bytes32(), reader.UInt(), reader.FixedBytes(SigningKey.SignatureSize));
        reader.EndArray();
        return seen;
    }

    private static PartHeader ReadPart(CanonicalReader reader)
    {
        reader.BeginArray(5);
        var part = new PartHeader(reader.Zone(), reader.Id<EnvelopeId>(), reader.SmallInt(Limits.EnvelopeBytes), reader.Bytes32(), reader.Bytes32());
        reader.EndArray();
        return part;
    }

    private static void ExpectKey(CanonicalReader reader, int key) =>
        CanonicalReader.Require(reader.Key() == key, $"header key {key} expected");

    private void Check()
    {
        CanonicalReader.Require(Seq >= 1, "seq starts at 1");
        CanonicalReader.Require((Seq == 1) == Prev.Value.IsZero, "prev is zero at seq 1 and only there");
        CanonicalReader.RequireAscending(Deps, "deps");
        CanonicalReader.RequireAscending(Auth, "auth");
        CanonicalReader.RequireAscending([.. Parts.Select(part => part.Zone)], "parts");
        CanonicalReader.Require(
            BodyLength > 0 == (Type != EnvelopeType.Delta) && (Type == EnvelopeType.Delta || Parts.Count > 0 == (Type == EnvelopeType.Snapshot)),
            "a delta has no body, a policy envelope a body and no parts, a snapshot both");
        CanonicalReader.Require(Parts.All(part => part.Length >= Crypto.Aead.Overhead), "part too short");
    }
}
