using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Log;

/// <summary>
/// The frontier of a document's log (log.md §2): the roots of the perfect subtrees that make up its RFC 6962 tree, largest first. It is all
/// that is needed to append an id and to know the root. An instance never changes; <see cref="Append"/> returns the next one.
/// </summary>
public sealed class CompactRange
{
    private const int SizeBytes = 8;
    private readonly Bytes32[] _hashes;

    private CompactRange(ulong size, Bytes32[] hashes)
    {
        Size = size;
        _hashes = hashes;
    }

    /// <summary>The frontier of the empty log.</summary>
    public static CompactRange Empty { get; } = new(0, []);

    /// <summary>Envelopes in the log.</summary>
    public ulong Size { get; }

    /// <summary>Roots of the perfect subtrees, largest first; as many as <see cref="Size"/> has ones in binary.</summary>
    public IReadOnlyList<Bytes32> Hashes => _hashes;

    /// <summary>The root of the tree: the subtrees joined from the smallest up.</summary>
    public Bytes32 Root
    {
        get
        {
            if (_hashes.Length == 0) return MerkleTree.EmptyRoot;
            var root = _hashes[^1];
            for (var i = _hashes.Length - 2; i >= 0; i--) root = MerkleTree.Node(_hashes[i], root);
            return root;
        }
    }

    /// <summary>The frontier after one more envelope.</summary>
    public CompactRange Append(EnvelopeId envelope)
    {
        var carry = MerkleTree.Leaf(envelope.Value);
        var kept = _hashes.Length;
        for (var rest = Size; (rest & 1) == 1; rest >>= 1) carry = MerkleTree.Node(_hashes[--kept], carry);
        return new(Size + 1, [.. _hashes.AsSpan(0, kept), carry]);
    }

    /// <summary><c>u64be(size) ‖ hashes</c>, for storage.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[SizeBytes + _hashes.Length * Bytes32.Size];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Size);
        for (var i = 0; i < _hashes.Length; i++) _hashes[i].CopyTo(bytes.AsSpan(SizeBytes + i * Bytes32.Size));
        return bytes;
    }

    /// <summary>Reads what <see cref="Encode"/> made; false if the number of hashes does not fit the size.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CompactRange? range)
    {
        range = null;
        if (bytes.Length < SizeBytes) return false;
        var size = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var count = BitOperations.PopCount(size);
        if (bytes.Length != SizeBytes + count * Bytes32.Size) return false;
        var hashes = new Bytes32[count];
        for (var i = 0; i < count; i++) hashes[i] = new(bytes.Slice(SizeBytes + i * Bytes32.Size, Bytes32.Size));
        range = new(size, hashes);
        return true;
    }
}
