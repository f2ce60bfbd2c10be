using CloudPeer.TestKit;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix;

/// <summary>Two sides that reconcile, and what they sent.</summary>
internal static class IdSets
{
    public static RadixTree Tree(IEnumerable<Bytes32> ids, byte[] prefix)
    {
        var editor = RadixTree.Empty.Set([0xFF, 1], [1]).Set([], [2]).Edit();
        foreach (var id in ids) editor.Set([.. prefix, .. id.ToArray()], []);
        return editor.Snapshot();
    }

    /// <summary>Ids that share between none and all but one of their bytes.</summary>
    public static Bytes32 Id(SeededEntropy entropy)
    {
        var id = new byte[32];
        var shared = entropy.Below(3) == 0 ? entropy.Below(32) : 0;
        entropy.Fill(id.AsSpan(shared));
        if (shared == 31) id[31] %= 4;
        return new(id);
    }

    /// <summary>Runs a session to its end; each round trip's bytes. False when the initiator gave up.</summary>
    public static bool Run(ReconcileInitiator initiator, ReconcileResponder responder, out List<(int Up, int Down)> trips)
    {
        trips = [];
        for (var next = initiator.Start(); next is not null;)
        {
            Assert.True(responder.TryAnswer(next, out var answer, out _));
            trips.Add((next.Length, answer.Length));
            Assert.InRange(next.Length, 1, 64 * 1024);
            Assert.InRange(answer.Length, 1, 64 * 1024);
            if (!initiator.TryReceive(answer, out next, out _)) return false;
        }

        return true;
    }
}
