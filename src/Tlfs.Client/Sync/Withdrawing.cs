using CloudPeer.Sync.Sessions;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Sync;

/// <summary>Decides what this device may take back (docs/protocol/sync.md §5); inside the gate.</summary>
internal static class Withdrawing
{
    // What is said of an envelope itself. A full quota, a server that was dismissed, or one that has not got what comes before: that may pass.
    private static readonly Reason[] Final =
    [
        Reason.NotAuthorised, Reason.NotFound, Reason.ChainBroken, Reason.Equivocation, Reason.BadSignature, Reason.PartHash, Reason.TooLarge, Reason.Malformed,
        Reason.Unsupported,
    ];

    /// <summary>Withdraws the first envelope that can count nowhere, and its successors.</summary>
    public static Withdrawal Run(ReplicaHome home, DocId document) => home.Database.Write(() =>
    {
        var first = First(home, document) ?? throw new TlfsException(
            Reason.NothingToDo, "nothing can be withdrawn: no change of this device was refused for good by every server of the document");
        return home.Replica.Withdraw(document, first.Envelope, first.Reason, home.Options.Time.Micros(), envelope => home.Custody.IsHeld(document, envelope));
    });

    /// <summary>True if the reason says that the device's chain goes on otherwise elsewhere.</summary>
    private static bool IsForked(Reason reason) => reason is Reason.ChainBroken or Reason.Equivocation;

    private static RefusedEnvelope? First(ReplicaHome home, DocId id)
    {
        var places = Targets.PlacesOf(home, id).ToArray();
        var document = home.Replica.Open(id);
        return places.SelectMany(home.Custody.Refused)
            .Where(each => Final.Contains(each.Reason) && document.Find(each.Envelope)?.Envelope.Header.Author == home.Keys.Device.Public)
            .GroupBy(each => each.Envelope)
            .Where(refusals => refusals.Count() == places.Length || refusals.Any(each => IsForked(each.Reason)))
            .Select(refusals => refusals.FirstOrDefault(each => IsForked(each.Reason)) ?? refusals.First())
            .MinBy(each => document.Find(each.Envelope)!.Envelope.Header.Seq);
    }
}
