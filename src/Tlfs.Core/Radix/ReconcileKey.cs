using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// Shortens hashes and ids to six bytes, differently in each session: who makes ids cannot make some that collide. Should two collide by
/// chance, the check at the end finds it.
/// </summary>
internal sealed class ReconcileKey(byte[] nonce, ulong mask)
{
    public const int ShortBytes = 6;

    /// <summary>Keeps all bits. Fewer are for tests, which cannot wait for a collision.</summary>
    public const ulong WholeMask = (1UL << (8 * ShortBytes)) - 1;

    public ulong Short(Bytes32 value)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        value.CopyTo(bytes);
        Hashing.Hash(Label.Reconcile, nonce, bytes).CopyTo(bytes);
        return (BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16) & mask;
    }

    /// <summary>The fingerprint of a range; 0 without ids.</summary>
    public ulong Fingerprint(IdSet set, IdRange range) => set.Hash(range) is { } hash ? Short(hash) : 0;

    /// <summary>The fingerprints of a range's parts.</summary>
    public ReconcileItem Fingerprints(IdSet set, IdRange range, int levels = 1)
    {
        var shorts = new ulong[1 << (4 * levels)];
        for (var i = 0; i < shorts.Length; i++) shorts[i] = Fingerprint(set, range.Part(i, levels));
        return new(ReconcileItemKind.Fingerprints, range, shorts);
    }

    public static byte[] Join(ulong[] shorts)
    {
        var bytes = new byte[shorts.Length * ShortBytes];
        Span<byte> one = stackalloc byte[sizeof(ulong)];
        for (var i = 0; i < shorts.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(one, shorts[i] << 16);
            one[..ShortBytes].CopyTo(bytes.AsSpan(i * ShortBytes));
        }

        return bytes;
    }

    public static ulong[] Split(ReadOnlySpan<byte> bytes)
    {
        var shorts = new ulong[bytes.Length / ShortBytes];
        Span<byte> one = stackalloc byte[sizeof(ulong)];
        for (var i = 0; i < shorts.Length; i++)
        {
            bytes.Slice(i * ShortBytes, ShortBytes).CopyTo(one);
            shorts[i] = BinaryPrimitives.ReadUInt64BigEndian(one) >> 16;
        }

        return shorts;
    }
}
