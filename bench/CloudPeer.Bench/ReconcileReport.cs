using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tlfs.Core.Crypto;
using Tlfs.Core.Radix;

namespace CloudPeer.Bench;

/// <summary>Two large sets of ids find out how they differ: what that sends, and how long both sides compute. One JSON line.</summary>
internal static class ReconcileReport
{
    /// <summary>The program mode <c>reconcile [IDS [DIFFERENCES]]</c>; 1,000,000 and 100 by default. Half of the differences are on each side.</summary>
    public static int Run(string[] args)
    {
        var ids = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        var differences = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100;
        var shared = Set(RadixTree.Empty, 0, ids - (differences / 2));
        var here = Set(shared, ids, differences / 2);
        var there = Set(shared, 2 * ids, differences - (differences / 2));

        // A device knows the hashes of its tree from its last commit; without them the first session would hash everything.
        var clock = Stopwatch.StartNew();
        var isEqual = here.Hash == there.Hash;
        var hashing = clock.Elapsed.TotalMilliseconds;
        Session(here, here);
        Session(here, there);
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            benchmark = "reconcile",
            ids = here.Count,
            differences,
            hashMilliseconds = Math.Round(hashing, 1),
            different = Session(here, there),
            equal = Session(here, here),
        }));
        return isEqual == (differences == 0) ? 0 : 1;
    }

    private static RadixTree Set(RadixTree from, int first, int count)
    {
        var editor = from.Edit();
        Span<byte> number = stackalloc byte[sizeof(int)], id = stackalloc byte[32];
        for (var i = first; i < first + count; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(number, i);
            Hashing.Sha256(number).CopyTo(id);
            editor.Set(id, []);
        }

        return editor.Snapshot();
    }

    private static object Session(RadixTree here, RadixTree there)
    {
        var (trips, up, down) = (0, 0, 0);
        var clock = Stopwatch.StartNew();
        var initiator = new ReconcileInitiator(here, default, SystemEntropy.Instance);
        var responder = new ReconcileResponder(there, default);
        for (var next = initiator.Start(); next is not null; trips++)
        {
            up += next.Length;
            if (!responder.TryAnswer(next, out var answer, out var error) || !initiator.TryReceive(answer, out next, out error))
                throw new InvalidOperationException(error.Detail);
            down += answer.Length;
        }

        return new
        {
            roundTrips = trips,
            bytesUp = up,
            bytesDown = down,
            milliseconds = Math.Round(clock.Elapsed.TotalMilliseconds, 2),
            onlyHere = initiator.OnlyHere.Count,
            onlyThere = initiator.OnlyThere.Count,
        };
    }
}
