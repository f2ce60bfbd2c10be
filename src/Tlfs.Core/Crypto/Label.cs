using System.Text;

namespace Tlfs.Core.Crypto;

/// <summary>
/// What a hash, derived key, signature or sealed text is for (docs/protocol/encoding.md §3). On the wire a label is
/// <c>cloudpeer/v1/</c>, the name in kebab-case, and a zero byte. A purpose that is not in this list does not exist.
/// </summary>
public enum Label
{
    // Hashes
    /// <summary>An envelope's id.</summary>
    Env,
    /// <summary>A policy envelope's body.</summary>
    Body,
    /// <summary>The header as far as it is known before sealing.</summary>
    Core,
    /// <summary>A sealed part.</summary>
    Chash,
    /// <summary>A salted operation; also derives the key of the salts.</summary>
    Leaf,
    /// <summary>An inner node over operations.</summary>
    Node,
    /// <summary>A commitment to an epoch's key.</summary>
    KeyCommit,
    /// <summary>A schema version.</summary>
    Schema,
    /// <summary>A field.</summary>
    Field,
    /// <summary>A log head.</summary>
    Head,
    /// <summary>A custody receipt.</summary>
    Receipt,
    /// <summary>A log generation.</summary>
    Generation,
    /// <summary>An account card.</summary>
    Card,
    /// <summary>The server's half of a session.</summary>
    SessionServer,
    /// <summary>The client's half of a session.</summary>
    SessionClient,
    /// <summary>A signed request.</summary>
    Request,
    /// <summary>An inbox message.</summary>
    Inbox,
    /// <summary>A delivery token, as a server keeps it.</summary>
    DeliveryToken,
    /// <summary>A recovery set.</summary>
    Recovery,
    /// <summary>The salt of the recovery phrase.</summary>
    RecoverySalt,
    /// <summary>The content of an inner node of a radix tree.</summary>
    RadixNode,
    /// <summary>A long value in a radix tree.</summary>
    RadixValue,
    /// <summary>A whole radix tree.</summary>
    RadixRoot,
    /// <summary>A hash or id, shortened for one reconciliation.</summary>
    Reconcile,
    /// <summary>A commitment to a zone's path; also derives the key that seals it.</summary>
    ZonePath,
    /// <summary>A commitment to a grant's path; also derives the key that seals it.</summary>
    SubPath,

    // Derived keys
    /// <summary>The key of one part.</summary>
    Part,
    /// <summary>The key that seals earlier epochs' keys.</summary>
    HistWrap,
    /// <summary>The key, of an epoch of the parent zone, that seals an epoch's key.</summary>
    ParentWrap,
    /// <summary>The recovery KEM secret.</summary>
    RecoveryKem,
    /// <summary>The tag under which a recovery set is looked up.</summary>
    RecoveryTag,
    /// <summary>The server's key for challenges and tokens.</summary>
    SessionMac,

    // Signatures
    /// <summary>An envelope.</summary>
    EnvSig,
    /// <summary>A log head.</summary>
    HeadSig,
    /// <summary>A batch of receipts.</summary>
    ReceiptSig,
    /// <summary>A log generation.</summary>
    GenerationSig,
    /// <summary>The server's half of a session.</summary>
    SessionServerSig,
    /// <summary>The client's half of a session.</summary>
    SessionClientSig,
    /// <summary>A request that destroys something.</summary>
    RequestSig,
    /// <summary>An inbox message.</summary>
    InboxSig,
    /// <summary>A recovery set.</summary>
    RecoverySig,

    // Associated data and HPKE info
    /// <summary>A part.</summary>
    PartAd,
    /// <summary>Earlier epochs' keys.</summary>
    HistWrapAd,
    /// <summary>A content key under one of the parent zone.</summary>
    ParentWrapAd,
    /// <summary>A history key under one of the parent zone.</summary>
    ParentHistWrapAd,
    /// <summary>A zone's path.</summary>
    ZonePathAd,
    /// <summary>A grant's path.</summary>
    SubPathAd,
    /// <summary>An epoch's keys for one recipient.</summary>
    WrapInfo,
    /// <summary>An inbox message.</summary>
    InboxInfo,
    /// <summary>A recovery set.</summary>
    RecoveryInfo,
    /// <summary>A piece of an exported replica.</summary>
    ExportAd,
}

/// <summary>The bytes of labels, alone or before other bytes.</summary>
public static class Labels
{
    private static readonly byte[][] Encoded = [.. Enum.GetValues<Label>().Select(Encode)];

    /// <summary><c>cloudpeer/v1/</c>, the name, a zero byte.</summary>
    public static ReadOnlySpan<byte> Bytes(this Label label) => Encoded[(int)label];

    /// <summary>The label and then the given bytes, in a new array.</summary>
    public static byte[] Prefix(this Label label, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default, ReadOnlySpan<byte> third = default)
    {
        var bytes = new byte[label.PrefixedBytes(first, second, third)];
        label.Prefix(bytes, first, second, third);
        return bytes;
    }

    /// <summary>How long the label and the given bytes are together.</summary>
    internal static int PrefixedBytes(this Label label, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third) =>
        Encoded[(int)label].Length + first.Length + second.Length + third.Length;

    /// <summary>Writes the label and then the given bytes; the destination is as long as they are.</summary>
    internal static void Prefix(this Label label, Span<byte> destination, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        var start = Encoded[(int)label];
        start.CopyTo(destination);
        var rest = destination[start.Length..];
        first.CopyTo(rest);
        second.CopyTo(rest[first.Length..]);
        third.CopyTo(rest[(first.Length + second.Length)..]);
    }

    private static byte[] Encode(Label label)
    {
        var text = new StringBuilder("cloudpeer/v1");
        foreach (var letter in label.ToString())
        {
            if (char.IsUpper(letter)) text.Append(text.Length == 12 ? '/' : '-');
            text.Append(char.ToLowerInvariant(letter));
        }

        return System.Text.Encoding.ASCII.GetBytes(text.Append('\0').ToString());
    }
}
