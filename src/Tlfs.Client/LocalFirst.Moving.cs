using Tlfs.Client.Sync;
using Tlfs.Core.Ids;

namespace Tlfs.Client;

/// <summary>What a move between cloudpeers has done (docs/protocol/sync.md §9).</summary>
public enum MoveStep
{
    /// <summary>The account is registered at the new cloudpeer, which may have the documents now.</summary>
    Joined,
    /// <summary>The new cloudpeer has what the old one has of a document, as a reconciliation with both proved.</summary>
    Copied,
    /// <summary>The other members were told where the documents go, as far as their inboxes could be reached.</summary>
    Told,
    /// <summary>The old cloudpeer may not have the documents any more.</summary>
    Switched,
    /// <summary>The old cloudpeer knows that and takes nothing more of a document, and the new one has all that it ever took, proven again.</summary>
    Proven,
    /// <summary>
    /// The new cloudpeer has all that the old one had just now, proven again, but the old one did not take the word that it is left: it may go on taking what
    /// others write to a document. Instead of <see cref="Proven"/>.
    /// </summary>
    StillOpen,
    /// <summary>The old cloudpeer is not used any more.</summary>
    Finished,
}

/// <summary>How far a move is.</summary>
/// <param name="Step">What was done.</param>
/// <param name="Document">Of which document; null for all of them.</param>
/// <param name="Envelopes">Envelopes of the document that were proven to be at the new cloudpeer; 0 for other steps.</param>
public sealed record MoveProgress(MoveStep Step, DocId? Document, int Envelopes);

/// <summary>A finished move between cloudpeers.</summary>
/// <param name="Documents">Documents that moved.</param>
/// <param name="Envelopes">Envelopes of them that are at the new cloudpeer, each proven.</param>
/// <param name="LeftAlone">Documents that others keep at the old cloudpeer; they stay there.</param>
/// <param name="Untold">Members with no inbox at any cloudpeer that is known here: tell them by inviting them again.</param>
public sealed record MoveResult(int Documents, long Envelopes, IReadOnlyList<DocId> LeftAlone, IReadOnlyList<AccountId> Untold)
{
    /// <summary>Members whose inbox could not be reached yet: every sync tries again. Whose server is gone for good is told by another invitation.</summary>
    public IReadOnlyList<AccountId> Waiting { get; init; } = [];

    /// <summary>
    /// Documents of which the old cloudpeer is not known to have been told that it is left, because it refused to store that: it may go on taking what others
    /// write. When it takes it, add it again with these documents, and move once more.
    /// </summary>
    public IReadOnlyList<DocId> StillOpen { get; init; } = [];
}

public sealed partial class LocalFirst
{
    /// <summary>
    /// Moves this account from one cloudpeer to another: copies every document that it keeps there, proves with both servers that nothing is missing, tells
    /// the other members, and only then gives the old one up. Whatever ends it before, the old one is still used, and calling it again goes on. Documents that
    /// others keep at the old cloudpeer are left alone. <c>cloudpeer-not-found</c>, <c>unreachable</c>, <c>quota-exceeded</c> and whatever else a server refuses with.
    /// </summary>
    /// <param name="from">The address of the old cloudpeer, which this account uses.</param>
    /// <param name="to">The address of the new one; it is added if need be.</param>
    /// <param name="progress">Is told each step when it is durable.</param>
    /// <param name="cancellationToken">Cancels; nothing is lost.</param>
    public async Task<MoveResult> MoveCloudpeerAsync(
        string from, string to, IProgress<MoveProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await new CloudpeerMove(_home, _connector, _engine, _mailbox, progress).RunAsync(from, to, cancellationToken);
        }
        finally
        {
            _home.NotifyEdited();
        }
    }
}
