using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>An envelope that a bundle would append, before its commit is known.</summary>
/// <param name="Envelope">The envelope.</param>
/// <param name="Index">Its place in the document's log.</param>
/// <param name="AuthorPreviousIndex">The place of the author's previous envelope.</param>
/// <param name="Root">The log's root just after it.</param>
internal sealed record Appended(Envelope Envelope, ulong Index, ulong? AuthorPreviousIndex, Bytes32 Root);

/// <summary>
/// The stateful checks of one bundle, in the order of sync.md §2, against its document as the group commit has made it so far. Works on
/// immutable state, so a refusal in the middle leaves nothing behind.
/// </summary>
internal sealed class BundleJudge
{
    private const string NotSigned = "An envelope's signature does not verify.";

    private readonly PeerId _server;
    private readonly WorkingDocument _document;
    private readonly PendingBundle _bundle;
    private readonly TenantLedger? _host;
    private readonly EvaluationBudget _budget;
    private readonly Dictionary<EnvelopeId, ulong> _added = [];
    private DocumentState _state;
    private DocumentPolicy _policy;

    /// <param name="server">The server.</param>
    /// <param name="document">The document as the commit has made it so far.</param>
    /// <param name="bundle">The bundle.</param>
    /// <param name="host">The tenant that is charged; null if it is none any more.</param>
    /// <param name="budget">What the commit may evaluate itself.</param>
    public BundleJudge(PeerId server, WorkingDocument document, PendingBundle bundle, TenantLedger? host, EvaluationBudget budget)
    {
        _budget = budget;
        _server = server;
        _document = document;
        _bundle = bundle;
        _host = host;
        _state = document.State ?? DocumentState.Empty(bundle.Document, bundle.PusherTenant?.Account ?? default) with
        {
            App = bundle.App,
            Generation = document.Deleted?.Generation ?? 0,
        };
        _policy = document.Policy;
    }

    /// <summary>What the bundle appends, when it is accepted.</summary>
    public List<Appended> Entries { get; } = [];

    /// <summary>The place of each of its envelopes, also of those that were there already.</summary>
    public List<ulong> Places { get; } = [];

    /// <summary>The document after the bundle.</summary>
    public (DocumentState State, DocumentPolicy Policy) After => (_state, _policy);

    /// <summary>True if the bundle begins the document.</summary>
    public bool IsNew => _document.State is null;

    /// <summary>Null if the bundle is acceptable.</summary>
    public Refusal? Judge()
    {
        var refusal = JudgeAll();

        // A document that is not here is nobody's: only who shows that it may host it learns more than of one that it may not know of.
        return refusal is null || _document.State is not null || MayHost() ? refusal : Refusal.NotFound;
    }

    private Refusal? JudgeAll()
    {
        if (JudgeHosting() is { } refusal) return refusal;
        foreach (var pending in _bundle.Envelopes)
        {
            if (JudgeEnvelope(pending) is { } refused) return refused;
        }

        return JudgeResult() ?? (IsNew ? JudgeTenant() : null) ?? _host!.Judge(_state, IsNew, Entries);
    }

    // Hosted here, the tenant may write, the pusher has Sync. Who is not served learns nothing else, so that is checked first.
    private Refusal? JudgeHosting()
    {
        if (_document.State is null)
        {
            return _bundle.PusherTenant is null || !IsGenesis(_bundle.Envelopes[0].Header) ? Refusal.NotFound : null;
        }

        if (!CachedDocument.Serves(_state, _policy, _bundle.Pusher, _bundle.PusherTenant, _host?.Tenant)) return Refusal.NotFound;
        if (_state.Hosting == HostingState.Ended && !_bundle.Envelopes.Any(GrantsToServer) && !IsToReturn()) return NotHosted;
        return JudgeTenant();
    }

    private Refusal? JudgeTenant() => _host?.Tenant.TakesFrom(_bundle.Pusher) == true
        ? null
        : new(Reason.SubscriptionReadOnly, "The account that hosts this document may not store anything now; reading and deleting go on.");

    private static Refusal NotHosted => new(Reason.NotHosted, "This server's Sync grant in the document was revoked.");

    private bool IsGenesis(EnvelopeHeader header) =>
        header is { Type: EnvelopeType.Policy, Seq: 1 } && header.Author == _bundle.Document.Authority;

    private bool GrantsToServer(PendingEnvelope pending) => pending.Statement is Grant grant && grant.Actor.Peer == _server && grant.Zone == ZoneId.Root;

