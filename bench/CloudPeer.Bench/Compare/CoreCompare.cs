using System.Diagnostics;
using System.Text.Json;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench.Compare;

/// <summary>The document engine alone, in memory, signing and sealing every transaction.</summary>
internal static class CoreCompare
{
    private const string Engine = "cloudpeer-core";

    /// <summary>Inserts and updates.</summary>
    public static void Write(int tasks)
    {
        using var alice = Material.Account();
        using var document = Material.NewDocument(alice, out _);
        var started = Stopwatch.GetTimestamp();
        Apply(document, Workload.Inserts(tasks));
        Report("insert", tasks, document, Measurement.Since(started));
        started = Stopwatch.GetTimestamp();
        Apply(document, Workload.Updates(tasks));
        Report("update", tasks, document, Measurement.Since(started));
    }

    /// <summary>
    /// Two people's copies, each changed by 10,000 edits, take the other's envelopes: decoded, signatures checked, decrypted, applied, on both sides.
    /// </summary>
    public static void Merge(int tasks)
    {
        using var alice = Material.Account();
        using var bob = Material.Account();
        using var mine = Material.NewDocument(alice, out _);
        Apply(mine, Workload.Inserts(tasks));
        Apply(mine, Workload.Updates(tasks));
        new DocumentAuthor(mine, SystemEntropy.Instance).Grant(bob.Card.Actor, Permission.Write);
        using var theirs = new Document(mine.Id, bob);
        theirs.Receive(mine.Log.Select(held => held.Envelope), verified: true);
        var common = mine.Log.Count;
        Apply(mine, Workload.Diverge(0, tasks));
        Apply(theirs, Workload.Diverge(1, tasks));
        var (forTheirs, forMine) = (Since(mine, common), Since(theirs, common));
        var started = Stopwatch.GetTimestamp();
        Take(mine, forMine);
        Take(theirs, forTheirs);
        var took = Measurement.Since(started);
        if (mine.StateHash != theirs.StateHash) throw new InvalidOperationException("the copies differ after the merge");
        Report("merge", tasks, mine, took, sorted: true);
    }

    private static void Apply(Document document, IEnumerable<IReadOnlyList<WorkEdit>> transactions)
    {
        foreach (var edits in transactions)
        {
            new DocumentAuthor(document, SystemEntropy.Instance).Edit(transaction =>
            {
                foreach (var edit in edits) Apply(transaction, edit);
            });
        }
    }

    private static void Apply(Transaction transaction, WorkEdit edit)
    {
        if (edit.Complete is { } complete) transaction.Insert(".tasks", edit.Index, JsonSerializer.SerializeToElement(new { title = edit.Title, complete }));
        else transaction.Set($".tasks[{edit.Index}].title", JsonSerializer.SerializeToElement(edit.Title));
    }

    private static byte[][] Since(Document document, int common) => [.. document.HeldSince(common).Select(held => held.Envelope.Bytes.ToArray())];

    private static void Take(Document document, IEnumerable<byte[]> news)
    {
        var outcomes = document.Receive(news.Select(bytes => Envelope.TryDecode(bytes, out var envelope, out var error) ? envelope : throw new InvalidOperationException(error.Detail)));
        if (outcomes.Any(outcome => outcome.Status != EnvelopeStatus.Applied)) throw new InvalidOperationException("an envelope was not applied");
    }

    private static void Report(string work, int tasks, Document document, double milliseconds, bool sorted = false) =>
        new Measurement(Engine, work, tasks) { Milliseconds = milliseconds, Hash = ContentHash.Of(document.ToJson(".tasks"), sorted) }.Print();
}
