using CloudPeer.Sync.Sessions;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Client;

// Sharing a part of a document, which is done online (docs/protocol/statements.md §4).
public sealed partial class LocalFirst
{
    // Each time somebody else was faster.
    private const int ZoneAttempts = 5;

    /// <summary>
    /// Grants a permission on a document or on a part of it. A path that is granted for the first time becomes a zone with keys of its own. Zones of a document
    /// that is on a cloudpeer are made online, so that no two are made for one path: <c>unreachable</c> without one, and then nothing was granted. Write on a path
    /// narrows a right to read that the person has already.
    /// </summary>
    /// <param name="document">The document.</param>
    /// <param name="who">The actor.</param>
    /// <param name="permission">What it allows.</param>
    /// <param name="path">A view path; <c>.</c> is the whole document.</param>
    /// <param name="fromNow">True to give no history: what is there now, and what comes.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>One grant as a rule; several where what the path shows is kept in several places.</returns>
    public async Task<IReadOnlyList<GrantId>> GrantAsync(
        DocId document, Actor who, Permission permission, string path = ".", bool fromNow = false, CancellationToken cancellationToken = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            var isHosted = path is not "." && await _home.DoAsync(() => Targets.PlacesOf(_home, document).Any(_home.Custody.HoldsAny), cancellationToken);
            if (isHosted) await TrySyncAsync(document, cancellationToken);
            var (grants, zone) = await _home.AuthorAsync(
                document,
                author => (author.Grant(who, permission, path, fromNow), author.Bundle.FirstOrDefault(DocumentPush.MakesZone)?.Id),
                cancellationToken);
            if (zone is null || !isHosted) return grants;
            await TrySyncAsync(document, cancellationToken);
            if (await _home.DoAsync(() => Settle(document, zone.Value, attempt), cancellationToken)) return grants;
        }
    }

    // True if a server has the zone. Else nobody has: it is taken back, and perhaps tried again on what somebody else has made meanwhile.
    private bool Settle(DocId document, EnvelopeId zone, int attempt)
    {
        if (_home.Custody.IsHeld(document, zone)) return true;
        var refusals = Targets.PlacesOf(_home, document).SelectMany(_home.Custody.Refused).Where(refused => refused.Envelope == zone).ToArray();
        var reason = refusals.Select(refused => refused.Reason).FirstOrDefault(Reason.Unreachable);
        var withdrawn = _home.Replica.Withdraw(document, zone, reason, _home.Options.Time.Micros(), envelope => _home.Custody.IsHeld(document, envelope));
        if (withdrawn.Deltas > 0) _home.Reapply(document);
        _home.NotifyEdited();
        if (reason == Reason.PolicyMoved && attempt < ZoneAttempts) return false;
        throw refusals.Length == 0
            ? new TlfsException(Reason.Unreachable, "a path is shared for the first time online, and no cloudpeer of the document answered; nothing was granted")
            : new TlfsException(reason, $"nothing was granted: {refusals[0].Message}");
    }
}