    private Refusal? JudgeEnvelope(PendingEnvelope pending)
    {
        var header = pending.Header;
        if (!_policy.View.IsNamed(header.Author)) return new(Reason.AuthorUnknown, "No grant of the document names the author.");
        var tip = _state.Tips.GetValueOrDefault(header.Author);
        if (header.Seq <= (tip?.Seq ?? 0))
        {
            if (!pending.IsBesideChain || Find(pending.Envelope.Id) is not null) return JudgeRepeated(pending, tip!);
            tip = pending.Parent;
        }

        if (JudgeChain(header, tip) is { } broken) return broken;
        if (!pending.IsSigned) return new(Reason.BadSignature, NotSigned);
        if (tip is null && _state.Tips.Count >= _document.MaxAuthors) return new(Reason.TooLarge, $"A document has at most {_document.MaxAuthors} authors here.");
        if (!header.Auth.All(_policy.Contains) || !header.Deps.All(IsKnown))
            return new(Reason.DepsMissing, "An envelope depends on one that is not here.");
        return JudgePolicy(pending, out var policy) ?? Append(pending, tip, policy);
    }

    private Refusal? JudgeRepeated(PendingEnvelope pending, AuthorTip tip)
    {
        var id = pending.Envelope.Id;
        if ((id == tip.Id ? tip.Index : Find(id) ?? pending.StoredIndex) is not { } place)
            return !pending.IsSigned ? new(Reason.BadSignature, NotSigned) : Broken(Reason.ChainBroken, pending.Header, tip, "Another envelope of the author has this number.");
        Places.Add(place);
        return null;
    }

    private Refusal? JudgeChain(EnvelopeHeader header, AuthorTip? tip)
    {
        if (header.Seq != (tip?.Seq ?? 0) + 1) return Broken(Reason.ChainBehind, header, tip, "Envelopes of the author are missing before this one.");
        if (header.Prev != (tip?.Id ?? default)) return Broken(Reason.ChainBroken, header, tip, "The envelope does not follow the author's last one.");

        // What is not held covers nothing yet: that is the next but one check.
        if (tip is null || !header.Auth.All(_policy.Contains) || _policy.Covers(header.Auth, tip)) return null;
        return Broken(Reason.ChainBroken, header, tip, "The envelope has seen fewer statements than the author's last one.");
    }

    private static Refusal Broken(Reason reason, EnvelopeHeader header, AuthorTip? tip, string message) =>
        new(reason, message) { Tip = new(header.Author, tip?.Seq ?? 0, tip?.Id ?? default) };

    private bool IsKnown(EnvelopeId id) => _policy.Contains(id) || Find(id) is not null || _bundle.KnownDeps.Contains(id);

    private ulong? Find(EnvelopeId id) => _added.TryGetValue(id, out var place) ? place : _document.Find(id);

    // Statements.md §4, §4.9. The envelope is the newest of its author here, so no later one can show that a cut lies elsewhere.
    private Refusal? JudgePolicy(PendingEnvelope pending, out DocumentPolicy policy)
    {
        policy = _policy;
        var header = pending.Header;
        if (header.Type != EnvelopeType.Policy) return JudgeParts(pending.Envelope);
        if (pending.Statement is not { } body) return new(pending.StatementError.Reason, $"The statement is refused: {pending.StatementError.Detail}.");
        var statement = DocumentPolicy.StatementOf(pending.Envelope, body);
        var ruling = _policy.View.Judge(statement, (_, _) => null);

        // A statement that is frozen for good is taken as a link of the branch that survives.
        var isLink = ruling.Verdict == Verdict.Frozen && !IsSurviving(header.Author) && header.Seq <= _policy.View.Survivor(header.Author)?.Seq;
        if (!isLink && Explain(ruling) is { } refusal) return refusal;
        if (_budget.TryAdd(_policy, statement, pending.Ahead) is not { } next)
            return Refusal.Busy("The document has other statements than when this was looked at, and too many to evaluate them now; try again.");
        policy = next;
        return null;
    }

