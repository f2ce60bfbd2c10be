using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>Checks what a replica holds of a document as if it came from a stranger; inside the gate.</summary>
internal static class DocumentVerification
{
    public static Verification Run(ReplicaHome home, DocId id)
    {
        var problems = new List<string>();
        var held = home.Replica.Open(id).Log;
        CheckEnvelopes(home, id, held, problems);
        CheckReceipts(home, id, problems);
        foreach (var server in home.Custody.Servers(id)) CheckServer(home, new(id, server), problems);
        return new(held.Count, problems, [.. home.Evidence.All(id).Select(each => Check(home, id, each))]);
    }

    // A second document receives everything anew, with all signatures and chains.
    private static void CheckEnvelopes(ReplicaHome home, DocId id, IReadOnlyList<HeldEnvelope> held, List<string> problems)
    {
        var envelopes = new List<Envelope>(held.Count);
        foreach (var each in held)
        {
            if (Envelope.TryDecode(each.Envelope.Bytes, each.Envelope.Present, out var envelope, out var error)) envelopes.Add(envelope);
            else problems.Add($"{each.Envelope.Id}: {error.Detail}");
        }

        using var fresh = new Document(id, home.Keys);
        var outcomes = fresh.Receive(envelopes);
        for (var i = 0; i < envelopes.Count; i++)
            if (!outcomes[i].IsHeld) problems.Add($"{envelopes[i].Id}: {outcomes[i].Status} {outcomes[i].Reason?.ToString()}");
    }

    private static void CheckReceipts(ReplicaHome home, DocId id, List<string> problems)
    {
        foreach (var (envelope, server, receipt) in home.Custody.Receipts(id))
        {
            if (receipt.Server != server || receipt.Leaf.Document != id || receipt.Leaf.Envelope != envelope || !receipt.Verify())
                problems.Add($"{envelope}: the receipt of {Targets.UrlOf(home, id, server)} does not verify");
        }

        foreach (var (envelope, server) in home.Logs.Displaced(id))
            problems.Add($"{envelope}: {Targets.UrlOf(home, id, server)} gave a receipt for it, but its log has another envelope at that place");
    }

    private static ServerEvidence Check(ReplicaHome home, DocId id, HeldEvidence each) => new(
        Targets.UrlOf(home, id, each.Server),
        each.Server,
        each.Kind,
        each.Message,
        each.Record is { } record && record.Document == id && record.Server == each.Server && record.Verify(),
        UnixMicros.ToInstant(each.Micros),
        each.Record?.Encode());

    private static void CheckServer(ReplicaHome home, Place at, List<string> problems)
    {
        var url = Targets.UrlOf(home, at.Document, at.Server);
        if (home.Custody.Fault(at) is { } fault) problems.Add($"{url}: {fault.Message}");
        if (home.Custody.Head(at) is { } head && (head.Server != at.Server || head.Document != at.Document || !head.Verify()))
            problems.Add($"{url}: the log head does not verify");
    }
}
