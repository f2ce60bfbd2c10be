using System.Buffers.Binary;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Documents;

/// <summary>What a key of a document's tree is about, beside the state's own (<see cref="Crdt.StateTag"/>): its first byte.</summary>
internal enum DocumentTag : byte
{
    /// <summary>number → record of an envelope.</summary>
    Envelope = (byte)'e',
    /// <summary>id → number.</summary>
    Id = (byte)'i',
    /// <summary>author, seq → id.</summary>
    Chain = (byte)'c',
    /// <summary>author, seq, id → nothing: envelopes beside the chain, on other branches of an author who forks.</summary>
    Beside = (byte)'b',
    /// <summary>author → the greatest seq of the author that others depend on.</summary>
    Named = (byte)'d',
    /// <summary>epoch, number → nothing: envelopes with parts that wait for the epoch's key; for a schema, if the epoch is zero.</summary>
    Waiting = (byte)'w',
    /// <summary>number → nothing: statements.</summary>
    Statement = (byte)'p',
    /// <summary>hash → schema operation: versions that opened parts carry.</summary>
    Schema = (byte)'s',
    /// <summary>hash, number, part → nothing: the parts that carry a version.</summary>
    Carrier = (byte)'v',
    /// <summary>hash → how many parts in effect name the version.</summary>
    Uses = (byte)'u',
    /// <summary>hash, zone → how many parts in effect of the zone carry the version.</summary>
    Carried = (byte)'z',
    /// <summary>→ number of the last envelope of a snapshot.</summary>
    Snapshot = (byte)'n',
    /// <summary>id, part, number, part → nothing: the part of the id, operations of which the other part forwards.</summary>
    Forwarded = (byte)'f',
}

/// <summary>Keys of a document's tree.</summary>
internal static class DocumentKey
{
    private const int PartBytes = sizeof(int) + sizeof(ushort);

    public static byte[] Of(DocumentTag tag) => [(byte)tag];

    public static byte[] Of(DocumentTag tag, int number)
    {
        var key = new byte[5];
        key[0] = (byte)tag;
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(1), number);
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 id)
    {
        var key = new byte[1 + Bytes32.Size];
        key[0] = (byte)tag;
        id.CopyTo(key.AsSpan(1));
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 id, int number)
    {
        var key = new byte[1 + Bytes32.Size + sizeof(int)];
        key[0] = (byte)tag;
        id.CopyTo(key.AsSpan(1));
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(1 + Bytes32.Size), number);
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 id, int number, ushort part)
    {
        var key = new byte[1 + Bytes32.Size + PartBytes];
        key[0] = (byte)tag;
        id.CopyTo(key.AsSpan(1));
        WritePart(key.AsSpan(1 + Bytes32.Size), number, part);
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 id, ushort idPart)
    {
        var key = new byte[1 + Bytes32.Size + sizeof(ushort)];
        key[0] = (byte)tag;
        id.CopyTo(key.AsSpan(1));
        BinaryPrimitives.WriteUInt16BigEndian(key.AsSpan(1 + Bytes32.Size), idPart);
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 id, ushort idPart, int number, ushort part)
    {
        var key = new byte[1 + Bytes32.Size + sizeof(ushort) + PartBytes];
        Of(tag, id, idPart).CopyTo(key, 0);
        WritePart(key.AsSpan(^PartBytes..), number, part);
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 id, ulong seq)
    {
        var key = new byte[1 + Bytes32.Size + sizeof(ulong)];
        key[0] = (byte)tag;
        id.CopyTo(key.AsSpan(1));
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1 + Bytes32.Size), seq);
        return key;
    }

    public static byte[] Of(DocumentTag tag, Bytes32 author, ulong seq, Bytes32 id) => [.. Of(tag, author, seq), .. id.ToArray()];

    /// <summary>The number and the id at the end of a key.</summary>
    public static (ulong Seq, Bytes32 Id) Place(ReadOnlySpan<byte> key) =>
        (BinaryPrimitives.ReadUInt64BigEndian(key[^(sizeof(ulong) + Bytes32.Size)..]), new(key[^Bytes32.Size..]));

    /// <summary>The part at the end of a key: its envelope's number and its own.</summary>
    public static (int Number, ushort Part) Part(ReadOnlySpan<byte> key) =>
        (BinaryPrimitives.ReadInt32BigEndian(key[^PartBytes..]), BinaryPrimitives.ReadUInt16BigEndian(key[^sizeof(ushort)..]));

    /// <summary>The number at the end of a key.</summary>
    public static int Number(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadInt32BigEndian(key[^sizeof(int)..]);

    /// <summary>The hash or id behind a key's tag.</summary>
    public static Bytes32 Id(ReadOnlySpan<byte> key) => new(key.Slice(1, Bytes32.Size));

    private static void WritePart(Span<byte> to, int number, ushort part)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, number);
        BinaryPrimitives.WriteUInt16BigEndian(to[sizeof(int)..], part);
    }
}