    // All of them must be allowed. What a grant on one path allows is seen inside only; that the author has such a grant is seen here.
    private Refusal? JudgeParts(Envelope envelope)
    {
        var header = envelope.Header;
        var zones = header.Parts.Select(part => part.Zone);
        var isSnapshot = header.Type == EnvelopeType.Snapshot;
        if (isSnapshot)
        {
            if (!SnapshotBody.TryDecode(envelope.Body, out var body, out var error)) return new(error.Reason, $"The snapshot is refused: {error.Detail}.");
            zones = zones.Union(body.Zones);
        }

        return Explain(_policy.View.JudgeParts(header.Author, header.Seq, envelope.Id, header.Auth, [.. zones], isSnapshot, ChainOf(header)));
    }

    // What is known of the author's chain: nothing but where it leads if an owner named that. What is pushed of the branch is taken on trust until its end is here.
    private Func<PeerId, ulong, EnvelopeId?> ChainOf(EnvelopeHeader header)
    {
        var survivors = _policy.View.Survivors(header.Author);
        if (survivors.Count == 0 || (header.Seq > survivors[^1].Seq && !IsSurviving(header.Author))) return (_, _) => null;
        return (_, seq) => survivors.Where(end => end.Seq == seq).Select(end => (EnvelopeId?)end.Envelope).FirstOrDefault();
    }

    private bool IsSurviving(PeerId author) =>
        _document.Surviving.Contains(author) || (_policy.View.Survivor(author) is { } end && _added.ContainsKey(end.Envelope));

    private Refusal? Explain(Ruling ruling) => ruling.Verdict switch
    {
        Verdict.Counts => null,
        Verdict.Frozen => new(Reason.Equivocation, ruling.Why),
        _ when ruling.IsBeyondLimit => new(Reason.TooLarge, ruling.Why),
        Verdict.PolicyMoved => _bundle.IfCurrent ? new(Reason.PolicyMoved, ruling.Why) : null,
        _ => new(Reason.NotAuthorised, ruling.By is { } by ? $"{ruling.Why} See {by}." : ruling.Why),
    };

    private Refusal? Append(PendingEnvelope pending, AuthorTip? tip, DocumentPolicy policy)
    {
        var envelope = pending.Envelope;
        var header = envelope.Header;
        var index = _state.Size;
        var log = _state.Log.Append(envelope.Id);
        var isPolicy = header.Type == EnvelopeType.Policy;
        _state = _state with
        {
            Log = log,
            Hosting = isPolicy ? HostingAfter(policy, takesBack: pending.Statement is Revoke or Renounce or Equivocation) : _state.Hosting,
            Statements = policy.Count,
            StoredBytes = _state.StoredBytes + (ulong)envelope.Bytes.Length,
            Tips = _state.Tips.SetItem(
                header.Author,
                new(header.Seq, envelope.Id, index, isPolicy, header.Auth)
                {
                    // Beside the chain the envelope before it is not the tip.
                    StoredBytes = (_state.Tips.GetValueOrDefault(header.Author)?.StoredBytes ?? 0) + (ulong)envelope.Bytes.Length,
                }),
        };
        _policy = policy;
        _added.Add(envelope.Id, index);
        Entries.Add(new(envelope, index, tip?.Index, log.Root));
        Places.Add(index);
        return null;
    }

    private HostingState HostingAfter(DocumentPolicy policy, bool takesBack)
    {
        // A grant to this server in the old part of a log does not serve it before the part is there that lets this tenant host it.
        if (_state.Hosting == HostingState.Opening && _host?.Tenant.Devices.Any(device => policy.View.May(device, Permission.Control)) != true) return HostingState.Opening;
        if (policy.Hosts(_server)) return HostingState.Served;
        return _state.Hosting switch
        {
            HostingState.Opening => HostingState.Private,
            HostingState.Served => HostingState.Ended,
            // The grant that was shown may not come any more: whoever still holds it shows it again.
            HostingState.Returning when takesBack => HostingState.Ended,
            var same => same,
        };
    }

    // Rights that only the bundle itself can give, or what was shown with it: hosting a new document, and hosting one again.
    private Refusal? JudgeResult()
    {
        if (_document.State is null) return MayHost() ? null : Refusal.NotFound;
        if (_document.State.Hosting != HostingState.Ended || _state.Hosting != HostingState.Ended) return null;
        if (!IsToReturn()) return NotHosted;
        _state = _state with { Hosting = HostingState.Returning };
        return null;
    }

    private bool MayHost() => _policy.View.May(_bundle.Pusher, Permission.Control) || _bundle.Shown?.With(_document.State)?.View.May(_bundle.Pusher, Permission.Control) == true;

    private bool IsToReturn() => _bundle.Shown?.With(_document.State)?.Hosts(_server) == true;
}
