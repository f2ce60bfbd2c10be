using CloudPeer.TestKit;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;

namespace Tlfs.Core.Tests.Regressions;

/// <summary>Envelopes that the engine would not make by itself: what a hostile or merely different member signs.</summary>
internal static class Raw
{
    /// <summary>The next envelope of the copy's owner, a statement, taken by the copy.</summary>
    public static Envelope State(this Copy by, Statement statement)
    {
        var envelope = Next(by).SignStatement(by.Own.Device, statement.Encode());
        by.Document.Receive(envelope);
        return envelope;
    }

    /// <summary>The next envelope of the copy's owner, a delta under the newest epoch, taken by the copy.</summary>
    public static Envelope Write(this Copy by, PartContent content)
    {
        var epoch = by.Document.Log.Last(held => held.Statement?.Body is Rotate).Envelope.Id;
        var envelope = Next(by).SealDelta(by.Own.Device, new SeededEntropy(7), epoch, by.Document.Keyring.ContentKey(ZoneId.Root, epoch, out _)!, content);
        by.Document.Receive(envelope);
        return envelope;
    }

    /// <summary>A new epoch by the copy's owner for these people.</summary>
    public static Envelope Rotate(this Copy by, ulong seed, params IEnumerable<AccountKeys> readers) =>
        by.State(by.Document.Keyring.NewEpoch(new SeededEntropy(seed), ZoneId.Root, [.. readers.Select(reader => new ZoneReader(reader.Card))]));

    /// <summary>The same person's copy, loaded anew from what this one holds.</summary>
    public static Copy Reload(this Copy copy)
    {
        var again = new Copy(copy.Own, copy.Document.Id, 999);
        again.Receive(copy.All);
        return again;
    }

    /// <summary>What became of every envelope held, by id.</summary>
    public static IEnumerable<(EnvelopeId Id, Outcome Outcome)> Outcomes(this Copy copy) =>
        copy.Document.Log.Select(held => (held.Envelope.Id, held.Outcome)).OrderBy(each => each.Id);

    private static Draft Next(Copy by)
    {
        var last = by.Document.Log.LastOrDefault(held => held.Envelope.Header.Author == by.Own.Device.Public)?.Envelope;
        return new(by.Document.Id, (last?.Header.Seq ?? 0) + 1, last?.Id ?? default, [], [.. by.Document.Statements.Heads], null);
    }
}
