using System.Buffers.Binary;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Crdt;

/// <summary>
/// Ids for the elements that one edit makes: 50 random bits that they share, and a count. So they lie beside each other in the tree, and what is
/// inserted together is stored together (docs/adr/0007).
/// </summary>
internal sealed class NewElements(IEntropy entropy)
{
    private const int CountBits = 14;

    private ulong _next;

    /// <summary>The next id that is not taken.</summary>
    public Uid Next(Func<Uid, bool> isTaken)
    {
        while (true)
        {
            if ((_next & ((1UL << CountBits) - 1)) == 0) _next = Draw();
            var uid = new Uid(_next++);
            if (!isTaken(uid)) return uid;
        }
    }

    private ulong Draw()
    {
        Span<byte> bytes = stackalloc byte[Uid.Size];
        entropy.Fill(bytes);

        // Counting from 1, so that zeros below the random bits mean that a new draw is due.
        return (BinaryPrimitives.ReadUInt64BigEndian(bytes) >> CountBits << CountBits) | 1;
    }
}
