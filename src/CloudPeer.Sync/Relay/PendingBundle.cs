using System.Diagnostics;
using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>A canonical envelope and what could be found out about it without its document's state.</summary>
internal sealed class PendingEnvelope(Envelope envelope)
{
    public Envelope Envelope { get; } = envelope;

    public EnvelopeHeader Header => Envelope.Header;

    /// <summary>True if the author signed it.</summary>
    public bool IsSigned { get; private set; }

    /// <summary>The statement of a policy envelope, if it is well-formed.</summary>
    public Statement? Statement { get; private set; }

    /// <summary>Why a policy envelope's statement is not well-formed.</summary>
    public DecodeError StatementError { get; private set; }

    /// <summary>Where the store was found to hold it, when it lies too far back to be remembered.</summary>
    public ulong? StoredIndex { get; set; }

    /// <summary>True once the store was asked for <see cref="StoredIndex"/>.</summary>
    public bool WasLookedUp { get; set; }

    /// <summary>
    /// For an envelope of a frozen author whose number the chain here has passed: its place on the branch that survives (statements.md §4.11) is after
    /// <see cref="Parent"/>.
    /// </summary>
    public bool IsBesideChain { get; set; }

    /// <summary>The envelope before it, if it is <see cref="IsBesideChain"/>; null for the author's first.</summary>
    public AuthorTip? Parent { get; set; }

    /// <summary>What the statement means when it is added to a policy, as far as that was found out before the commit (<see cref="StatementsAhead"/>).</summary>
    public (DocumentPolicy Before, DocumentPolicy After)? Ahead { get; set; }

    /// <summary>Forgets what was found in a log that was deleted since.</summary>
    public void ForgetLookups() => (StoredIndex, WasLookedUp, IsBesideChain, Parent) = (null, false, false, null);

    /// <summary>The expensive checks: signatures, also those inside cards.</summary>
    public void Verify()
    {
        IsSigned = Envelope.VerifySignature();
        if (!IsSigned || Header.Type != EnvelopeType.Policy) return;
        Statement.TryDecode(Envelope.Body, AccountCard.Verify, ForkProof.Verify, out var statement, out var error);
        Statement = statement;
        StatementError = error;
    }
}

/// <summary>A bundle on its way to a group commit, and the promise of its result.</summary>
internal sealed class PendingBundle(PeerId pusher, DocId document, IReadOnlyList<PendingEnvelope> envelopes, bool ifCurrent)
{
    private static readonly HashSet<EnvelopeId> NoDeps = [];
    private readonly TaskCompletionSource<Outcome<IReadOnlyList<Receipt>>> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<PeerId, BranchFinding>? _branches;

    public PeerId Pusher { get; } = pusher;

    public DocId Document { get; } = document;

    public IReadOnlyList<PendingEnvelope> Envelopes { get; } = envelopes;

    /// <summary>True if a zone in it must have seen every statement of the log (statements.md §4).</summary>
    public bool IfCurrent { get; } = ifCurrent;

    /// <summary>The app that pushes, which a new document is counted for; empty if it did not say.</summary>
    public string App { get; init; } = string.Empty;

    /// <summary>What was shown with it; null if nothing was, or it decides nothing.</summary>
    public ShownStatements? Shown { get; set; }

    /// <summary>The span of its push, if there is one.</summary>
    public ActivityContext? Span { get; } = Activity.Current?.Context;

    /// <summary>The generation of the log that deps and repeated envelopes were looked up in; null while there was none.</summary>
    public uint? LookedUpIn { get; set; }

    /// <summary>The tenant that the pusher belongs to; asked for only while it decides something.</summary>
    public TenantInfo? PusherTenant { get; set; }

    /// <summary>The tenant that is charged, as far as it is known before the commit.</summary>
    public TenantInfo? HostTenant { get; set; }

    /// <summary>Deps that the log was found to hold: by the time of the commit they may no longer be remembered.</summary>
    public IReadOnlySet<EnvelopeId> KnownDeps { get; set; } = NoDeps;

    /// <summary>What was found out of frozen authors in it.</summary>
    public Dictionary<PeerId, BranchFinding> Branches => _branches ??= [];

    public long Bytes { get; } = envelopes.Sum(envelope => (long)envelope.Envelope.Bytes.Length);

    public Task<Outcome<IReadOnlyList<Receipt>>> Result => _result.Task;

    /// <summary>Forgets what was found in a log that was deleted since.</summary>
    public void ForgetLookups()
    {
        LookedUpIn = null;
        KnownDeps = NoDeps;
        _branches = null;
        foreach (var envelope in Envelopes) envelope.ForgetLookups();
    }

    /// <summary>The frozen authors whose chain here was found to begin with the branch that survives still.</summary>
    public IEnumerable<PeerId> Surviving(PolicyView view) => _branches is null
        ? []
        : _branches.Where(branch => branch.Value.Survives && view.Survivor(branch.Key)?.Envelope == branch.Value.End).Select(branch => branch.Key);

    /// <summary>
    /// True if an author of it is frozen and a branch named, and that or the author's chain has changed since it was looked at: what was found may not be
    /// what is true now.
    /// </summary>
    public bool IsOvertaken(WorkingDocument document)
    {
        var view = document.Policy.View;
        if (!view.HasForks || document.State is not { } state) return false;
        foreach (var author in Envelopes.Select(envelope => envelope.Header.Author).Distinct())
        {
            if (view.Survivor(author) is not { } end || !state.Tips.TryGetValue(author, out var tip)) continue;
            if (_branches?.GetValueOrDefault(author) is not { } found || found.End != end.Envelope || found.Tip != tip.Id) return true;
        }

        return false;
    }

    public void Accept(IReadOnlyList<Receipt> receipts) => _result.TrySetResult(Outcome.Of(receipts));

    public void Refuse(Refusal refusal) =>
        _result.TrySetResult(Outcome.Refused<IReadOnlyList<Receipt>>(refusal with { Envelopes = [.. Envelopes.Select(envelope => envelope.Envelope.Id)] }));

    public void Refuse(Reason reason, string message) => Refuse(new Refusal(reason, message));
}
