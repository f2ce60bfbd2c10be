using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>What a message of docs/protocol/reconcile.md is.</summary>
internal enum ReconcileKind
{
    Hello,
    Equal,
    Start,
    Ask,
    Answer,
}

/// <summary>What an item of a message says or asks about a range.</summary>
internal enum ReconcileItemKind
{
    /// <summary>The sender's fingerprints of the 16, 256 or 4,096 parts of the range.</summary>
    Fingerprints,

    /// <summary>The short forms of all the sender's ids in the range.</summary>
    Shorts,

    /// <summary>Whole ids of the sender.</summary>
    Ids,

    /// <summary>Asks for the short forms of all ids.</summary>
    List,

    /// <summary>Asks for all ids.</summary>
    ListWhole,

    /// <summary>Asks for the ids that have these short forms.</summary>
    Want,
}

/// <summary>One item of a message.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Range">What it is about.</param>
/// <param name="Shorts">Fingerprints or short forms, in the order of parts or ids.</param>
/// <param name="Ids">Whole ids.</param>
internal sealed record ReconcileItem(ReconcileItemKind Kind, IdRange Range, ulong[] Shorts, Bytes32[] Ids)
{
    public ReconcileItem(ReconcileItemKind kind, IdRange range, ulong[]? shorts = null)
        : this(kind, range, shorts ?? [], [])
    {
    }

    /// <summary>An upper bound of the encoded length.</summary>
    public int Length => 48 + (ReconcileKey.ShortBytes * Shorts.Length) + (Bytes32.Size * Ids.Length);

    /// <summary>For fingerprints: the parts are 16^levels.</summary>
    public int Levels => Shorts.Length switch { 16 => 1, 256 => 2, _ => 3 };
}

/// <summary>A message and its bytes: deterministic CBOR.</summary>
internal sealed record ReconcileMessage(ReconcileKind Kind)
{
    /// <summary>No message is longer.</summary>
    public const int MaxBytes = 64 * 1024;

    public const int NonceBytes = 16;

    /// <summary>Items are added while their sum is below this.</summary>
    public const int ItemBytes = MaxBytes - 1024;

    private const int MaxItems = MaxBytes / 4;

    public byte[] Nonce { get; init; } = [];

    public int Count { get; init; }

    public Bytes32 Hash { get; init; }

    /// <summary>How many of the items asked about, from the first on, the answer covers.</summary>
    public int Answered { get; init; }

    public IReadOnlyList<ReconcileItem> Items { get; init; } = [];

    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(Fields(Kind));
        writer.UInt((ulong)Kind);
        if (Kind == ReconcileKind.Hello) writer.Bytes(Nonce);
        if (Kind is ReconcileKind.Hello or ReconcileKind.Start)
        {
            writer.UInt((ulong)Count);
            writer.Bytes32(Hash);
        }

        if (Kind == ReconcileKind.Answer) writer.UInt((ulong)Answered);
        if (Kind is ReconcileKind.Start or ReconcileKind.Ask or ReconcileKind.Answer) writer.Array(Items, item => Write(writer, item));
        writer.EndArray();
    });

    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out ReconcileMessage? message, out DecodeError error) =>
        Canonical.TryDecode(bytes, MaxBytes, Read, out message, out error);

    private static ReconcileMessage Read(CanonicalReader reader)
    {
        var fields = reader.BeginArrayUpTo(4);
        var kind = (ReconcileKind)reader.SmallInt((int)ReconcileKind.Answer);
        CanonicalReader.Require(fields == Fields(kind), "a message of another length expected");
        var hasSet = kind is ReconcileKind.Hello or ReconcileKind.Start;
        var message = new ReconcileMessage(kind)
        {
            Nonce = kind == ReconcileKind.Hello ? reader.FixedBytes(NonceBytes) : [],
            Count = hasSet ? reader.SmallInt() : 0,
            Hash = hasSet ? reader.Bytes32() : default,
            Answered = kind == ReconcileKind.Answer ? reader.SmallInt(MaxItems) : 0,
            Items = kind >= ReconcileKind.Start ? reader.Array(MaxItems, () => ReadItem(reader)) : [],
        };
        reader.EndArray();
        return message;
    }

    private static int Fields(ReconcileKind kind) => kind switch
    {
        ReconcileKind.Hello => 4,
        ReconcileKind.Equal => 1,
        ReconcileKind.Ask => 2,
        ReconcileKind.Start => 4,
        ReconcileKind.Answer => 3,
    };

    private static void Write(CanonicalWriter writer, ReconcileItem item)
    {
        var hasBytes = HasBytes(item.Kind);
        writer.BeginArray(hasBytes ? 3 : 2);
        writer.UInt((ulong)item.Kind);
        writer.Bytes(item.Range.Encode());
        if (hasBytes) writer.Bytes(item.Kind == ReconcileItemKind.Ids ? Join(item.Ids) : ReconcileKey.Join(item.Shorts));
        writer.EndArray();
    }

    private static ReconcileItem ReadItem(CanonicalReader reader)
    {
        var fields = reader.BeginArrayUpTo(3);
        var kind = (ReconcileItemKind)reader.SmallInt((int)ReconcileItemKind.Want);
        var range = IdRange.Read(reader);
        var hasBytes = HasBytes(kind);
        CanonicalReader.Require(fields == (hasBytes ? 3 : 2), "an item of another length expected");
        var bytes = hasBytes ? reader.Bytes(MaxBytes) : [];
        reader.EndArray();
        if (kind == ReconcileItemKind.Ids) return new(kind, range, [], Split(bytes, range));

        CanonicalReader.Require(bytes.Length % ReconcileKey.ShortBytes == 0, "short forms expected");
        var item = new ReconcileItem(kind, range, ReconcileKey.Split(bytes));
        if (kind == ReconcileItemKind.Fingerprints)
        {
            CanonicalReader.Require(item.Shorts.Length is 16 or 256 or 4096, "fingerprints of 16, 256 or 4,096 parts expected");
            CanonicalReader.Require(range.Nibbles + item.Levels <= IdRange.MaxNibbles, "no parts are that small");
        }

        return item;
    }

    private static bool HasBytes(ReconcileItemKind kind) => kind is not (ReconcileItemKind.List or ReconcileItemKind.ListWhole);

    private static byte[] Join(Bytes32[] ids)
    {
        var bytes = new byte[ids.Length * Bytes32.Size];
        for (var i = 0; i < ids.Length; i++) ids[i].CopyTo(bytes.AsSpan(i * Bytes32.Size));
        return bytes;
    }

    private static Bytes32[] Split(byte[] bytes, IdRange range)
    {
        CanonicalReader.Require(bytes.Length % Bytes32.Size == 0, "ids expected");
        var ids = new Bytes32[bytes.Length / Bytes32.Size];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = new(bytes.AsSpan(i * Bytes32.Size, Bytes32.Size));
            CanonicalReader.Require(range.Contains(ids[i]), "an id is outside its range");
        }

        CanonicalReader.RequireAscending(ids, "ids");
        return ids;
    }
}
