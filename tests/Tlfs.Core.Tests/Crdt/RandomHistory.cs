using CloudPeer.TestKit;

namespace Tlfs.Core.Tests.Crdt;

/// <summary>What two authors make who see part of each other's work, and ways to deliver it.</summary>
internal static class RandomHistory
{
    /// <summary>The parts, causes before effects.</summary>
    public static List<Delta> Make(SeededEntropy entropy, ulong seed, int edits = 10)
    {
        Replica a = new(Schemas.Everything, seed * 2), b = new(Schemas.Everything, (seed * 2) + 1);
        var deltas = new List<Delta> { RandomEdit.Begin([a, b]) };
        for (var i = 0; i < edits; i++)
        {
            var author = entropy.Below(2) == 0 ? a : b;
            if (RandomEdit.Make(author, entropy) is { } delta) deltas.Add(delta);
            author.Receive(deltas[entropy.Below(deltas.Count)]);
        }

        return deltas;
    }

    /// <summary>The same in any order.</summary>
    public static Delta[] Shuffle(SeededEntropy entropy, IReadOnlyList<Delta> deltas)
    {
        var shuffled = deltas.ToArray();
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var j = entropy.Below(i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }

        return shuffled;
    }
}
